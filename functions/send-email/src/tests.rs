mod settings;
mod smtp;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context, Result};
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders};
use serde_json::{Value, json};
use shared_domain::{
    LanePaused, Lang, PauseReason, Refusal, ReportReady, RunFailed, Task, VideoCapped,
};
use shared_runtime::{AnyHandler, Verdict, boxed};
use shared_store::{NewMail, Role, User, Video};
use shared_testing::World;

use crate::SendEmail;

struct Stage {
    world: World,
    handler: Arc<dyn AnyHandler>,
    user: User,
}

impl Stage {
    async fn open(lang: Lang) -> Result<Self> {
        let world = World::new().await;
        let function = SendEmail::connect(world.shared()).await;
        let handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
        let user = world.reader(Role::Client, lang).await?;
        Ok(Self {
            world,
            handler,
            user,
        })
    }

    /// A video that was refused, under this name.
    async fn refused(&self, name: &str, refusal: &Refusal) -> Result<Video> {
        let project = self.world.project(&self.user).await?;
        let video = self.world.announced(&project, name, 1000).await?;
        let mut tx = self.world.store.transaction().await?;
        tx.refuse(video.video_id, refusal).await?;
        tx.commit().await?;
        Ok(video)
    }

    async fn tell_of_failure(&self, video: &Video) -> Result<Verdict> {
        let event = self.world.event(&RunFailed::new(video.video_id))?;
        Ok(self
            .world
            .bring(self.handler.as_ref(), &event)
            .await
            .verdict)
    }

    /// Writes a report of these risks and tells of it.
    async fn tell_of_report(&self, verdict: &str, risks: &[Value]) -> Result<Verdict> {
        let project = self.world.project(&self.user).await?;
        let run = self.world.run(&project, &[Task::Nudity]).await?;
        let report = self
            .world
            .report(&run, verdict, json!({ "risks": risks, "not_checked": [{ "text": { "ru": "Насилие: не проверено.", "en": "Violence: not checked." } }] }))
            .await?;
        let ready = ReportReady::new(run.video.video_id, report.report_id);
        let event = self.world.event(&ready)?;
        Ok(self
            .world
            .bring(self.handler.as_ref(), &event)
            .await
            .verdict)
    }

    /// The only mail, raw.
    fn mail(&self) -> Result<Vec<u8>> {
        let mut mails = self.world.mails()?;
        assert_eq!(mails.len(), 1);
        mails.pop().context("a mail")
    }
}

fn parse(raw: &[u8]) -> Result<Message<'_>> {
    MessageParser::default().parse(raw).context("no mail")
}

fn html(mail: &Message<'_>) -> Result<String> {
    Ok(mail.body_html(0).context("no HTML")?.into_owned())
}

fn plain(mail: &Message<'_>) -> Result<String> {
    Ok(mail.body_text(0).context("no text")?.into_owned())
}

fn risk(n: usize) -> Value {
    json!({
        "timestamp": format!("00:00:{n:02}"),
        "risk_name": { "ru": "Нецензурная брань", "en": "Profanity" },
        "description": { "ru": format!("слово {n}"), "en": format!("word {n}") },
    })
}

