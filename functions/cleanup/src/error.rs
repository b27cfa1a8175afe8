//! What can go wrong in a sweep. The next sweep begins afresh, so nothing here is final.

use shared_objects::ObjectsError;
use shared_replicate::ReplicateError;
use shared_runtime::{Classify, Verdict};
use shared_store::StoreError;

/// Why a sweep broke off.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Storage.
    #[error("storage failed")]
    Objects(#[from] ObjectsError),
    /// The provider.
    #[error("the provider failed")]
    Replicate(#[from] ReplicateError),
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Store(error) => error.verdict(),
            Self::Objects(error) if error.is_transient() => Verdict::RETRY,
            Self::Objects(_) | Self::Replicate(ReplicateError::Permanent { .. }) => Verdict::Reject,
            Self::Replicate(_) => Verdict::RETRY,
        }
    }
}
