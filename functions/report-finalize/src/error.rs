//! What can go wrong between the evidence and the report.

use shared_domain::IllegalMove;
use shared_objects::ObjectsError;
use shared_policy::DictionaryError;
use shared_runtime::{Classify, Verdict};
use shared_store::StoreError;
use time::Date;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The video is at another step.
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Storage.
    #[error("storage failed")]
    Objects(#[from] ObjectsError),
    /// No version of the video's pack is in force.
    #[error(
        "no version of the policy pack {id:?} is in force on {day}: add one or choose another pack"
    )]
    NoPack {
        /// Which pack.
        id: String,
        /// The day of the run.
        day: Date,
    },
    /// The project's lists of words were found good once and are not any more.
    #[error("the words of the project are refused")]
    Words(#[from] DictionaryError),
    /// The report or its page cannot be written.
    #[error("the report cannot be written")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::IllegalMove(_) | Self::NoPack { .. } | Self::Words(_) | Self::Write(_) => {
                Verdict::Reject
            }
            Self::Store(error) => error.verdict(),
            Self::Objects(error) if error.is_transient() => Verdict::RETRY,
            Self::Objects(_) => Verdict::Reject,
        }
    }
}
