//! The prediction object, read leniently: webhooks and older records leave fields out, numbers come
//! as integers, errors as anything.

use std::time::Duration;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Where a prediction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Queued or booting.
    Starting,
    /// Running.
    Processing,
    /// Finished with output.
    Succeeded,
    /// Finished with `error`.
    Failed,
    /// Stopped while it ran, or by the user.
    Canceled,
    /// Stopped before it started: the deadline passed in the queue.
    Aborted,
    /// A status that came after this was written; not terminal.
    Unknown(String),
}

impl Status {
    /// Reads the provider's word.
    pub fn parse(text: &str) -> Self {
        match text {
            "starting" => Self::Starting,
            "processing" => Self::Processing,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            "aborted" => Self::Aborted,
            other => Self::Unknown(other.to_owned()),
        }
    }

    /// The provider's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Starting => "starting",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Aborted => "aborted",
            Self::Unknown(other) => other,
        }
    }

    /// Whether nothing more will come.
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Canceled | Self::Aborted
        )
    }
}

/// What a prediction object means for the one who asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<'a> {
    /// Ask again later. An output that is there already is provisional.
    Pending,
    /// The answer.
    Output(&'a Value),
    /// The model or the platform gave up.
    Failed {
        /// The provider's words.
        reason: String,
        /// Whether the same input may pass when it is asked again.
        retry: bool,
    },
    /// Stopped, by us or by the deadline.
    Stopped,
    /// It succeeded but its data is gone: ask anew, never read it as "nothing found".
    Lost,
}

/// One prediction as the provider tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The provider's id, opaque.
    pub id: String,
    /// `owner/name`, empty where it is left out.
    pub model: String,
    /// 64 hex digits, or `hidden`.
    pub version: String,
    /// Where it stands.
    pub status: Status,
    /// Null after removal.
    pub output: Value,
    /// The provider's words on a failure.
    pub error: Option<String>,
    /// An open map of numbers.
    pub metrics: Map<String, Value>,
    /// When it was asked.
    pub created_at: Option<OffsetDateTime>,
    /// When it ended.
    pub completed_at: Option<OffsetDateTime>,
    /// Whether input and output have been removed.
    pub data_removed: bool,
    /// The callback, where it is echoed.
    pub webhook: Option<String>,
    /// The whole object as received, for the audit.
    pub raw: Value,
}

/// The JSON is no prediction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not a prediction: it has no id or no status")]
pub struct NotAPrediction;

/// Failures of the platform that pass by themselves, by the codes in `error`.
const PASSING: [&str; 5] = ["code: PA", "E1000", "E6716", "E9828", "E8765"];

impl Prediction {
    /// Reads an object; only `id` and `status` have to be there.
    pub fn parse(raw: Value) -> Result<Self, NotAPrediction> {
        let text = |name: &str| raw[name].as_str().unwrap_or_default().to_owned();
        let moment = |name: &str| OffsetDateTime::parse(raw[name].as_str()?, &Rfc3339).ok();
        let id = text("id");
        let status = raw["status"]
            .as_str()
            .map(Status::parse)
            .ok_or(NotAPrediction)?;
        if id.is_empty() {
            return Err(NotAPrediction);
        }
        let error = match &raw["error"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Ok(Self {
            id,
            model: text("model"),
            version: text("version"),
            status,
            output: raw["output"].clone(),
            error,
            metrics: raw["metrics"].as_object().cloned().unwrap_or_default(),
            created_at: moment("created_at"),
            completed_at: moment("completed_at"),
            data_removed: raw["data_removed"].as_bool().unwrap_or(false),
            webhook: raw["webhook"].as_str().map(str::to_owned),
            raw,
        })
    }

    /// What it means for the one who asked.
    pub fn outcome(&self) -> Outcome<'_> {
        match self.status {
            Status::Starting | Status::Processing | Status::Unknown(_) => Outcome::Pending,
            Status::Canceled | Status::Aborted => Outcome::Stopped,
            Status::Failed => {
                let reason = self
                    .error
                    .clone()
                    .unwrap_or_else(|| "no reason was given".into());
                let retry = PASSING.iter().any(|code| reason.contains(code));
                Outcome::Failed { reason, retry }
            }
            Status::Succeeded if self.data_removed && self.output.is_null() => Outcome::Lost,
            Status::Succeeded => Outcome::Output(&self.output),
        }
    }

    /// The seconds that are paid for; `total_time` includes the queue and is not.
    pub fn predict_time(&self) -> Option<Duration> {
        let seconds = self.metrics.get("predict_time")?.as_f64()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
