//! Settings of the way out, under the names that Django gave them.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::client::Certificate;
use secrecy::SecretString;
use shared_domain::Reader;

/// Where mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A mail server.
    Smtp,
    /// `.eml` files.
    Files,
    /// Standard error, for development.
    Terminal,
}

/// How a connection is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Begins in clear and must become TLS before anything is said (`EMAIL_USE_TLS`).
    StartTls,
    /// TLS from the first byte (`EMAIL_USE_SSL`).
    Tls,
    /// None: to this machine only, or where `DEBUG` says that nothing is real.
    Clear,
}

/// The settings of mail.
#[derive(Clone)]
pub struct PostConfig {
    /// `EMAIL_BACKEND`; without it a server where `EMAIL_HOST` is set, otherwise files.
    pub backend: Backend,
    /// `EMAIL_HOST`.
    pub host: String,
    /// `EMAIL_PORT`.
    pub port: u16,
    /// `EMAIL_USE_TLS`, `EMAIL_USE_SSL`.
    pub security: Security,
    /// `EMAIL_HOST_USER` and `EMAIL_HOST_PASSWORD`.
    pub login: Option<(String, SecretString)>,
    /// `EMAIL_CA_FILE`: authorities to trust besides the public ones.
    pub authorities: Vec<Certificate>,
    /// `EMAIL_TIMEOUT`: for getting as far as the mail itself, and for the mail itself.
    pub timeout: Duration,
    /// `DEFAULT_FROM_EMAIL`.
    pub from: Option<Mailbox>,
    /// `DATA_DIR/mail`, for files.
    pub folder: PathBuf,
}

impl std::fmt::Debug for PostConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostConfig")
            .field("backend", &self.backend)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

/// Port of TLS from the first byte.
const TLS_PORT: u16 = 465;
/// Port of submission, which begins in clear.
const SUBMISSION_PORT: u16 = 587;

impl PostConfig {
    /// Reads the settings.
    pub fn read(reader: &Reader<'_>) -> Self {
        let host = reader.find("EMAIL_HOST");
        let backend = backend(reader, host.is_some());
        let host = match (backend, host) {
            (Backend::Smtp, None) => {
                reader.problem(
                    "EMAIL_HOST",
                    "is not set, and EMAIL_BACKEND asks for a server",
                );
                String::new()
            }
            (_, host) => host.unwrap_or_default(),
        };
        let (security, port) = security(reader);
        let login = login(reader);
        if backend == Backend::Smtp && security == Security::Clear {
            clear_text(reader, &host, login.is_some());
        }
        Self {
            backend,
            host,
            port,
            security,
            login,
            authorities: authorities(reader),
            timeout: Duration::from_secs(reader.parse_or("EMAIL_TIMEOUT", 20_u64).max(1)),
            from: sender(reader),
            folder: PathBuf::from(reader.text_or("DATA_DIR", "./data")).join("mail"),
        }
    }
}

fn backend(reader: &Reader<'_>, host: bool) -> Backend {
    let name = reader.text_or("EMAIL_BACKEND", "");
    let short = name.strip_prefix("django.core.mail.backends.");
    match short.unwrap_or(&name) {
        "" if host => Backend::Smtp,
        "" | "filebased.EmailBackend" => Backend::Files,
        "smtp.EmailBackend" => Backend::Smtp,
        "console.EmailBackend" => Backend::Terminal,
        _ => {
            reader.problem(
                "EMAIL_BACKEND",
                "is none of django.core.mail.backends.smtp.EmailBackend, \
                 …console.EmailBackend and …filebased.EmailBackend",
            );
            Backend::Files
        }
    }
}

/// What is not said follows from the port, and the port from what is said.
fn security(reader: &Reader<'_>) -> (Security, u16) {
    let port = reader
        .find("EMAIL_PORT")
        .map(|_| reader.parse_or("EMAIL_PORT", 0_u16));
    let from_first_byte = reader.flag("EMAIL_USE_SSL", port == Some(TLS_PORT));
    let starttls = reader.flag("EMAIL_USE_TLS", !from_first_byte);
    let says = |name| reader.find(name).is_some();
    match (starttls, from_first_byte) {
        (true, true) if says("EMAIL_USE_SSL") => reader.problem(
            "EMAIL_USE_SSL",
            "excludes EMAIL_USE_TLS: one is TLS from the first byte (port 465), the other STARTTLS \
             (port 587)",
        ),
        (true, true) => reader.problem(
            "EMAIL_USE_TLS",
            "does not go with port 465, which is TLS from the first byte: set EMAIL_USE_SSL=true \
             instead",
        ),
        _ => {}
    }
    match (from_first_byte, starttls) {
        (true, _) => (Security::Tls, port.unwrap_or(TLS_PORT)),
        (_, true) => (Security::StartTls, port.unwrap_or(SUBMISSION_PORT)),
        _ => (Security::Clear, port.unwrap_or(25)),
    }
}

/// Nobody reads along on the way to this machine; elsewhere `DEBUG` must say that it does not matter,
/// and a password matters always.
fn clear_text(reader: &Reader<'_>, host: &str, login: bool) {
    let loopback = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|ip: IpAddr| ip.is_loopback());
    if !loopback && (login || !reader.flag("DEBUG", false)) {
        reader.problem(
            "EMAIL_USE_TLS",
            "is off, and EMAIL_HOST is another machine: mail would go there in clear text. Set \
             EMAIL_USE_TLS=true (STARTTLS, port 587) or EMAIL_USE_SSL=true (port 465)",
        );
    }
}

fn login(reader: &Reader<'_>) -> Option<(String, SecretString)> {
    let user = reader.find("EMAIL_HOST_USER");
    let password = reader.find_secret("EMAIL_HOST_PASSWORD");
    match (user, password) {
        (Some(user), Some(password)) => return Some((user, password)),
        (Some(_), None) => {
            reader.problem("EMAIL_HOST_PASSWORD", "is not set, and EMAIL_HOST_USER is");
        }
        (None, Some(_)) => {
            reader.problem("EMAIL_HOST_USER", "is not set, and EMAIL_HOST_PASSWORD is");
        }
        (None, None) => {}
    }
    None
}

fn authorities(reader: &Reader<'_>) -> Vec<Certificate> {
    let Some(pem) = reader.find_pem("EMAIL_CA_FILE") else {
        return Vec::new();
    };
    match Certificate::from_pem(&pem) {
        Ok(certificate) => vec![certificate],
        Err(_) => {
            reader.problem("EMAIL_CA_FILE", "holds no PEM certificate");
            Vec::new()
        }
    }
}

/// `DEFAULT_FROM_EMAIL`, an address with or without a name.
fn sender(reader: &Reader<'_>) -> Option<Mailbox> {
    let text = reader.text_or(
        "DEFAULT_FROM_EMAIL",
        "AI Compliance Agent <noreply@localhost>",
    );
    let parsed = text.parse();
    if let Err(error) = &parsed {
        reader.problem("DEFAULT_FROM_EMAIL", &format!("{error}"));
    }
    parsed.ok()
}
