//! `compliance doctor --deploy`, as it is built: an installation in which everything is right, and one in
//! which everything is wrong.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use shared_store::{Store, StoreConfig};
use shared_testing::{
    Certificates, FakeB2, MailServer, NOTIFICATION_SECRET, PASSWORD, PostgresServer, TestRedis,
    World, redis_with_tls_and_password,
};
use tempfile::TempDir;

const KEY: &str = "canary-9sGmQvXo2Lr7Tz4BdKfWj1Hn8PcYe5UaRi0VxQwEtMb6Zl3";
const REDIS_PASSWORD: &str = "canary-of-redis";
const CLOUDFLARE: &str = "canary-of-cloudflare";
const WEBHOOK: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const LINES: usize = 17;

/// Servers of every kind, and the folder that the program runs in.
struct Installation {
    world: World,
    b2: FakeB2,
    certificates: Certificates,
    database: PostgresServer,
    redis: TestRedis,
    mail: MailServer,
    folder: TempDir,
}

impl Installation {
    async fn open() -> Result<Self> {
        let certificates = Certificates::make()?;
        let database = PostgresServer::start(&certificates).await?;
        let world = World::new().await;
        let bucket = world.settings();
        let bucket = bucket.find("BACKBLAZE_BUCKET_NAME").context("a bucket")?;
        let installation = Self {
            b2: FakeB2::start(bucket).await?,
            mail: MailServer::start(&certificates).await?,
            redis: redis_with_tls_and_password(REDIS_PASSWORD),
            folder: tempfile::tempdir()?,
            world,
            certificates,
            database,
        };
        let mut config = StoreConfig::new(installation.database_url());
        config.ca_cert = Some(std::fs::read(installation.ca())?);
        Store::migrate(config).await?;
        std::fs::write(installation.redis_ca(), installation.redis.authority()?)?;
        Ok(installation)
    }

    fn database_url(&self) -> String {
        self.database.url("postgres", "sslmode=verify-full")
    }

    fn ca(&self) -> String {
        self.certificates.ca().display().to_string()
    }

    fn redis_ca(&self) -> std::path::PathBuf {
        self.folder.path().join("redis.pem")
    }

    /// Settings in which nothing is wrong.
    fn good(&self) -> Vec<(&'static str, String)> {
        let world = self.world.settings();
        let of_world = |name| (name, world.find(name).unwrap_or_default().to_owned());
        let said = |name, value: &str| (name, value.to_owned());
        vec![
            said("DEBUG", "false"),
            said("SECRET_KEY", KEY),
            said("ALLOWED_HOSTS", "compliance.example.com"),
            said("PUBLIC_URL", "https://compliance.example.com"),
            ("DATABASE_URL", self.database_url()),
            ("DATABASE_CA_CERT", self.ca()),
            ("REDIS_URL", self.redis.url()),
            ("REDIS_CA_FILE", self.redis_ca().display().to_string()),
            said("EMAIL_HOST", "localhost"),
            ("EMAIL_PORT", self.mail.starttls_port.to_string()),
            said("EMAIL_HOST_USER", MailServer::LOGIN.user),
            said("EMAIL_HOST_PASSWORD", MailServer::LOGIN.password),
            ("EMAIL_CA_FILE", self.ca()),
            said("DEFAULT_FROM_EMAIL", "Checks <checks@example.org>"),
            of_world("BACKBLAZE_ENDPOINT_URL"),
            of_world("BACKBLAZE_APPLICATION_KEY_ID"),
            of_world("BACKBLAZE_APPLICATION_KEY"),
            of_world("BACKBLAZE_BUCKET_NAME"),
            said("B2_API_URL", self.b2.base_url()),
            said("B2_ADMIN_KEY_ID", FakeB2::KEY.0),
            said("B2_ADMIN_KEY", FakeB2::KEY.1),
            said("B2_NOTIFICATION_SECRET", NOTIFICATION_SECRET),
            of_world("REPLICATE_API_BASE_URL"),
            of_world("REPLICATE_API_TOKEN"),
            said("REPLICATE_WEBHOOK_SECRET", WEBHOOK),
            said("CLOUDFLARE_CDN_URL", "https://video.example.com"),
            said("PLAYBACK_SECRET", "canary-of-playback-that-is-long-enough"),
            said("CLOUDFLARE_API_TOKEN", CLOUDFLARE),
            said("CLOUDFLARE_ZONE_ID", "0123456789abcdef0123456789abcdef"),
        ]
    }

