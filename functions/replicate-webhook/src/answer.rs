//! What a provider's answer means for a question.

use serde_json::Value;
use shared_domain::{Detection, Finding};
use shared_replicate::{Outcome, Prediction as Answer, Registry, Status};
use shared_store::{Closing, Prediction, PredictionStatus};

/// Nobody answered in time: a known reason of gaps.
const NO_ANSWER: &str = "no_answer";

/// How a question ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// An answer that was understood.
    Found(Vec<Finding>, Value),
    /// An answer that was not understood.
    Undecided(String, Value),
    /// No answer, but there may be one the next time.
    AskAgain(String),
    /// No answer, and there will be none.
    Failed(String),
}

/// What a try took, whatever came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) predict_seconds: Option<f64>,
    pub(crate) usd: f64,
}

impl Cost {
    /// Time on the model counts even when it ended without an answer; what never started is free.
    pub(crate) fn of(prediction: &Prediction, answer: &Answer, registry: &Registry) -> Self {
        let time = answer
            .predict_time()
            .filter(|_| answer.status != Status::Aborted);
        let model = registry.find(prediction.task);
        Self {
            predict_seconds: time.map(|time| time.as_secs_f64()),
            usd: model
                .zip(time)
                .map_or(0.0, |(model, time)| model.cost_usd(time)),
        }
    }
}

/// `None` while the provider is still at work.
pub(crate) fn ending(
    prediction: &Prediction,
    answer: &Answer,
    registry: &Registry,
) -> Option<Ending> {
    match answer.outcome() {
        Outcome::Pending => None,
        // It never started: the next try may.
        Outcome::Stopped if answer.status == Status::Aborted => {
            Some(Ending::AskAgain(NO_ANSWER.into()))
        }
        // It ran until the deadline and was paid for.
        Outcome::Stopped => Some(Ending::Failed(NO_ANSWER.into())),
        // Removed after the provider's hour: the answer is lost, not clean.
        Outcome::Lost => Some(Ending::AskAgain(
            "the provider no longer has the answer".into(),
        )),
        Outcome::Failed {
            reason,
            retry: true,
        } => Some(Ending::AskAgain(reason)),
        Outcome::Failed {
            reason,
            retry: false,
        } => Some(Ending::Failed(reason)),
        Outcome::Output(output) => Some(adapted(prediction, output, registry)),
    }
}

fn adapted(prediction: &Prediction, output: &Value, registry: &Registry) -> Ending {
    let Some(model) = registry.find(prediction.task) else {
        return Ending::Failed(format!("no model is configured for {}", prediction.task));
    };
    match model.findings(output, &prediction.target) {
        Ok(findings) => Ending::Found(findings, output.clone()),
        Err(error) => Ending::Undecided(error.to_string(), output.clone()),
    }
}

impl Ending {
    /// What is written down.
    pub(crate) fn close(self, prediction: &Prediction, cost: Cost) -> (Closing, Vec<Detection>) {
        let closing = |status, answer, error| Closing {
            status,
            answer,
            predict_seconds: cost.predict_seconds,
            cost_usd: cost.usd,
            error,
        };
        match self {
            Self::Found(findings, answer) => {
                let place = |finding| prediction.target.place(prediction.task, finding);
                let detections = findings.iter().flat_map(place).collect();
                let closing = closing(PredictionStatus::Succeeded, Some(answer), None);
                (closing, detections)
            }
            Self::Undecided(reason, answer) => {
                let status = PredictionStatus::Undecided;
                (closing(status, Some(answer), Some(reason)), Vec::new())
            }
            Self::AskAgain(reason) | Self::Failed(reason) => {
                let status = PredictionStatus::Failed;
                (closing(status, None, Some(reason)), Vec::new())
            }
        }
    }
}
