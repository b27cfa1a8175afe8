//! A mail server with the real protocol (aiosmtpd, its own process) that can be told to misbehave.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;

use crate::Certificates;

/// The version that `infra/scripts/setup-test.sh` installs.
const PACKAGE: &str = "aiosmtpd-1.4.6";

/// Who may send.
#[derive(Debug, Clone, Copy)]
pub struct Login {
    /// `EMAIL_HOST_USER`.
    pub user: &'static str,
    /// `EMAIL_HOST_PASSWORD`.
    pub password: &'static str,
}

/// What goes wrong at a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailMishap {
    /// Nothing.
    None,
    /// STARTTLS is stripped from what the server offers.
    NoStartTls,
    /// 554 to everybody.
    TurnsAway,
    /// 451 to the reader's address.
    Greylist,
    /// 550 to the reader's address.
    NoMailbox,
    /// No answer to the reader's address.
    Slow,
    /// 552 to the mail.
    TooBig,
    /// 452 to the mail.
    Full,
    /// The mail is dropped, and so is the connection, without an answer.
    DropBeforeTaking,
    /// The mail is taken, the connection is cut without an answer.
    DropAfterData,
    /// The mail is taken, the answer never comes.
    SilentAfterData,
}

impl MailMishap {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NoStartTls => "no-starttls",
            Self::TurnsAway => "turns-away",
            Self::Greylist => "greylist",
            Self::NoMailbox => "no-mailbox",
            Self::Slow => "slow",
            Self::TooBig => "too-big",
            Self::Full => "full",
            Self::DropBeforeTaking => "drop-before-taking",
            Self::DropAfterData => "drop-after-data",
            Self::SilentAfterData => "silent-after-data",
        }
    }
}

/// A mail that the server has taken.
#[derive(Debug, Clone)]
pub struct Received {
    /// Of the envelope.
    pub from: String,
    /// Of the envelope.
    pub to: Vec<String>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// Who was logged in.
    pub login: Option<String>,
    /// Headers and body, as they came.
    pub text: String,
}

/// Runs until it is dropped.
#[derive(Debug)]
pub struct MailServer {
    /// Begins in clear and offers STARTTLS.
    pub starttls_port: u16,
    /// TLS from the first byte.
    pub tls_port: u16,
    /// Clear text, and no login.
    pub clear_port: u16,
    pipes: Mutex<(ChildStdin, Lines<BufReader<ChildStdout>>)>,
    _process: Child,
}

impl MailServer {
    /// Who may send through the encrypted ports.
    pub const LOGIN: Login = Login {
        user: "apikey",
        password: "SG.canary-of-the-mail-server",
    };

    /// Starts one at three ports of 127.0.0.1.
    pub async fn start(certificates: &Certificates) -> Result<Self> {
        let mut process = Command::new("python3")
            .args(["-W", "ignore", "-c", include_str!("mail.py")])
            .args([certificates.server(), certificates.key()])
            .args([Self::LOGIN.user, Self::LOGIN.password])
            .env("PYTHONPATH", package()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("python3 does not start")?;
        let stdin = process.stdin.take().context("a pipe")?;
        let stdout = process.stdout.take().context("a pipe")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = lines.next_line().await?.context("aiosmtpd did not start")?;
        let [starttls_port, tls_port, clear_port] = serde_json::from_str(&first)?;
        Ok(Self {
            starttls_port,
            tls_port,
            clear_port,
            pipes: Mutex::new((stdin, lines)),
            _process: process,
        })
    }

    /// Has this go wrong so many times; -1 is for ever.
    pub async fn misbehave(&self, mishap: MailMishap, times: i32) -> Result<()> {
        self.order(&json!({ "mishap": mishap.name(), "times": times }))
            .await
            .map(drop)
    }

    /// Every mail that was taken.
    pub async fn received(&self) -> Result<Vec<Received>> {
        let mails = self.order(&json!({})).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect();
        let received = mails.as_array().into_iter().flatten().map(|mail| Received {
            from: text(&mail["from"]),
            to: list(&mail["to"]),
            encrypted: mail["encrypted"] == true,
            login: mail["login"].as_str().map(str::to_owned),
            text: text(&mail["text"]),
        });
        Ok(received.collect())
    }

    async fn order(&self, order: &Value) -> Result<Value> {
        let mut pipes = self.pipes.lock().await;
        let (stdin, lines) = &mut *pipes;
        stdin.write_all(format!("{order}\n").as_bytes()).await?;
        let line = lines.next_line().await?.context("the server is gone")?;
        Ok(serde_json::from_str(&line)?)
    }
}

/// Where `infra/scripts/setup-test.sh` puts it.
fn package() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let folder = cache.or(home).context("HOME is not set")?;
    let folder = folder.join("compliance").join(PACKAGE);
    if !folder.exists() {
        bail!("{} is missing: ./justw setup-test", folder.display());
    }
    Ok(folder)
}
