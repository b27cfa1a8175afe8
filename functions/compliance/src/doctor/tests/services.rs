//! Over the real servers, and those of others on the wire.

use shared_domain::{Clock, PauseReason};
use shared_replicate::Provider;
use shared_store::{Pause, Store, StoreConfig};
use shared_testing::{
    Certificates, MailMishap, MailServer, ManualClock, PASSWORD, PostgresServer, World,
    postgres_database, redis_with_tls_and_password,
};

use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    with(&Settings::default(), pairs)
}

#[tokio::test]
async fn the_database_is_postgresql_over_tls() -> anyhow::Result<()> {
    let certificates = Certificates::make()?;
    let server = PostgresServer::start(&certificates).await?;
    let (ca, stranger) = (certificates.ca(), certificates.stranger());
    let (ca, stranger) = (ca.to_string_lossy(), stranger.to_string_lossy());
    let look = async |url: &str, ca: &str| {
        let pairs = [("DATABASE_URL", url), ("DATABASE_CA_CERT", ca)];
        let finding = found(Deploy::Database, settings(&pairs)).await;
        assert!(!format!("{finding:?}").contains("s3cret"), "{finding:?}");
        finding
    };
    let good = server.url("postgres", "sslmode=verify-full");
    expect(&look(&good, &ca).await, State::Fail, "compliance migrate");
    let mut config = StoreConfig::new(good.clone());
    config.ca_cert = Some(std::fs::read(&*ca)?);
    Store::migrate(config).await?;
    expect(&look(&good, &ca).await, State::Ok, "spoken to safely");
    let required = server.url("postgres", "sslmode=require");
    expect(&look(&required, "").await, State::Ok, "spoken to safely");

    for lax in ["sslmode=prefer", "sslmode=disable", "application_name=x"] {
        let lax = look(&server.url("postgres", lax), "").await;
        expect(&lax, State::Fail, "sslmode=require");
    }
    let wrong = good.replace(PASSWORD, "wrong-s3cret");
    expect(&look(&wrong, &ca).await, State::Fail, "user or password");
    expect(
        &look(&good, &stranger).await,
        State::Fail,
        "unknown authority",
    );
    let name = good.replace("@localhost:", "@127.0.0.1:");
    expect(&look(&name, &ca).await, State::Fail, "another host");
    let gone = good.replace(&server.port().to_string(), "1");
    expect(&look(&gone, &ca).await, State::NotChecked, "nobody answers");
    let broken = "postgres://user:pass/s3cret@host/db?sslmode=require";
    expect(&look(broken, "").await, State::Fail, "DATABASE_URL");
    Ok(())
}

#[tokio::test]
async fn a_socket_needs_no_tls_and_sqlite_is_for_one_machine() {
    let database = postgres_database(None).await;
    let look = async |url: &str| found(Deploy::Database, settings(&[("DATABASE_URL", url)])).await;
    expect(&look(&database.url).await, State::Ok, "PostgreSQL answers");
    expect(&look("").await, State::Fail, "not set");
    expect(
        &look("sqlite://data/compliance.db").await,
        State::Fail,
        "one machine",
    );
}

#[tokio::test]
async fn redis_is_spoken_to_over_tls() -> anyhow::Result<()> {
    let server = redis_with_tls_and_password("canary-of-redis");
    let folder = tempfile::tempdir()?;
    let (ca, stranger) = (folder.path().join("ca.pem"), Certificates::make()?);
    std::fs::write(&ca, server.authority()?)?;
    let (ca, stranger) = (ca.to_string_lossy(), stranger.stranger());
    let look = async |url: &str, ca: &str| {
        let pairs = [("REDIS_URL", url), ("REDIS_CA_FILE", ca)];
        found(Deploy::Redis, settings(&pairs)).await
    };
    expect(&look("", "").await, State::Ok, "not used");
    expect(
        &look(&server.url(), &ca).await,
        State::Ok,
        "takes the password",
    );
    let plain = server.url().replace("rediss:", "redis:");
    expect(&look(&plain, &ca).await, State::Fail, "rediss://");
    let wrong = server.url().replace("canary-of-redis", "canary-wrong");
    expect(
        &look(&wrong, &ca).await,
        State::Fail,
        "refuses the user name",
    );
    let stranger = look(&server.url(), &stranger.to_string_lossy()).await;
    expect(&stranger, State::Fail, "no TLS that can be trusted");
    let nobody = look("rediss://:canary@localhost:1/0", &ca).await;
    expect(&nobody, State::NotChecked, "unreachable");
    expect(
        &look("redis.example.com", "").await,
        State::Fail,
        "REDIS_URL",
    );
    Ok(())
}

