//! What can go wrong between a video and its questions.

use std::time::Duration;

use shared_domain::IllegalMove;
use shared_media::MediaError;
use shared_objects::ObjectsError;
use shared_replicate::{AdaptError, ReplicateError};
use shared_runtime::{Classify, Verdict};
use shared_store::StoreError;

/// Why an event was not finished.
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
    /// The decoder, through no fault of the file.
    #[error("the video could not be decoded")]
    Media(#[from] MediaError),
    /// Another video is being decoded.
    #[error("another video is being decoded")]
    Busy,
    /// A copy for review is made while no video is decoded.
    #[error("the check of another video goes first")]
    GivesWay,
    /// The provider.
    #[error("the question could not be put")]
    Replicate(#[from] ReplicateError),
    /// No token is left: the question's turn comes later.
    #[error("the provider is asked no faster")]
    NotYet {
        /// How much later.
        after: Duration,
    },
    /// A cached answer no longer parses.
    #[error("a stored answer cannot be read")]
    Adapt(#[from] AdaptError),
    /// A question to a model that is no longer configured.
    #[error("no model is configured for {0}")]
    NoModel(shared_domain::Task),
}

/// When a video asks again for its turn with the decoder.
const TURN: Duration = Duration::from_secs(5);

impl Error {
    /// Whether a question certainly did not reach the provider, through no fault of its own: a
    /// throttle, an unpaid account, nobody there. Such a try does not count.
    pub(crate) fn leaves_nothing(&self) -> bool {
        match self {
            Self::Replicate(error) => matches!(
                error,
                ReplicateError::Transient { .. } | ReplicateError::Operator { .. }
            ),
            Self::Objects(error) => error.is_transient(),
            Self::IllegalMove(_)
            | Self::Store(_)
            | Self::Media(_)
            | Self::Busy
            | Self::GivesWay
            | Self::NotYet { .. }
            | Self::Adapt(_)
            | Self::NoModel(_) => false,
        }
    }
}

impl Error {
    /// The pause that the provider asked for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Replicate(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// What becomes of a question that could not be put.
fn asked(error: &ReplicateError) -> Verdict {
    match error {
        ReplicateError::Transient { retry_after, .. }
        | ReplicateError::Operator { retry_after, .. } => Verdict::Retry {
            after: *retry_after,
        },
        ReplicateError::Ambiguous { .. } | ReplicateError::Lost { .. } => Verdict::RETRY,
        ReplicateError::Permanent { .. }
        | ReplicateError::Address(_)
        | ReplicateError::Client(_) => Verdict::Reject,
    }
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::IllegalMove(_) | Self::Adapt(_) | Self::NoModel(_) => Verdict::Reject,
            // Not waited for: a video that waits in here would keep questions from being put.
            Self::Busy => Verdict::Retry { after: Some(TURN) },
            // Sooner at first and then ever later: many copies may wait for their turn.
            Self::GivesWay => Verdict::RETRY,
            Self::NotYet { after } => Verdict::Retry {
                after: Some(*after),
            },
            Self::Store(error) => error.verdict(),
            Self::Objects(error) if error.is_transient() => Verdict::RETRY,
            Self::Objects(_) => Verdict::Reject,
            Self::Media(error) if error.is_transient() => Verdict::RETRY,
            Self::Media(_) => Verdict::Reject,
            Self::Replicate(error) => asked(error),
        }
    }
}
