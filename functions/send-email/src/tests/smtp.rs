//! Over a real mail server that keeps the protocol and can be told to misbehave.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use shared_domain::{Lang, Refusal, RunFailed};
use shared_runtime::{AnyHandler, Event, Outcome, Verdict, boxed};
use shared_testing::{Certificates, MailMishap, MailServer, Received};
use tokio::task::JoinSet;

use super::{HEADERS, HOSTILE, Stage, names, parse};
use crate::{Fault, Post, PostConfig, SendEmail, Sent};

/// A stage whose mails go to a server.
struct Wire {
    stage: Stage,
    server: MailServer,
    certificates: Certificates,
    handler: Arc<dyn AnyHandler>,
}

/// How the server is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    StartTls,
    Tls,
}

const OPERATOR: Verdict = Verdict::Retry {
    after: Some(Duration::from_mins(5)),
};

impl Wire {
    async fn open(door: Door, more: &[(&str, &str)]) -> Result<Self> {
        let stage = Stage::open(Lang::En).await?;
        let certificates = Certificates::make()?;
        let server = MailServer::start(&certificates).await?;
        let mut wire = Self {
            handler: stage.handler.clone(),
            stage,
            server,
            certificates,
        };
        wire.handler = wire.connect(door, more).await?;
        Ok(wire)
    }

    fn settings(&self, door: Door) -> Vec<(&'static str, String)> {
        let (port, ssl) = match door {
            Door::StartTls => (self.server.starttls_port, "false"),
            Door::Tls => (self.server.tls_port, "true"),
        };
        vec![
            ("EMAIL_HOST", "localhost".to_owned()),
            ("EMAIL_PORT", port.to_string()),
            ("EMAIL_USE_SSL", ssl.to_owned()),
            ("EMAIL_HOST_USER", MailServer::LOGIN.user.to_owned()),
            ("EMAIL_HOST_PASSWORD", MailServer::LOGIN.password.to_owned()),
            (
                "EMAIL_CA_FILE",
                self.certificates.ca().display().to_string(),
            ),
            ("EMAIL_TIMEOUT", "10".to_owned()),
            (
                "DEFAULT_FROM_EMAIL",
                "Checks <checks@example.org>".to_owned(),
            ),
        ]
    }

    fn shared(&self, door: Door, more: &[(&str, &str)]) -> shared_runtime::Shared {
        let mut shared = self.stage.world.shared();
        for (name, value) in self.settings(door) {
            shared.settings.set(name, value);
        }
        for (name, value) in more {
            shared.settings.set(name, *value);
        }
        shared
    }

    async fn connect(&self, door: Door, more: &[(&str, &str)]) -> Result<Arc<dyn AnyHandler>> {
        let function = SendEmail::connect(self.shared(door, more)).await;
        Ok(boxed(function.map_err(anyhow::Error::from_boxed)?))
    }

    /// A failure to tell of.
    async fn event(&self, name: &str) -> Result<Event> {
        let video = self.stage.refused(name, &Refusal::NoPicture).await?;
        self.stage.world.event(&RunFailed::new(video.video_id))
    }

    async fn bring(&self, event: &Event) -> Outcome {
        self.stage.world.bring(self.handler.as_ref(), event).await
    }

    async fn received(&self) -> Result<Vec<Received>> {
        self.server.received().await
    }

    /// Rows of the record that are so.
    async fn rows(&self, condition: &'static str) -> Result<i64> {
        self.stage.world.count("mails", condition).await
    }
}

fn message_id(mail: &Received) -> Result<String> {
    let mail = parse(mail.text.as_bytes())?;
    Ok(mail.message_id().context("a Message-ID")?.to_owned())
}