/// A mail server, and settings that are right for it.
async fn mail() -> anyhow::Result<(MailServer, Certificates, Settings)> {
    let certificates = Certificates::make()?;
    let server = MailServer::start(&certificates).await?;
    let port = server.starttls_port.to_string();
    let ca = certificates.ca();
    let good = settings(&[
        ("EMAIL_HOST", "localhost"),
        ("EMAIL_PORT", &port),
        ("EMAIL_HOST_USER", MailServer::LOGIN.user),
        ("EMAIL_HOST_PASSWORD", MailServer::LOGIN.password),
        ("EMAIL_CA_FILE", &ca.to_string_lossy()),
        ("DEFAULT_FROM_EMAIL", "Checks <checks@example.org>"),
    ]);
    Ok((server, certificates, good))
}

#[tokio::test]
async fn mail_lets_us_in_over_tls_and_sends_nothing() -> anyhow::Result<()> {
    let (server, _certificates, good) = mail().await?;
    let look = async |pairs: &[(&str, &str)]| found(Deploy::Mail, with(&good, pairs)).await;
    expect(&look(&[]).await, State::Ok, "no mail was sent");
    let tls = server.tls_port.to_string();
    let from_first_byte = [("EMAIL_PORT", tls.as_str()), ("EMAIL_USE_SSL", "true")];
    expect(&look(&from_first_byte).await, State::Ok, "over TLS");
    let nobody = [("DEFAULT_FROM_EMAIL", "")];
    expect(&look(&nobody).await, State::Warn, "DEFAULT_FROM_EMAIL");
    let clear_port = server.clear_port.to_string();
    let clear = [
        ("EMAIL_PORT", clear_port.as_str()),
        ("EMAIL_USE_TLS", "false"),
        ("EMAIL_HOST_USER", ""),
        ("EMAIL_HOST_PASSWORD", ""),
    ];
    expect(&look(&clear).await, State::Warn, "without TLS");
    assert!(server.received().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn mail_that_goes_nowhere_is_told_apart() -> anyhow::Result<()> {
    let (server, certificates, good) = mail().await?;
    let look = async |pairs: &[(&str, &str)]| found(Deploy::Mail, with(&good, pairs)).await;
    let stranger = certificates.stranger();
    let console = "django.core.mail.backends.console.EmailBackend";
    let fails = [
        (("EMAIL_HOST_PASSWORD", "canary-wrong"), "refuses the login"),
        (
            ("EMAIL_CA_FILE", &*stranger.to_string_lossy()),
            "TLS with the mail server",
        ),
        (("EMAIL_HOST_USER", ""), "EMAIL_HOST_USER"),
        (("EMAIL_HOST", ""), "set EMAIL_HOST"),
        (("EMAIL_BACKEND", console), "go nowhere"),
    ]
    .map(|((name, value), says)| (name, value.to_owned(), says));
    for (name, value, says) in fails {
        expect(&look(&[(name, &value)]).await, State::Fail, says);
    }
    let nobody = [("EMAIL_PORT", "1")];
    expect(&look(&nobody).await, State::NotChecked, "cannot be reached");
    server.misbehave(MailMishap::NoStartTls, -1).await?;
    expect(&look(&[]).await, State::Fail, "no STARTTLS");
    server.misbehave(MailMishap::TurnsAway, -1).await?;
    expect(&look(&[]).await, State::Fail, "turns us away");
    assert!(server.received().await?.is_empty());
    Ok(())
}

const WEBHOOK: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[tokio::test]
async fn replicates_token_and_secret_are_right() {
    let world = World::new().await;
    let look = async |pairs: &[(&str, &str)]| {
        found(Deploy::Replicate, with(&world.settings(), pairs)).await
    };
    expect(&look(&[]).await, State::Ok, "does not tell the credit");
    let set = format!("whsec_YWJjZGVmZ2g=, {WEBHOOK}");
    let set = [("REPLICATE_WEBHOOK_SECRET", set.as_str())];
    expect(&look(&set).await, State::Ok, "are right");
    let no_database = [("DATABASE_URL", "sqlite:///nowhere/at-all.db")];
    expect(&look(&no_database).await, State::Ok, "without the database");

    let wrong = [("REPLICATE_API_TOKEN", "r8_canary")];
    expect(&look(&wrong).await, State::Fail, "make a new token");
    let none = [("REPLICATE_API_TOKEN", "")];
    expect(
        &look(&none).await,
        State::Fail,
        "REPLICATE_API_TOKEN is not set",
    );
    let other = [("REPLICATE_WEBHOOK_SECRET", "whsec_Y2FuYXJ5LWNhbmFyeQ==")];
    expect(&look(&other).await, State::Fail, "is not this account's");
    let malformed = [("REPLICATE_WEBHOOK_SECRET", "whsec_canary!")];
    expect(&look(&malformed).await, State::Fail, "malformed");
    let in_clear = [("REPLICATE_API_BASE_URL", "http://replicate.example.com/v1")];
    expect(&look(&in_clear).await, State::Fail, "clear text");
    let nobody = [("REPLICATE_API_BASE_URL", "http://127.0.0.1:1/v1")];
    expect(
        &look(&nobody).await,
        State::NotChecked,
        "does not answer now",
    );
    let base = world.replicate.base_url().replace("/v1", "/v9");
    let lost = [("REPLICATE_API_BASE_URL", base.as_str())];
    expect(&look(&lost).await, State::Fail, "no API of Replicate");
}

#[tokio::test]
async fn work_that_waits_for_a_person_is_told() -> anyhow::Result<()> {
    let world = World::new().await;
    for (reason, says) in [
        (PauseReason::NoCredit, "no credit"),
        (PauseReason::LowCredit, "low on credit"),
        (PauseReason::Refused, "was refused"),
        (PauseReason::Budget, "budget is spent"),
    ] {
        let until = world.store.now() + Duration::from_mins(5);
        let mut tx = world.store.transaction().await?;
        let lane = Provider::Replicate.as_str();
        tx.pause_lane(lane, Pause { reason, until }, None).await?;
        tx.commit().await?;
        let finding = found(Deploy::Replicate, world.settings()).await;
        expect(&finding, State::Warn, says);
    }
    let mut tx = world.store.transaction().await?;
    tx.resume_lane(Provider::Replicate.as_str()).await?;
    let (reason, until) = (PauseReason::Refused, world.store.now());
    let model = "replicate/nudity";
    tx.pause_lane(model, Pause { reason, until }, None).await?;
    tx.commit().await?;
    let finding = found(Deploy::Replicate, world.settings()).await;
    expect(&finding, State::Warn, "check NSFW_MODEL_ID");
    Ok(())
}

#[tokio::test]
async fn the_clock_is_that_of_the_services() {
    let world = World::new().await;
    let look = async |clock: Arc<dyn Clock>| {
        let site = Site::new(world.settings(), clock, PathBuf::from("/nowhere"));
        Deploy::Clock.check(&site).await
    };
    expect(&look(Arc::new(SystemClock)).await, State::Ok, "is right");
    let ahead = |seconds| {
        let clock = ManualClock::at(SystemClock.now());
        clock.advance(Duration::from_secs(seconds));
        Arc::new(clock)
    };
    expect(&look(ahead(120)).await, State::Warn, "ahead of 127.0.0.1");
    expect(
        &look(ahead(900)).await,
        State::Fail,
        "signatures are refused",
    );
    expect(
        &look(Arc::new(ManualClock::default())).await,
        State::Fail,
        "behind",
    );
    let silent = found(Deploy::Clock, Settings::default()).await;
    expect(&silent, State::NotChecked, "no service");
    for (seconds, state) in [
        (30, State::Ok),
        (-31, State::Warn),
        (300, State::Warn),
        (-301, State::Fail),
    ] {
        assert_eq!(clock::judged(seconds, "host").state, state, "{seconds}");
    }
}
