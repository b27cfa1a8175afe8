//! What a provider's answer means for a question.

use serde_json::Value;
use shared_domain::{Detection, Finding};
use shared_replicate::{Outcome, Prediction as Answer, Registry};
use shared_store::{Closing, Prediction, PredictionStatus};

/// How a question ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// An answer that was understood.
    Found(Vec<Finding>, Paid),
    /// An answer that was not understood.
    Undecided(String, Paid),
    /// No answer, but there may be one the next time.
    AskAgain(String),
    /// No answer, and there will be none.
    Failed(String),
}

/// An answer and its price.
#[derive(Debug)]
pub(crate) struct Paid {
    answer: Value,
    predict_seconds: Option<f64>,
    cost_usd: f64,
}

/// `None` while the provider is still at work.
pub(crate) fn ending(
    prediction: &Prediction,
    answer: &Answer,
    registry: &Registry,
) -> Option<Ending> {
    match answer.outcome() {
        Outcome::Pending => None,
        Outcome::Stopped => Some(Ending::AskAgain("the deadline passed".into())),
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
        Outcome::Output(output) => Some(adapted(prediction, answer, output, registry)),
    }
}

fn adapted(
    prediction: &Prediction,
    answer: &Answer,
    output: &Value,
    registry: &Registry,
) -> Ending {
    let Some(model) = registry.find(prediction.task) else {
        return Ending::Failed(format!("no model is configured for {}", prediction.task));
    };
    let time = answer.predict_time();
    let paid = Paid {
        answer: output.clone(),
        predict_seconds: time.map(|time| time.as_secs_f64()),
        cost_usd: time.map_or(0.0, |time| model.cost_usd(time)),
    };
    match model.adapter.adapt(output, &prediction.target) {
        Ok(findings) => Ending::Found(findings, paid),
        Err(error) => Ending::Undecided(error.to_string(), paid),
    }
}

impl Ending {
    /// What is written down.
    pub(crate) fn close(self, prediction: &Prediction) -> (Closing, Vec<Detection>) {
        match self {
            Self::Found(findings, paid) => {
                let place = |finding| prediction.target.place(prediction.task, finding);
                let detections = findings.iter().flat_map(place).collect();
                (paid.closing(PredictionStatus::Succeeded, None), detections)
            }
            Self::Undecided(reason, paid) => (
                paid.closing(PredictionStatus::Undecided, Some(reason)),
                Vec::new(),
            ),
            Self::AskAgain(reason) | Self::Failed(reason) => {
                let error = Some(reason);
                (
                    Closing {
                        error,
                        ..Closing::of(PredictionStatus::Failed)
                    },
                    Vec::new(),
                )
            }
        }
    }
}

impl Paid {
    fn closing(self, status: PredictionStatus, error: Option<String>) -> Closing {
        let Self {
            answer,
            predict_seconds,
            cost_usd,
        } = self;
        Closing {
            status,
            answer: Some(answer),
            predict_seconds,
            cost_usd,
            error,
        }
    }
}
