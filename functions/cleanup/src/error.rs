//! What can go wrong in a sweep. The next sweep begins afresh, so nothing here is final.

use shared_objects::ObjectsError;
use shared_objects::purge::PurgeError;
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
    /// The cache before it.
    #[error("the cache could not be told")]
    Purge(#[from] PurgeError),
    /// The provider.
    #[error("the provider failed")]
    Replicate(#[from] ReplicateError),
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Store(error) => error.verdict(),
            Self::Objects(error) if error.is_transient() => Verdict::RETRY,
            Self::Purge(error) if error.is_transient() => Verdict::Retry {
                after: error.retry_after(),
            },
            Self::Purge(_)
            | Self::Objects(_)
            | Self::Replicate(ReplicateError::Permanent { .. }) => Verdict::Reject,
            Self::Replicate(_) => Verdict::RETRY,
        }
    }
}