    /// Settings in which every line is wrong, though nothing is missing.
    fn bad(&self) -> Vec<(&'static str, String)> {
        let fake = self.b2.base_url();
        let wrong = [
            ("DEBUG", "true".to_owned()),
            ("SECRET_KEY", format!("django-insecure-{KEY}")),
            ("ALLOWED_HOSTS", "*".to_owned()),
            ("PUBLIC_URL", "https://203.0.113.7".to_owned()),
            (
                "DATABASE_URL",
                self.database_url().replace(PASSWORD, "canary-wrong-1"),
            ),
            (
                "REDIS_URL",
                self.redis.url().replace(REDIS_PASSWORD, "canary-wrong-2"),
            ),
            ("EMAIL_HOST_PASSWORD", "canary-wrong-3".to_owned()),
            // No S3 and no Replicate is there, but somebody who tells the time.
            ("BACKBLAZE_ENDPOINT_URL", fake.to_owned()),
            ("REPLICATE_API_BASE_URL", format!("{fake}/v1")),
            ("FFMPEG_PATH", "/nowhere/ffmpeg".to_owned()),
            ("CLOUDFLARE_CDN_URL", "http://video.example.com".to_owned()),
        ];
        let mut settings = self.good();
        settings.retain(|(name, _)| wrong.iter().all(|(changed, _)| changed != name));
        settings.extend(wrong);
        settings
    }

    /// `compliance doctor --deploy …` with nothing of this machine's settings but its programs.
    fn run(&self, settings: &[(&str, String)], args: &[&str], lang: &str) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_compliance"));
        command.args(["doctor", "--deploy"]).args(args);
        command.env_clear().envs(path());
        command.env("LANG", lang).current_dir(self.folder.path());
        for (name, value) in settings {
            command.env(name, value);
        }
        Ok(command.output()?)
    }

    fn lines(&self, settings: &[(&str, String)], args: &[&str]) -> Result<(i32, Vec<Value>)> {
        let args = [args, &["--json"]].concat();
        let output = self.run(settings, &args, "C.UTF-8")?;
        let said = told(settings, &output)?;
        let rows = serde_json::from_slice(&output.stdout).context(said)?;
        Ok((output.status.code().context("a code")?, rows))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a child needs the machine's programs"
)]
fn path() -> impl Iterator<Item = (std::ffi::OsString, std::ffi::OsString)> {
    std::env::vars_os().filter(|(name, _)| name == "PATH")
}

