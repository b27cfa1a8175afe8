//! What can go wrong with the transport, told apart by who has to do something about it.

use redis::{ErrorKind, RedisError};

/// Why Redis could not be asked. Nothing is lost by it: the table goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A wrong setting: no waiting helps.
    #[error(
        "{place} refuses the user name, the password or the database number: mend REDIS_URL ({reason})"
    )]
    Refused {
        /// Which server.
        place: String,
        /// In its own words.
        reason: String,
    },
    /// TLS cannot be had, or the certificate is not to be trusted.
    #[error(
        "{place} offers no TLS that can be trusted: see REDIS_URL and REDIS_CA_FILE ({reason})"
    )]
    Untrusted {
        /// Which server.
        place: String,
        /// In the library's words.
        reason: String,
    },
    /// Nobody there, or nobody who answers in time.
    #[error("{place} is unreachable ({reason})")]
    Unreachable {
        /// Which server.
        place: String,
        /// In the system's words.
        reason: String,
    },
    /// It answers, and will not do it now: loading, full, a replica since a failover, without its own
    /// master.
    #[error("{place} cannot do its work ({reason})")]
    Failing {
        /// Which server.
        place: String,
        /// In its own words.
        reason: String,
    },
    /// It failed a moment ago and is not asked again yet.
    #[error("{place} is away")]
    Away {
        /// Which server.
        place: String,
    },
    /// It knows nothing of the stream or of its group: emptied, or started without its data.
    #[error("{place} has forgotten the stream")]
    Forgotten {
        /// Which server.
        place: String,
    },
    /// Another process has made the group in the same moment.
    #[error("{place} has the group already")]
    Exists {
        /// Which server.
        place: String,
    },
}

impl Fault {
    pub(crate) fn of(place: &str, error: &RedisError) -> Self {
        let (place, reason) = (place.to_owned(), error.to_string());
        // Of several answers at once the library keeps the words, not the codes.
        let says = |codes: &[&str]| codes.iter().any(|code| reason.contains(code));
        // The end of a stream is told to a blocked reader in words; a new role of the server, too.
        if says(&["NOGROUP", "no longer exists"]) {
            return Self::Forgotten { place };
        }
        if says(&["BUSYGROUP"]) {
            return Self::Exists { place };
        }
        // To more than a short question a stranger is told of a protocol error.
        let wrong = [
            "NOAUTH",
            "unauthenticated",
            "WRONGPASS",
            "NOPERM",
            "refused to switch database",
        ];
        match error.kind() {
            ErrorKind::AuthenticationFailed => Self::Refused { place, reason },
            ErrorKind::Server(_) | ErrorKind::Extension if says(&wrong) => {
                Self::Refused { place, reason }
            }
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Failing { place, reason },
            _ if speaks_of_tls(&reason) => Self::Untrusted { place, reason },
            _ => Self::Unreachable { place, reason },
        }
    }

    /// Whether it stays until somebody mends a setting; everything else passes by itself, or is made
    /// good by the next relay.
    pub fn needs_a_person(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Untrusted { .. } => true,
            Self::Unreachable { .. }
            | Self::Failing { .. }
            | Self::Away { .. }
            | Self::Forgotten { .. }
            | Self::Exists { .. } => false,
        }
    }

    pub(crate) fn silent(place: &str) -> Self {
        Self::Unreachable {
            place: place.to_owned(),
            reason: "no answer in time".to_owned(),
        }
    }
}

/// The library hands the errors of rustls on as errors of the connection.
fn speaks_of_tls(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["certificate", "tls", "handshake", "corrupt message"]
        .iter()
        .any(|word| reason.contains(word))
}