#[tokio::test]
async fn a_failure_is_told_in_the_readers_language() -> Result<()> {
    for (lang, subject, foot) in [
        (
            Lang::En,
            "Video not checked: clip.mp4",
            "Nothing was charged",
        ),
        (
            Lang::Ru,
            "Видео не проверено: clip.mp4",
            "ничего не списано",
        ),
    ] {
        let stage = Stage::open(lang).await?;
        let video = stage.refused("clip.mp4", &Refusal::NoPicture).await?;
        assert_eq!(stage.tell_of_failure(&video).await?, Verdict::Done);
        let raw = stage.mail()?;
        let mail = parse(&raw)?;
        assert_eq!(mail.subject(), Some(subject));
        let to = mail
            .to()
            .and_then(|to| to.first())
            .and_then(|to| to.address());
        assert_eq!(to, Some(stage.user.email.as_str()));
        assert_eq!(
            mail.header_raw("Auto-Submitted").map(str::trim),
            Some("auto-generated")
        );
        for body in [plain(&mail)?, html(&mail)?] {
            assert!(body.contains(&Refusal::NoPicture.text(lang)), "{body}");
            assert!(body.contains(foot), "{body}");
            let link = format!("https://compliance.example/?video={}", video.video_id);
            assert!(body.contains(&link), "{body}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_report_is_told_in_the_readers_language() -> Result<()> {
    let risks: Vec<Value> = (1..=12).map(risk).collect();
    for (lang, verdict, risks, subject, lead) in [
        (
            Lang::En,
            "fail",
            &risks[..],
            "Report ready: clip.mp4",
            "Breaches were found. Risks: 12.",
        ),
        (
            Lang::Ru,
            "fail",
            &risks[..],
            "Отчёт готов: clip.mp4",
            "Найдены нарушения. Рисков: 12.",
        ),
        (
            Lang::En,
            "review",
            &risks[..1],
            "Report ready: clip.mp4",
            "A person should check.",
        ),
        (
            Lang::Ru,
            "review",
            &[],
            "Отчёт готов: clip.mp4",
            "Рисков не найдено, но проверено не всё. Насилие: не проверено.",
        ),
        (
            Lang::En,
            "pass",
            &[],
            "Report ready: clip.mp4",
            "No risks were found",
        ),
        (
            Lang::Ru,
            "pass",
            &[],
            "Отчёт готов: clip.mp4",
            "Рисков не найдено",
        ),
    ] {
        let stage = Stage::open(lang).await?;
        assert_eq!(stage.tell_of_report(verdict, risks).await?, Verdict::Done);
        let raw = stage.mail()?;
        let mail = parse(&raw)?;
        assert_eq!(mail.subject(), Some(subject));
        let name = lang.pick("Нецензурная брань", "Profanity");
        for body in [plain(&mail)?, html(&mail)?] {
            assert!(body.contains(lead), "{body}");
            assert_eq!(body.matches(name).count(), risks.len().min(10), "{body}");
            assert_eq!(body.contains("… +2"), risks.len() == 12, "{body}");
            assert_eq!(body.contains("00:00:01"), !risks.is_empty(), "{body}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn one_event_is_one_mail_to_one_reader() -> Result<()> {
    let stage = Stage::open(Lang::En).await?;
    let video = stage.refused("clip.mp4", &Refusal::Empty).await?;
    let event = stage.world.event(&RunFailed::new(video.video_id))?;
    for _ in 0..3 {
        let outcome = stage.world.bring(stage.handler.as_ref(), &event).await;
        assert_eq!(outcome.verdict, Verdict::Done);
    }
    assert_eq!(stage.world.count("mails", "state = 'sent'").await?, 1);
    let raw = stage.mail()?;
    let mail = parse(&raw)?;
    assert_eq!(mail.to().map(|to| to.iter().count()), Some(1));
    assert!(mail.cc().is_none() && mail.bcc().is_none());
    // Another failure of the same video is another event, and another mail.
    assert_eq!(stage.tell_of_failure(&video).await?, Verdict::Done);
    assert_eq!(stage.world.mails()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_mail_that_was_cut_off_is_sent_again_under_the_same_id() -> Result<()> {
    let stage = Stage::open(Lang::En).await?;
    let video = stage.refused("clip.mp4", &Refusal::Empty).await?;
    let event = stage.world.event(&RunFailed::new(video.video_id))?;
    let mut tx = stage.world.store.transaction().await?;
    tx.intend_mail(NewMail {
        event_id: &event.id,
        address: &stage.user.email,
        kind: "run_failed",
        message_id: "<noted@compliance>",
    })
    .await?;
    tx.commit().await?;
    let outcome = stage.world.bring(stage.handler.as_ref(), &event).await;
    assert_eq!(outcome.verdict, Verdict::Done);
    let raw = stage.mail()?;
    assert_eq!(parse(&raw)?.message_id(), Some("noted@compliance"));
    assert_eq!(
        stage
            .world
            .count("mails", "state = 'sent' and attempts = 2")
            .await?,
        1
    );
    Ok(())
}

#[tokio::test]
async fn a_fact_about_nothing_is_given_up() -> Result<()> {
    let stage = Stage::open(Lang::En).await?;
    let event = stage
        .world
        .event(&RunFailed::new(stage.world.store.fresh()))?;
    let outcome = stage.world.bring(stage.handler.as_ref(), &event).await;
    assert_eq!(outcome.verdict, Verdict::Reject);
    let video = stage.refused("clip.mp4", &Refusal::Empty).await?;
    let ready = ReportReady::new(video.video_id, stage.world.store.fresh());
    let outcome = stage
        .world
        .bring(stage.handler.as_ref(), &stage.world.event(&ready)?)
        .await;
    assert_eq!(outcome.verdict, Verdict::Reject);
    assert!(stage.world.mails()?.is_empty());
    Ok(())
}

/// What people have called their videos to break a mail.
const HOSTILE: [&str; 30] = [
    "a\r\nBcc: evil@example.net\r\n\r\n.mp4",
    "a\nBcc: evil@example.net.mp4",
    "a\rBcc: evil@example.net.mp4",
    "a\r\n\r\n<script>alert(1)</script>",
    "a%0d%0aBcc: evil@example.net",
    "a\u{85}Bcc: evil@example.net",
    "a\u{2028}Bcc: evil@example.net",
    "=?utf-8?B?QmNjOiBldmlsQGV4YW1wbGUubmV0?=",
    "=?utf-8?Q?=0d=0aBcc:_evil@example.net?=",
    "\t folded\r\n Bcc: evil@example.net",
    "a\0b.mp4",
    "\u{1b}[2J\u{1b}]0;title\u{7}.mp4",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "'><a href='javascript:alert(1)'>x</a>",
    "</title><script>alert(1)</script>",
    "</p></div></body></html><h1>owned</h1>",
    "<!--",
    "]]><x>",
    "&lt;script&gt;",
    "{{ 7*7 }}{% include \"x\" %}",
    "${7*7}",
    ".\r\n.\r\nQUIT",
    "--boundary--\r\nContent-Type: text/html",
    "\u{202e}4pm.exe",
    "To: evil@example.net",
    "evil@example.net, other@example.net",
    "\"quoted\" <evil@example.net>",
    "тест\r\nBcc: evil@example.net «ёлка» 🎬",
];

/// The headers of every mail, and no others.
const HEADERS: [&str; 8] = [
    "auto-submitted",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "subject",
    "to",
];

fn names(mail: &Message<'_>) -> Vec<String> {
    let mut names: Vec<_> = mail
        .headers()
        .iter()
        .map(|h| h.name().to_lowercase())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn no_name_breaks_headers_or_html() -> Result<()> {
    for name in HOSTILE {
        let stage = Stage::open(Lang::En).await?;
        let video = stage
            .refused(&name.replace('\0', "\u{1}"), &Refusal::NotAVideo)
            .await?;
        assert_eq!(
            stage.tell_of_failure(&video).await?,
            Verdict::Done,
            "{name:?}"
        );
        let raw = stage.mail()?;
        let mail = parse(&raw)?;
        assert_eq!(names(&mail), HEADERS, "{name:?}");
        let to: Vec<_> = mail
            .to()
            .context("to")?
            .iter()
            .filter_map(|a| a.address())
            .collect();
        assert_eq!(to, [stage.user.email.as_str()], "{name:?}");
        let subject = mail.subject().unwrap_or_default();
        assert!(
            subject.starts_with("Video not checked"),
            "{name:?}: {subject:?}"
        );
        assert!(
            !subject.chars().any(char::is_control),
            "{name:?}: {subject:?}"
        );
        let body = html(&mail)?;
        for tag in [
            "<script",
            "<img",
            "<svg",
            "<h1",
            "href='javascript",
            "<!--",
            "<x>",
        ] {
            assert!(!body.contains(tag), "{name:?} put {tag} into the page");
        }
        assert_eq!(body.matches("</body>").count(), 1, "{name:?}");
        assert_eq!(body.matches("<a ").count(), 1, "{name:?}");
        assert_eq!(mail.parts.len(), 3, "{name:?}: one frame, two bodies");
    }
    Ok(())
}

#[tokio::test]
async fn words_of_a_video_are_text_in_a_report_mail() -> Result<()> {
    let stage = Stage::open(Lang::En).await?;
    let hostile = "\"><img src=x onerror=alert(1)><script>alert(1)</script>";
    let both = json!({ "ru": hostile, "en": hostile });
    let risk = json!({ "timestamp": "<b>", "risk_name": both, "description": both });
    assert_eq!(stage.tell_of_report("fail", &[risk]).await?, Verdict::Done);
    let raw = stage.mail()?;
    let body = html(&parse(&raw)?)?;
    assert!(
        !body.contains("<script") && !body.contains("<img") && !body.contains("<b>"),
        "{body}"
    );
    Ok(())
}

#[tokio::test]
async fn both_bodies_say_that_they_are_utf_8() -> Result<()> {
    let stage = Stage::open(Lang::Ru).await?;
    let video = stage.refused("отпуск.mp4", &Refusal::Damaged).await?;
    stage.tell_of_failure(&video).await?;
    let raw = stage.mail()?;
    let mail = parse(&raw)?;
    let kinds: Vec<_> = mail.parts[1..]
        .iter()
        .filter_map(|part| part.content_type())
        .map(|kind| {
            (
                kind.subtype().unwrap_or_default(),
                kind.attribute("charset"),
            )
        })
        .collect();
    assert_eq!(kinds, [("plain", Some("utf-8")), ("html", Some("utf-8"))]);
    assert!(matches!(mail.header("From"), Some(HeaderValue::Address(_))));
    Ok(())
}

#[tokio::test]
async fn a_fault_of_ours_is_told_to_the_administrator_once_too() -> Result<()> {
    let stage = Stage::open(Lang::Ru).await?;
    let settings = stage
        .world
        .shared_with(&[("ADMIN_EMAIL", "admin@example.org")]);
    let function = SendEmail::connect(settings).await;
    let handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
    let refused = stage.refused("bad.mp4", &Refusal::NoPicture).await?;
    let broken = stage.refused("good.mp4", &Refusal::Internal).await?;
    for video in [&refused, &broken] {
        let event = stage.world.event(&RunFailed::new(video.video_id))?;
        for _ in 0..2 {
            let outcome = stage.world.bring(handler.as_ref(), &event).await;
            assert_eq!(outcome.verdict, Verdict::Done);
        }
    }
    let raw = stage.world.mails()?;
    let mut told = Vec::new();
    for raw in &raw {
        let mail = parse(raw)?;
        let to = mail.to().and_then(|to| to.first());
        let to = to.and_then(|to| to.address()).context("an address")?;
        told.push((
            to.to_owned(),
            mail.subject().context("a subject")?.to_owned(),
        ));
    }
    told.sort();
    let owner = stage.user.email.clone();
    let mut wanted = vec![
        (
            "admin@example.org".to_owned(),
            "Video not checked: good.mp4".to_owned(),
        ),
        (owner.clone(), "Видео не проверено: bad.mp4".to_owned()),
        (owner, "Видео не проверено: good.mp4".to_owned()),
    ];
    wanted.sort();
    assert_eq!(told, wanted);
    Ok(())
}

#[tokio::test]
async fn an_administrator_is_told_once_that_work_waits_and_why() -> Result<()> {
    let stage = Stage::open(Lang::Ru).await?;
    let capped = stage
        .refused("film.mp4", &Refusal::NoPicture)
        .await?
        .video_id;
    let until = time::macros::datetime!(2026-03-02 12:05 UTC).unix_timestamp();
    let paused = |reason| LanePaused::new("replicate".into(), reason, until);
    for address in [None, Some("admin@example.org")] {
        let settings = [("ADMIN_EMAIL", address.unwrap_or_default())];
        let function = SendEmail::connect(stage.world.shared_with(&settings)).await;
        let handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
        let mut events = vec![stage.world.event(&VideoCapped::new(capped, 1.5))?];
        for reason in [
            PauseReason::NoCredit,
            PauseReason::LowCredit,
            PauseReason::Refused,
            PauseReason::Budget,
        ] {
            events.push(stage.world.event(&paused(reason))?);
        }
        let lane = "replicate/nudity".to_owned();
        let gone = LanePaused::new(lane, PauseReason::Refused, until);
        events.push(stage.world.event(&gone)?);
        for event in events.iter().chain(&events) {
            let outcome = stage.world.bring(handler.as_ref(), event).await;
            assert_eq!(outcome.verdict, Verdict::Done, "{:?}", outcome.error);
        }
    }
    let raw = stage.world.mails()?;
    let mails: Vec<_> = raw.iter().map(|raw| parse(raw)).collect::<Result<_>>()?;
    let subjects: BTreeSet<&str> = mails.iter().filter_map(Message::subject).collect();
    assert_eq!((mails.len(), subjects.len()), (6, 6));
    let gone = "Checks are paused: Replicate does not have the model of task nudity";
    let gone = mails.iter().find(|mail| mail.subject() == Some(gone));
    let text = gone.and_then(|mail| mail.body_text(0)).context("a text")?;
    assert!(text.contains("NSFW_MODEL_ID"), "{text}");
    assert!(subjects.contains("Checks are paused: the month's budget is spent"));
    assert!(subjects.contains("Cost cap reached: film.mp4"));
    for mail in &mails {
        let to = mail.to().and_then(|to| to.first());
        assert_eq!(to.and_then(|to| to.address()), Some("admin@example.org"));
        let text = mail.body_text(0).context("a text")?;
        let says = ["2026-03-02 12:05 UTC", "MAX_COST_PER_VIDEO_USD"];
        assert!(says.iter().any(|words| text.contains(words)), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn an_administrators_address_is_checked_at_the_start() {
    let world = World::new().await;
    let settings = world.shared_with(&[("ADMIN_EMAIL", "nobody at all")]);
    let error = SendEmail::connect(settings).await.unwrap_err();
    assert!(error.to_string().contains("ADMIN_EMAIL"), "{error}");
}
