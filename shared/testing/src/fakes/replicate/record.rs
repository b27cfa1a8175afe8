//! One prediction as the provider keeps it.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::Create;

/// Input and output are removed this long after the end.
const RETENTION: Duration = Duration::HOUR;

/// How a prediction ended.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    Succeeded(Value),
    Failed(String),
    Canceled,
    Aborted,
}

#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) input: Value,
    pub(super) webhook: Option<String>,
    pub(super) cancel_after: Option<String>,
    pub(super) created_at: OffsetDateTime,
    pub(super) running: bool,
    pub(super) predict_seconds: f64,
    pub(super) ended: Option<(OffsetDateTime, Ending)>,
}

impl Record {
    pub(super) fn create(&self) -> Create {
        Create {
            id: self.id.clone(),
            version: self.version.clone(),
            input: self.input.clone(),
            webhook: self.webhook.clone(),
            cancel_after: self.cancel_after.clone(),
        }
    }

    /// A terminal state never goes back.
    pub(super) fn end(&mut self, now: OffsetDateTime, ending: Ending) {
        self.ended.get_or_insert((now, ending));
    }

    /// As `GET /predictions/{id}` shows it at this moment.
    pub(super) fn view(&self, now: OffsetDateTime, with_webhook: bool) -> Value {
        let ended_at = self.ended.as_ref().map(|(at, _)| *at);
        let removed = ended_at.is_some_and(|at| now - at > RETENTION);
        let (status, output, error) = match self.ended.as_ref().map(|(_, ending)| ending) {
            None if self.running => ("processing", &Value::Null, None),
            None => ("starting", &Value::Null, None),
            Some(Ending::Succeeded(output)) => ("succeeded", output, None),
            Some(Ending::Failed(error)) => ("failed", &Value::Null, Some(error)),
            Some(Ending::Canceled) => ("canceled", &Value::Null, None),
            Some(Ending::Aborted) => ("aborted", &Value::Null, None),
        };
        let mut view = json!({
            "id": self.id,
            "model": "local/model",
            "version": self.version,
            "status": status,
            "input": if removed { json!({}) } else { self.input.clone() },
            "output": if removed { &Value::Null } else { output },
            "error": error,
            "logs": "",
            "metrics": {},
            "created_at": moment(self.created_at),
            "completed_at": ended_at.map(moment),
            "data_removed": removed,
            "source": "api",
            "urls": {},
        });
        let started = !matches!(self.ended, Some((_, Ending::Aborted)));
        if ended_at.is_some() && started {
            let time = self.predict_seconds;
            view["metrics"] = json!({ "predict_time": time, "total_time": time + 1.5 });
        }
        if with_webhook {
            view["webhook"] = json!(self.webhook);
        }
        view
    }
}

fn moment(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}
