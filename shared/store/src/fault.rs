//! Why a server cannot be reached, told apart by what a person does about it.

use std::fmt::{self, Display};
use std::io;

use sqlx::error::DatabaseError;

/// What stands between this process and PostgreSQL. Its text says what to do and holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody answers at this address.
    Unreachable,
    /// It is there, but not now: starting, stopping, or out of connections.
    Busy,
    /// User or password are wrong.
    Credentials,
    /// The server has no such database.
    NoDatabase,
    /// The server wants TLS, the address does not.
    WantsTls,
    /// The address wants TLS, the server has none.
    HasNoTls,
    /// The certificate is signed by somebody unknown.
    UnknownAuthority,
    /// The certificate is another host's.
    WrongName,
    /// TLS failed otherwise: an expired certificate, an unreadable CA file.
    Tls,
    /// Something else; the cause says what.
    Other,
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => {
                "nobody answers there: check host and port in DATABASE_URL, that the server runs, and \
                 that its firewall lets this machine in"
            }
            Self::Busy => {
                "the server is starting, stopping or out of connections: try again in a moment, or \
                 lower DATABASE_MAX_CONNECTIONS"
            }
            Self::Credentials => {
                "user or password are wrong: correct them in DATABASE_URL (special characters are \
                 percent-encoded there)"
            }
            Self::NoDatabase => {
                "the server has no such database: create it, or correct its name in DATABASE_URL"
            }
            Self::WantsTls => "the server wants TLS: add ?sslmode=require to DATABASE_URL",
            Self::HasNoTls => {
                "sslmode in DATABASE_URL asks for TLS, which the server does not speak: switch it on \
                 there"
            }
            Self::UnknownAuthority => {
                "the server's certificate is signed by an unknown authority: set DATABASE_CA_CERT (or \
                 sslrootcert in DATABASE_URL) to the CA certificate of the provider"
            }
            Self::WrongName => {
                "the server's certificate is made out for another host: put the name that is in the \
                 certificate into DATABASE_URL"
            }
            Self::Tls => {
                "TLS failed: check the server's certificate and the file that DATABASE_CA_CERT or \
                 sslrootcert names"
            }
            Self::Other => "the server refused the connection",
        })
    }
}

/// Whether the server ended the connection before its first word, as one does that is stopped at that
/// moment. The driver takes the byte that did not come for a 0.
pub(crate) fn hung_up(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Protocol(text) if text.contains("from SSLRequest: 0x00"))
}

impl Fault {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => Self::of_answer(error.as_ref()),
            sqlx::Error::Tls(error) => Self::of_tls(&error.to_string()),
            // a handshake that fails over a certificate comes as unreadable input
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Self::of_tls(&error.to_string())
            }
            sqlx::Error::Io(_) => Self::Unreachable,
            error if hung_up(error) => Self::Unreachable,
            _ => Self::Other,
        }
    }

    fn of_tls(text: &str) -> Self {
        if text.contains("does not support TLS") {
            Self::HasNoTls
        } else if text.contains("UnknownIssuer") {
            Self::UnknownAuthority
        } else if text.contains("not valid for") || text.contains("NotValidForName") {
            Self::WrongName
        } else {
            Self::Tls
        }
    }

    /// By `SQLSTATE`; a pooler says everything under the one of a protocol violation.
    fn of_answer(error: &dyn DatabaseError) -> Self {
        let (code, text) = (error.code().unwrap_or_default(), error.message());
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match code.as_ref() {
            "28000" | "08P01" if says(&["no encryption", "SSL off", "SSL required"]) => {
                Self::WantsTls
            }
            "28P01" | "28000" => Self::Credentials,
            "3D000" => Self::NoDatabase,
            "57P01" | "57P02" | "57P03" | "53300" => Self::Busy,
            "08P01" if says(&["no such database", "does not exist"]) => Self::NoDatabase,
            "08P01" if says(&["authentication failed", "no such user", "auth failed"]) => {
                Self::Credentials
            }
            "08P01" if says(&["server login", "no more connections"]) => Self::Busy,
            _ => Self::Other,
        }
    }

    /// Whether waiting may help.
    pub(crate) fn may_pass(self) -> bool {
        matches!(self, Self::Unreachable | Self::Busy)
    }
}