#[tokio::test]
async fn a_mail_goes_out_encrypted_and_once_through_either_door() -> Result<()> {
    for door in [Door::StartTls, Door::Tls] {
        let wire = Wire::open(door, &[]).await?;
        let event = wire.event("clip.mp4").await?;
        for _ in 0..3 {
            assert_eq!(wire.bring(&event).await.verdict, Verdict::Done);
        }
        let mails = wire.received().await?;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].encrypted);
        assert_eq!(mails[0].login.as_deref(), Some(MailServer::LOGIN.user));
        assert_eq!(mails[0].from, "checks@example.org");
        assert_eq!(mails[0].to, [wire.stage.user.email.as_str()]);
        let mail = parse(mails[0].text.as_bytes())?;
        assert_eq!(mail.subject(), Some("Video not checked: clip.mp4"));
        assert_eq!(
            wire.rows("state = 'sent' and maybe_sent = 0 and attempts = 1")
                .await?,
            1
        );
        assert!(wire.stage.world.mails()?.is_empty(), "no file besides");
    }
    Ok(())
}

#[tokio::test]
async fn without_starttls_the_mail_waits_and_nothing_is_said_in_clear() -> Result<()> {
    let wire = Wire::open(Door::StartTls, &[]).await?;
    wire.server.misbehave(MailMishap::NoStartTls, -1).await?;
    let event = wire.event("clip.mp4").await?;
    let outcome = wire.bring(&event).await;
    assert_eq!(outcome.verdict, OPERATOR);
    let error = outcome.error.context("an error")?;
    assert!(error.contains("no STARTTLS"), "{error}");
    assert!(wire.received().await?.is_empty());
    assert_eq!(wire.rows("state = 'failed' and maybe_sent = 0").await?, 1);

    wire.server.misbehave(MailMishap::None, 0).await?;
    assert_eq!(wire.bring(&event).await.verdict, Verdict::Done);
    let mails = wire.received().await?;
    assert_eq!((mails.len(), mails[0].encrypted), (1, true));
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_a_stranger_or_another_host_gets_nothing() -> Result<()> {
    let wire = Wire::open(Door::StartTls, &[]).await?;
    let stranger = wire.certificates.stranger().display().to_string();
    let event = wire.event("clip.mp4").await?;
    for door in [Door::StartTls, Door::Tls] {
        for more in [
            ("EMAIL_CA_FILE", stranger.as_str()),
            ("EMAIL_HOST", "127.0.0.1"),
        ] {
            let handler = wire.connect(door, &[more]).await?;
            let outcome = wire.stage.world.bring(handler.as_ref(), &event).await;
            assert_eq!(outcome.verdict, OPERATOR, "{more:?}");
            let error = outcome.error.context("an error")?;
            assert!(error.contains("TLS with the mail server"), "{error}");
        }
    }
    assert!(wire.received().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_is_wanted_later_is_sent_later_and_what_is_refused_is_given_up() -> Result<()> {
    let wire = Wire::open(Door::Tls, &[("EMAIL_TIMEOUT", "1")]).await?;
    for (mishap, verdict, words) in [
        (MailMishap::Greylist, Verdict::RETRY, "451"),
        (MailMishap::Full, Verdict::RETRY, "452"),
        (MailMishap::Slow, Verdict::RETRY, "EMAIL_TIMEOUT"),
        (MailMishap::TurnsAway, OPERATOR, "554"),
        (MailMishap::NoMailbox, Verdict::Reject, "550"),
        (MailMishap::TooBig, Verdict::Reject, "552"),
    ] {
        wire.server.misbehave(mishap, 1).await?;
        let before = wire.received().await?.len();
        let event = wire.event("clip.mp4").await?;
        let outcome = wire.bring(&event).await;
        assert_eq!(outcome.verdict, verdict, "{mishap:?}: {:?}", outcome.error);
        let error = outcome.error.context("an error")?;
        assert!(error.contains(words), "{mishap:?}: {error}");
        assert!(!error.contains('@'), "an address in a log: {error}");
        assert_eq!(wire.received().await?.len(), before, "{mishap:?}");
        assert_eq!(wire.rows("maybe_sent <> 0").await?, 0, "{mishap:?}");
        if verdict != Verdict::Reject {
            assert_eq!(
                wire.bring(&event).await.verdict,
                Verdict::Done,
                "{mishap:?}"
            );
            assert_eq!(wire.received().await?.len(), before + 1, "{mishap:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_doubles_a_mail_at_most_once_and_under_the_same_id() -> Result<()> {
    let wire = Wire::open(Door::StartTls, &[("EMAIL_TIMEOUT", "1")]).await?;
    for mishap in [MailMishap::DropAfterData, MailMishap::SilentAfterData] {
        let before = wire.received().await?.len();
        wire.server.misbehave(mishap, 1).await?;
        let event = wire.event("clip.mp4").await?;
        let outcome = wire.bring(&event).await;
        assert_eq!(outcome.verdict, Verdict::RETRY, "{:?}", outcome.error);
        assert_eq!(wire.rows("state = 'sending' and maybe_sent = 1").await?, 1);
        assert_eq!(wire.bring(&event).await.verdict, Verdict::Done);
        assert_eq!(wire.bring(&event).await.verdict, Verdict::Done);
        let mails = &wire.received().await?[before..];
        assert_eq!(mails.len(), 2, "{mishap:?}");
        assert_eq!(message_id(&mails[0])?, message_id(&mails[1])?);
    }
    assert_eq!(
        wire.rows("state = 'sent' and maybe_sent = 1 and attempts = 2")
            .await?,
        2
    );

    // A server that never answers gets two copies, not one every five minutes for a day.
    wire.server.misbehave(MailMishap::DropAfterData, -1).await?;
    let before = wire.received().await?.len();
    let event = wire.event("clip.mp4").await?;
    for verdict in [
        Verdict::RETRY,
        Verdict::RETRY,
        Verdict::Reject,
        Verdict::Reject,
    ] {
        assert_eq!(wire.bring(&event).await.verdict, verdict);
    }
    assert_eq!(wire.received().await?.len(), before + 2);

    // One that drops mail without taking it is not told apart from it, and is no loss either.
    wire.server
        .misbehave(MailMishap::DropBeforeTaking, 1)
        .await?;
    let before = wire.received().await?.len();
    let event = wire.event("clip.mp4").await?;
    assert_eq!(wire.bring(&event).await.verdict, Verdict::RETRY);
    assert_eq!(wire.bring(&event).await.verdict, Verdict::Done);
    assert_eq!(wire.received().await?.len(), before + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_the_mail_and_the_commit_is_one_more_mail_of_the_same_id() -> Result<()> {
    let wire = Wire::open(Door::Tls, &[("EMAIL_TIMEOUT", "60")]).await?;
    wire.server
        .misbehave(MailMishap::SilentAfterData, 1)
        .await?;
    let event = wire.event("clip.mp4").await?;
    let mut process = JoinSet::new();
    let (handler, queue, again) = (
        wire.handler.clone(),
        wire.stage.world.queue().clone(),
        event.clone(),
    );
    process.spawn(async move { shared_runtime::dispatch(handler.as_ref(), &again, &queue).await });
    while wire.received().await?.is_empty() {
        tokio::task::yield_now().await;
    }
    process.shutdown().await;
    assert_eq!(wire.rows("state = 'sending' and maybe_sent = 1").await?, 1);

    for _ in 0..2 {
        assert_eq!(wire.bring(&event).await.verdict, Verdict::Done);
    }
    let mails = wire.received().await?;
    assert_eq!(mails.len(), 2);
    assert_eq!(message_id(&mails[0])?, message_id(&mails[1])?);
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_refused_keeps_nobody_else_from_hearing() -> Result<()> {
    let wire = Wire::open(Door::Tls, &[("ADMIN_EMAIL", "admin@example.org")]).await?;
    wire.server.misbehave(MailMishap::NoMailbox, 1).await?;
    let video = wire.stage.refused("clip.mp4", &Refusal::Internal).await?;
    let event = wire.stage.world.event(&RunFailed::new(video.video_id))?;
    assert_eq!(wire.bring(&event).await.verdict, Verdict::Reject);
    let mails = wire.received().await?;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["admin@example.org"]);
    Ok(())
}

#[tokio::test]
async fn no_name_reaches_the_envelope_or_the_headers() -> Result<()> {
    let wire = Wire::open(Door::Tls, &[]).await?;
    for name in HOSTILE {
        let event = wire.event(&name.replace('\0', "\u{1}")).await?;
        assert_eq!(wire.bring(&event).await.verdict, Verdict::Done, "{name:?}");
    }
    let mails = wire.received().await?;
    assert_eq!(mails.len(), HOSTILE.len());
    for (mail, name) in mails.iter().zip(HOSTILE) {
        assert_eq!(mail.to, [wire.stage.user.email.as_str()], "{name:?}");
        assert_eq!(mail.from, "checks@example.org", "{name:?}");
        assert_eq!(names(&parse(mail.text.as_bytes())?), HEADERS, "{name:?}");
    }
    Ok(())
}

/// What `send-test-email` says.
async fn trial(wire: &Wire, door: Door, more: &[(&str, &str)]) -> Result<Sent, String> {
    let shared = wire.shared(door, more);
    let config = shared.read(PostConfig::read).unwrap();
    let to = "somebody@example.org".parse().unwrap();
    let post = Post::connect(config).unwrap();
    let sent = post.send_test(&to, shared.store.fresh(), Lang::En).await;
    sent.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
}

#[tokio::test]
async fn a_test_mail_says_what_became_of_it() -> Result<()> {
    let wire = Wire::open(Door::StartTls, &[]).await?;
    let sent = trial(&wire, Door::StartTls, &[]).await;
    let sentence = sent.map_err(anyhow::Error::msg)?.sentence(Lang::En);
    assert!(
        sentence.contains("has accepted the mail: 250 2.0.0 Ok: queued as 4XyZ"),
        "{sentence}"
    );
    let stranger = wire.certificates.stranger().display().to_string();
    let nobody: &[(&str, &str)] = &[("EMAIL_PORT", "1")];
    for (door, more, words) in [
        (
            Door::Tls,
            &[("EMAIL_HOST_PASSWORD", "wrong")][..],
            "EMAIL_HOST_PASSWORD",
        ),
        (Door::Tls, nobody, "cannot be reached"),
        (
            Door::Tls,
            &[("EMAIL_CA_FILE", &stranger)],
            "TLS with the mail server",
        ),
        (
            Door::StartTls,
            &[("EMAIL_HOST_USER", "nobody")],
            "refuses the login (535",
        ),
    ] {
        let error = trial(&wire, door, more).await.unwrap_err();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
    wire.server.misbehave(MailMishap::NoMailbox, 1).await?;
    let error = trial(&wire, Door::Tls, &[]).await.unwrap_err();
    assert!(error.contains("refuses the mail (550"), "{error}");
    Ok(())
}

#[tokio::test]
async fn on_this_machine_clear_text_is_allowed_when_it_is_said() -> Result<()> {
    let wire = Wire::open(Door::Tls, &[]).await?;
    let port = wire.server.clear_port.to_string();
    let clear = [
        ("EMAIL_PORT", port.as_str()),
        ("EMAIL_USE_SSL", "false"),
        ("EMAIL_USE_TLS", "false"),
        ("EMAIL_HOST_USER", ""),
        ("EMAIL_HOST_PASSWORD", ""),
    ];
    trial(&wire, Door::Tls, &clear)
        .await
        .map_err(anyhow::Error::msg)?;
    assert!(!wire.received().await?[0].encrypted);
    Ok(())
}

#[tokio::test]
async fn a_server_is_asked_whether_it_lets_us_in_and_gets_no_mail() -> Result<()> {
    let wire = Wire::open(Door::StartTls, &[]).await?;
    for door in [Door::StartTls, Door::Tls] {
        let shared = wire.shared(door, &[]);
        Post::connect(shared.read(PostConfig::read)?)?
            .knock()
            .await?;
    }
    let wrong = wire.shared(Door::Tls, &[("EMAIL_HOST_PASSWORD", "SG.wrong-canary")]);
    let fault = Post::connect(wrong.read(PostConfig::read)?)?.knock().await;
    assert!(matches!(fault, Err(Fault::Credentials(_))), "{fault:?}");
    assert!(!format!("{fault:?}").contains("canary"), "{fault:?}");
    assert!(wire.received().await?.is_empty());
    Ok(())
}