/// No secret is in any output, whatever the settings make of it.
fn told(settings: &[(&str, String)], output: &Output) -> Result<String> {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = format!("{}{}", said(&output.stdout), said(&output.stderr));
    let is_secret = |name: &str| {
        ["KEY", "SECRET", "TOKEN", "PASSWORD"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let secrets = settings.iter().filter(|(name, _)| is_secret(name));
    for secret in secrets
        .map(|(_, value)| value.as_str())
        .chain([PASSWORD, "canary"])
    {
        ensure!(!all.contains(secret), "{secret} in {all}");
    }
    Ok(all)
}

fn states<'a>(rows: &'a [Value], state: &str) -> Vec<&'a str> {
    let those = rows.iter().filter(|row| row["state"] == state);
    those.filter_map(|row| row["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_is_mended_and_then_all_is_right() -> Result<()> {
    let installation = Installation::open().await?;
    let good = installation.good();
    let (code, rows) = installation.lines(&good, &[])?;
    assert_eq!(code, 1, "{rows:#?}");
    assert_eq!(
        states(&rows, "fail"),
        ["bucket-cors", "bucket-lifecycle", "bucket-notifications"],
        "{rows:#?}"
    );
    let (code, rows) = installation.lines(&good, &["--fix"])?;
    assert_eq!((code, states(&rows, "ok").len()), (0, LINES), "{rows:#?}");
    let changed = rows.iter().filter(|row| row["changed"].is_string());
    assert_eq!(changed.count(), 3, "{rows:#?}");
    let before = installation.b2.bucket();
    let (code, rows) = installation.lines(&good, &["--fix"])?;
    assert_eq!((code, installation.b2.bucket()), (0, before));
    assert!(rows.iter().all(|row| row["changed"].is_null()), "{rows:#?}");

    let output = installation.run(&good, &[], "ru_RU.UTF-8")?;
    let said = told(&good, &output)?;
    assert_eq!(output.status.code(), Some(0), "{said}");
    let ok = said.lines().filter(|line| line.starts_with("✓ "));
    assert_eq!(ok.count(), LINES, "{said}");
    let first = format!("✓ {:20}  DEBUG выключен\n", "debug-off");
    assert!(said.starts_with(&first), "{said}");
    assert!(installation.mail.received().await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_wrong_each_line_says_so_and_no_secret() -> Result<()> {
    let installation = Installation::open().await?;
    installation.b2.change("bucketType", "allPublic".into());
    let past = "Mon, 02 Mar 2026 12:00:00 GMT";
    installation.b2.set_date(past);
    secrets_in_a_file(installation.folder.path())?;
    let bad = installation.bad();
    let (code, rows) = installation.lines(&bad, &[])?;
    assert_eq!((code, states(&rows, "fail").len()), (1, LINES), "{rows:#?}");
    for lang in ["ru_RU.UTF-8", "en_US.UTF-8"] {
        let output = installation.run(&bad, &[], lang)?;
        let said = told(&bad, &output)?;
        let wrong = said.lines().filter(|line| line.starts_with("✗ "));
        assert_eq!(wrong.count(), LINES, "{said}");
    }
    // One line has an exit code of its own.
    for name in rows.iter().filter_map(|row| row["name"].as_str()) {
        let (code, rows) = installation.lines(&bad, &[name])?;
        assert_eq!((code, rows.len()), (1, 1), "{rows:#?}");
    }
    Ok(())
}

/// Only its names are told.
fn secrets_in_a_file(folder: &Path) -> Result<()> {
    let text = format!("POSTGRES_PASSWORD={KEY}\nSECRET_KEY={KEY}\n");
    Ok(std::fs::write(folder.join(".env"), text)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_not_checked_and_stops_nothing() -> Result<()> {
    let installation = Installation::open().await?;
    let mut settings = installation.good();
    for (name, value) in &mut settings {
        match *name {
            "BACKBLAZE_ENDPOINT_URL" | "B2_API_URL" => *value = "http://127.0.0.1:1".into(),
            "REPLICATE_API_BASE_URL" => *value = "http://127.0.0.1:1/v1".into(),
            "DATABASE_URL" => {
                let port = installation.database.port().to_string();
                *value = value.replace(&port, "1");
            }
            "REDIS_URL" => *value = "rediss://:canary@localhost:1/0".into(),
            "EMAIL_PORT" => *value = "1".into(),
            _ => {}
        }
    }
    let (code, rows) = installation.lines(&settings, &[])?;
    assert_eq!(code, 2, "{rows:#?}");
    let unknown = [
        "database",
        "redis",
        "mail",
        "bucket",
        "bucket-private",
        "bucket-cors",
        "bucket-lifecycle",
        "bucket-notifications",
        "replicate",
        "clock",
    ];
    assert_eq!(states(&rows, "not-checked"), unknown, "{rows:#?}");
    assert_eq!(
        states(&rows, "ok").len(),
        LINES - unknown.len(),
        "{rows:#?}"
    );
    Ok(())
}

#[test]
fn a_name_that_is_none_and_a_fix_of_nothing_are_refused() -> Result<()> {
    for args in [
        &["doctor", "--deploy", "weather"][..],
        &["doctor", "--fix"],
        &["doctor", "mail"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_compliance"));
        let output = command.args(args).env_clear().output()?;
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    }
    Ok(())
}

#[test]
fn this_machine_is_looked_at_without_leaving_a_trace() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_compliance"));
    command.args(["doctor", "--json"]).env_clear().envs(path());
    command
        .current_dir(folder.path())
        .env("MODELS_DIR", "models");
    let output = command.output()?;
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(
        names,
        [
            "ffmpeg",
            "tesseract",
            "models",
            "data-folder",
            "database",
            "disk"
        ]
    );
    assert_eq!(states(&rows, "fail"), ["models"], "{rows:#?}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}
