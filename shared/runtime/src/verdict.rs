//! What becomes of an event: decided once per error, in `Classify::verdict`.

use std::error::Error;
use std::time::Duration;

use shared_domain::{Lang, SettingsError};
use shared_store::StoreError;

use crate::Problem;

/// What the host does with the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Finished, or was finished before.
    Done,
    /// Try again, not before `after` when the other side said so.
    Retry {
        /// The wait that was asked for.
        after: Option<Duration>,
    },
    /// It can never succeed: dead letter.
    Reject,
}

impl Verdict {
    /// A retry at the host's own pace.
    pub const RETRY: Self = Self::Retry { after: None };

    /// Name in logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retry { .. } => "retry",
            Self::Reject => "reject",
        }
    }
}

/// Retry or reject: implemented by each handler's error with a `match` without `_`.
pub trait Classify: Error + Send + Sync + 'static {
    /// What becomes of the event.
    fn verdict(&self) -> Verdict;

    /// What a caller who waits is told. The default tells nothing of the inside.
    fn problem(&self, lang: Lang) -> Problem {
        Problem::of_verdict(self.verdict(), lang)
    }
}

/// The wait for a database that was away. No event can start before it is back, so that waits need not
/// grow: after many outages one event would otherwise lie for minutes beside a healthy database.
const AWAY: Duration = Duration::from_secs(2);

impl Classify for StoreError {
    fn verdict(&self) -> Verdict {
        match self {
            Self::AlreadyHandled | Self::Stale { .. } | Self::Fenced => Verdict::Done,
            error if error.is_away() => Verdict::Retry { after: Some(AWAY) },
            error if error.is_transient() => Verdict::RETRY,
            _ => Verdict::Reject,
        }
    }
}

impl Classify for SettingsError {
    fn verdict(&self) -> Verdict {
        Verdict::Reject
    }
}

/// The whole chain of an error in one line.
pub fn causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
