//! What can go wrong with an answer.

use http::StatusCode;
use shared_domain::{Lang, PredictionId};
use shared_replicate::signature::SignatureError;
use shared_replicate::{NotAPrediction, ReplicateError};
use shared_runtime::{Classify, Problem, Verdict};
use shared_store::StoreError;

/// Why an answer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The signature is missing, old or wrong.
    #[error("the webhook is not signed by our provider")]
    Forged(#[from] SignatureError),
    /// The body is no JSON.
    #[error("the body is no JSON")]
    Json(#[from] serde_json::Error),
    /// The body is no prediction.
    #[error("the body is no prediction")]
    Body(#[from] NotAPrediction),
    /// The body is about another prediction than the URL.
    #[error("the webhook for {0} carries another prediction")]
    Mismatch(PredictionId),
    /// A file of the provider could not be fetched now.
    #[error("the output could not be fetched")]
    Output(#[from] ReplicateError),
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Forged(_) | Self::Json(_) | Self::Body(_) | Self::Mismatch(_) => Verdict::Reject,
            Self::Output(_) => Verdict::RETRY,
            Self::Store(error) => error.verdict(),
        }
    }

    fn problem(&self, lang: Lang) -> Problem {
        match self {
            Self::Forged(_) => {
                let text = lang.pick("Подпись неверна.", "The signature is wrong.");
                Problem::new(StatusCode::UNAUTHORIZED, "forged", text)
            }
            Self::Json(_)
            | Self::Body(_)
            | Self::Mismatch(_)
            | Self::Output(_)
            | Self::Store(_) => Problem::of_verdict(self.verdict(), lang),
        }
    }
}
