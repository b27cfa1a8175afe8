//! One prediction as it lies on the disk, and as the API shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// Replicate writes microseconds and `Z`.
const MOMENT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// Where a prediction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    Starting,
    Processing,
    Succeeded,
    Failed,
    Canceled,
    /// The deadline passed in the queue.
    Aborted,
}

impl Phase {
    pub(super) fn is_terminal(self) -> bool {
        !matches!(self, Self::Starting | Self::Processing)
    }
}

/// One prediction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) version: String,
    pub(super) phase: Phase,
    pub(super) input: Map<String, Value>,
    pub(super) output: Value,
    pub(super) error: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) completed_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) deadline: Option<OffsetDateTime>,
    /// Seconds that the model ran.
    pub(super) predict_time: Option<f64>,
    /// Counted before each run: an input that kills the process must not kill it for ever.
    pub(super) starts: u32,
    pub(super) data_removed: bool,
    pub(super) webhook: Option<String>,
    pub(super) events: Vec<String>,
    /// The final webhook has not been acknowledged.
    pub(super) webhook_due: bool,
}

impl Record {
    /// Ends it; the final webhook becomes due.
    pub(super) fn end(&mut self, phase: Phase, now: OffsetDateTime) {
        self.phase = phase;
        self.completed_at = Some(now);
        self.webhook_due = self.wants("completed");
    }

    pub(super) fn wants(&self, event: &str) -> bool {
        self.webhook.is_some() && self.events.iter().any(|wanted| wanted == event)
    }

    /// The prediction object of the API.
    pub(super) fn view(&self, base: &str) -> Value {
        let url = |path: &str| format!("{}/v1/predictions/{}{path}", origin(base), self.id);
        let mut view = json!({
            "id": self.id,
            "model": self.model,
            "version": self.version,
            "status": self.phase,
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "logs": "",
            "data_removed": self.data_removed,
            "source": "api",
            "created_at": moment(self.created_at),
            "started_at": self.started_at.map(moment),
            "completed_at": self.completed_at.map(moment),
            "urls": { "get": url(""), "cancel": url("/cancel"), "web": url("") },
            "metrics": self.metrics(),
        });
        if let Some(deadline) = self.deadline {
            view["deadline"] = moment(deadline).into();
        }
        if let Some(webhook) = &self.webhook {
            view["webhook"] = webhook.as_str().into();
            view["webhook_events_filter"] = self.events.clone().into();
        }
        view
    }

    fn metrics(&self) -> Value {
        let mut metrics = json!({});
        if let Some(seconds) = self.predict_time {
            metrics["predict_time"] = seconds.into();
        }
        if let Some(end) = self.completed_at {
            metrics["total_time"] = (end - self.created_at).as_seconds_f64().max(0.0).into();
        }
        metrics
    }
}

/// The public address without a slash at the end.
pub(super) fn origin(base: &str) -> &str {
    base.trim_end_matches('/')
}

/// A moment as the API writes it.
pub(super) fn moment(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .format(MOMENT)
        .unwrap_or_default()
}
