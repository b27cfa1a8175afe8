//! Why a mail did not go out, told apart by what is done about it.

use std::error::Error as _;
use std::io;

use lettre::transport::smtp::Error as SmtpError;
use shared_runtime::Verdict;
use std::time::Duration;

/// What stands between a mail and its reader. No text holds a password or an address.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Nobody answers, or the connection broke before the mail was handed over.
    #[error(
        "the mail server {0} cannot be reached ({1}): check EMAIL_HOST and EMAIL_PORT, and that this \
         machine may connect there (many hosts block port 25)"
    )]
    Unreachable(String, String),
    /// It took longer than `EMAIL_TIMEOUT` before the mail was handed over.
    #[error("the mail server {0} took longer than EMAIL_TIMEOUT ({s} s) to answer", s = .1.as_secs())]
    Slow(String, Duration),
    /// The server's certificate or its TLS cannot be trusted.
    #[error(
        "TLS with the mail server {0} failed ({1}): EMAIL_HOST must be the name in its certificate, \
         and the authority must be public or in EMAIL_CA_FILE"
    )]
    Tls(String, String),
    /// The server, or somebody in between, offers no STARTTLS: nothing is sent in clear text.
    #[error(
        "the mail server {0} offers no STARTTLS, and nothing is sent in clear text: use its TLS port \
         (EMAIL_USE_SSL=true, 465), and ask who strips STARTTLS on the way"
    )]
    NoStartTls(String),
    /// User or password are wrong.
    #[error(
        "the mail server refuses the login ({0}): correct EMAIL_HOST_USER and EMAIL_HOST_PASSWORD \
         (Gmail wants an app password, SendGrid the user `apikey`, SES its SMTP credentials)"
    )]
    Credentials(String),
    /// The server offers no way of logging in that can be spoken.
    #[error("the mail server {0} offers no login: unset EMAIL_HOST_USER and EMAIL_HOST_PASSWORD")]
    NoLogin(String),
    /// The server serves nobody, or not us, whatever the mail.
    #[error("the mail server turns us away ({0})")]
    Unwilling(String),
    /// The server wants the mail later: greylisting, a full mailbox, too many at once.
    #[error("the mail server wants the mail later ({0})")]
    Later(String),
    /// The server will never take this mail.
    #[error("the mail server refuses the mail ({0})")]
    Refused(String),
    /// The mail was handed over and the answer did not come: perhaps sent.
    #[error("the mail server fell silent after the mail was handed over ({0}): perhaps sent")]
    Unclear(String),
    /// The address needs something that the server lacks.
    #[error("the mail server cannot deliver to such an address: it lacks SMTPUTF8")]
    Address,
    /// A file cannot be written.
    #[error("the mail cannot be written")]
    File(#[from] io::Error),
}

/// An operator has to do something first; asking every second helps nobody and may lock an account.
const FOR_AN_OPERATOR: Duration = Duration::from_mins(5);

impl Fault {
    /// What becomes of the event.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Unreachable(..) | Self::Slow(..) | Self::Later(_) | Self::File(_) => {
                Verdict::RETRY
            }
            Self::Unclear(_) => Verdict::RETRY,
            Self::Tls(..)
            | Self::NoStartTls(_)
            | Self::Credentials(_)
            | Self::NoLogin(_)
            | Self::Unwilling(_) => Verdict::Retry {
                after: Some(FOR_AN_OPERATOR),
            },
            Self::Refused(_) | Self::Address => Verdict::Reject,
        }
    }

    /// The connection, or TLS on it, did not come about.
    pub(super) fn of_connecting(server: &str, error: &SmtpError) -> Self {
        let text = chain(error);
        match (error.status(), handshake_failed(error)) {
            (Some(_), _) => Self::of_door(error),
            (None, true) => Self::Tls(server.to_owned(), text),
            (None, false) => Self::Unreachable(server.to_owned(), text),
        }
    }

    /// The server refused before the mail was named: its own affair, or ours with it.
    pub(super) fn of_door(error: &SmtpError) -> Self {
        match error.is_permanent() {
            true => Self::Unwilling(answer(error)),
            false => Self::Later(answer(error)),
        }
    }

    /// The login failed.
    pub(super) fn of_login(server: &str, error: &SmtpError) -> Self {
        match error.status() {
            Some(_) if error.is_permanent() => Self::Credentials(answer(error)),
            Some(_) => Self::Later(answer(error)),
            None if error.is_client() => Self::NoLogin(server.to_owned()),
            None => Self::Unreachable(server.to_owned(), chain(error)),
        }
    }

    /// The server refused the sender, the reader or the mail.
    pub(super) fn of_mail(server: &str, error: &SmtpError) -> Self {
        let wants_login = |code: u16| matches!(code, 530 | 534 | 535 | 538);
        match error.status() {
            Some(code) if wants_login(code.into()) => Self::Credentials(answer(error)),
            Some(_) if error.is_permanent() => Self::Refused(answer(error)),
            Some(_) => Self::Later(answer(error)),
            None => Self::Unreachable(server.to_owned(), chain(error)),
        }
    }

    /// Nothing but an answer tells what became of a mail that was handed over.
    pub(super) fn of_handover(error: &SmtpError) -> Self {
        match error.status() {
            Some(_) if error.is_permanent() => Self::Refused(answer(error)),
            Some(_) => Self::Later(answer(error)),
            None => Self::Unclear(chain(error)),
        }
    }
}

/// A failed handshake comes as unreadable input.
fn handshake_failed(error: &SmtpError) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::InvalidData) {
            return true;
        }
        cause = error.source();
    }
    error.is_tls()
}

/// Code and words of the server, without addresses: they end in logs.
fn answer(error: &SmtpError) -> String {
    let code = error.status().map(|code| code.to_string());
    let words = error.source().map(ToString::to_string);
    without_addresses(&format!(
        "{} {}",
        code.unwrap_or_default(),
        words.unwrap_or_default()
    ))
}

fn chain(error: &SmtpError) -> String {
    without_addresses(&error.to_string())
}

/// One line in which whatever looks like an address is left out.
pub(super) fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace();
    let safe = words.map(|word| if word.contains('@') { "…" } else { word });
    safe.collect::<Vec<_>>().join(" ")
}
