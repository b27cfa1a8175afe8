//! What went wrong with a call, sorted by what the caller has to do about it.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use shared_domain::PauseReason;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The pause after a throttle that names none: everybody has to slow down all the same.
const UNSAID: Duration = Duration::from_secs(10);

/// One field that the provider refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidField {
    /// `input.seed`.
    pub field: String,
    /// In the provider's words.
    pub description: String,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReplicateError {
    /// It passes by itself: try again.
    #[error("Replicate does not answer now: {detail}")]
    Transient {
        /// The pause that was asked for.
        retry_after: Option<Duration>,
        /// In the provider's words.
        detail: String,
    },
    /// A create was sent and no answer came: it may exist. Look for it before asking again.
    #[error("Replicate may or may not have accepted the prediction: {detail}")]
    Ambiguous {
        /// What was seen of it.
        detail: String,
    },
    /// Token, money or model settings: pause the lane and tell an administrator; no attempt is burnt.
    #[error("Replicate refuses the account ({status}): {detail}")]
    Operator {
        /// HTTP status.
        status: u16,
        /// In the provider's words.
        detail: String,
        /// The pause that was asked for, when credit is low.
        retry_after: Option<Duration>,
    },
    /// The same call fails again.
    #[error("Replicate refuses the request ({status}): {detail}")]
    Permanent {
        /// HTTP status; 0 when the answer itself could not be used.
        status: u16,
        /// In the provider's words.
        detail: String,
        /// The fields at fault.
        fields: Vec<InvalidField>,
    },
    /// The provider does not know it, or not any more.
    #[error("Replicate does not have it any more: {detail}")]
    Lost {
        /// In the provider's words.
        detail: String,
    },
    /// The base URL is none.
    #[error("{0:?} is not an http or https URL")]
    Address(String),
    /// No HTTP client could be built on this machine.
    #[error("no HTTP client can be built")]
    Client(#[source] reqwest::Error),
}

/// What kind of call failed: a lost create is worse than a lost read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Create,
    /// A read, or a write that may be repeated.
    Repeatable,
}

impl ReplicateError {
    /// Sorts an HTTP answer that is no success.
    pub(crate) fn of_answer(
        call: Call,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Self {
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        let detail = describe(status, &problem, body);
        let retry_after = || pause(&problem, headers, &detail);
        let code = status.as_u16();
        let no_such_version = call == Call::Create && is_about_version(code, &problem);
        match code {
            401..=403 => Self::Operator {
                status: code,
                retry_after: retry_after(),
                detail,
            },
            // The settings name a model that is not there: no later attempt changes that.
            _ if no_such_version => Self::Operator {
                status: code,
                retry_after: None,
                detail,
            },
            429 if is_about_money(&detail) => Self::Operator {
                status: code,
                retry_after: retry_after(),
                detail,
            },
            // The provider may have stored the prediction before it stumbled.
            500..=599 if call == Call::Create => Self::Ambiguous { detail },
            429 => Self::Transient {
                retry_after: retry_after().or(Some(UNSAID)),
                detail,
            },
            408 | 425 | 500..=599 => Self::Transient {
                retry_after: retry_after(),
                detail,
            },
            404 | 410 if call == Call::Repeatable => Self::Lost { detail },
            _ => Self::Permanent {
                status: code,
                fields: fields(&problem),
                detail,
            },
        }
    }

    /// Sorts a failure below HTTP.
    pub(crate) fn of_transport(call: Call, error: &reqwest::Error) -> Self {
        // The URL may be signed, and the chain of causes is short enough to tell.
        let detail = causes(error);
        // Nothing was sent when the connection was never made.
        if call == Call::Create && !error.is_connect() && !error.is_builder() {
            Self::Ambiguous { detail }
        } else {
            Self::Transient {
                retry_after: None,
                detail,
            }
        }
    }

    /// Whether the model alone is at fault, so that questions to other models may fare better.
    pub fn is_about_model(&self) -> bool {
        matches!(
            self,
            Self::Operator {
                status: 404 | 422,
                ..
            }
        )
    }

    /// Why nothing more should be put (to the model, where that `is_about_model`) before a person has
    /// mended it.
    pub fn pause(&self) -> Option<PauseReason> {
        match self {
            Self::Operator { status: 402, .. } => Some(PauseReason::NoCredit),
            Self::Operator { status: 429, .. } => Some(PauseReason::LowCredit),
            Self::Operator {
                status: 401 | 403 | 404 | 422,
                ..
            } => Some(PauseReason::Refused),
            Self::Operator { .. }
            | Self::Transient { .. }
            | Self::Ambiguous { .. }
            | Self::Permanent { .. }
            | Self::Lost { .. }
            | Self::Address(_)
            | Self::Client(_) => None,
        }
    }

    /// The pause that the provider asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transient { retry_after, .. } | Self::Operator { retry_after, .. } => {
                *retry_after
            }
            Self::Ambiguous { .. }
            | Self::Permanent { .. }
            | Self::Lost { .. }
            | Self::Address(_)
            | Self::Client(_) => None,
        }
    }
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "the connection broke".to_owned()
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn describe(status: StatusCode, problem: &Value, body: &[u8]) -> String {
    let said = ["detail", "title"]
        .iter()
        .find_map(|name| problem[*name].as_str());
    let text = said.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    let short: String = text.trim().chars().take(500).collect();
    if short.is_empty() {
        status.to_string()
    } else {
        short
    }
}

fn fields(problem: &Value) -> Vec<InvalidField> {
    let list = problem["invalid_fields"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let text = |field: &Value, name: &str| field[name].as_str().unwrap_or_default().to_owned();
    list.iter()
        .take(20)
        .map(|f| InvalidField {
            field: text(f, "field"),
            description: text(f, "description"),
        })
        .collect()
}

fn is_about_version(status: u16, problem: &Value) -> bool {
    let title = problem["title"].as_str().unwrap_or_default();
    status == 404 || (status == 422 && title.starts_with("Invalid version"))
}

fn is_about_money(detail: &str) -> bool {
    let detail = detail.to_lowercase();
    ["credit", "payment method", "billing"]
        .iter()
        .any(|word| detail.contains(word))
}

/// JSON `retry_after`, then the header as seconds or date, then `~30s` in the text.
fn pause(problem: &Value, headers: &HeaderMap, detail: &str) -> Option<Duration> {
    let header = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    // A date is measured by the sender's own clock, whatever ours says.
    let date = |name| OffsetDateTime::parse(header(name)?, &Rfc2822).ok();
    let until = || Some((date(RETRY_AFTER)? - date(DATE)?).as_seconds_f64());
    let seconds = problem["retry_after"]
        .as_f64()
        .or_else(|| header(RETRY_AFTER)?.parse().ok())
        .or_else(until)
        .or_else(|| in_words(detail))?;
    // Obeyed, but capped: a wrong number must not stop the lane for a day.
    Duration::try_from_secs_f64(seconds.clamp(0.0, 600.0)).ok()
}

fn in_words(detail: &str) -> Option<f64> {
    let (_, rest) = detail.split_once('~')?;
    let (number, _) = rest.split_once('s')?;
    number.trim().parse().ok()
}
