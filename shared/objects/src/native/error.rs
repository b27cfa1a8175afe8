//! Why the native API did not do what it was asked, told apart by who has to act.

use reqwest::StatusCode;
use serde_json::Value;

/// B2's own words are cut off here.
const WORDS: usize = 300;

/// A failed call of the native API. No text holds a key or a token.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// Nobody answers.
    #[error("B2 cannot be reached: {0}")]
    Unreachable(String),
    /// It answers, and will do it later.
    #[error("B2 does not answer now (status {0})")]
    Busy(u16),
    /// Key id and key do not belong together, or the key is gone.
    #[error("B2 does not know this application key")]
    BadKey,
    /// The key may not do this.
    #[error("the application key lacks the capability {0}")]
    Lacks(&'static str),
    /// A spending cap of the account is reached.
    #[error("a spending cap of the B2 account is reached ({0})")]
    Cap(String),
    /// Somebody else has changed the bucket since it was read.
    #[error("the bucket was changed by somebody else meanwhile")]
    Conflict,
    /// The token has run out, and so has the one after it.
    #[error("B2 does not take the token that it has just given out")]
    Expired,
    /// It will never do this.
    #[error("B2 refuses {call} ({status} {code}): {message}")]
    Refused {
        /// Which call.
        call: &'static str,
        /// HTTP status.
        status: u16,
        /// B2's code.
        code: String,
        /// In B2's words.
        message: String,
    },
    /// The answer is not what this API answers.
    #[error("the answer to {0} cannot be used")]
    Answer(&'static str),
    /// The address is none, or a token would leave the machine without TLS.
    #[error("the address of B2's native API is not https")]
    Address,
    /// No HTTP client could be built on this machine.
    #[error("no HTTP client can be built")]
    Client(#[source] reqwest::Error),
}

impl NativeError {
    /// Sorts an answer that is no success.
    pub(super) fn of_answer(call: &'static str, status: StatusCode, body: &[u8]) -> Self {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
        let (status, code) = (status.as_u16(), text("code"));
        match (status, code.as_str()) {
            (401, "expired_auth_token" | "bad_auth_token") => Self::Expired,
            (403, cap) if cap.ends_with("cap_exceeded") => Self::Cap(code),
            (409, _) => Self::Conflict,
            (408 | 429 | 500..=599, _) => Self::Busy(status),
            _ => Self::Refused {
                call,
                status,
                code,
                message: text("message").chars().take(WORDS).collect(),
            },
        }
    }

    /// Sorts a failure below HTTP.
    pub(super) fn of_transport(error: &reqwest::Error) -> Self {
        let mut text = match error.is_timeout() {
            true => "no answer in time".to_owned(),
            false => "no connection".to_owned(),
        };
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::Unreachable(text)
    }

    /// Whether nothing is wrong but the moment.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Busy(_) | Self::Conflict | Self::Answer(_)
        )
    }

    /// Whether event notifications have to be enabled for the account first. B2 documents no code for it:
    /// its words have to do.
    pub fn is_not_enabled(&self) -> bool {
        match self {
            Self::Refused { message, .. } => {
                let message = message.to_lowercase();
                message.contains("notification") && message.contains("enabled")
            }
            _ => false,
        }
    }
}
