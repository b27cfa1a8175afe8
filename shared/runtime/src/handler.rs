//! The one abstraction.

use std::time::Duration;

use crate::{Classify, Event, FromEvent, Reply};

/// One small event-driven function.
///
/// `handle` loads, checks, works and commits, in this order; what comes next is a message in the
/// same transaction. It spawns nothing that outlives it, never sleeps and never retries.
pub trait Handler: Send + Sync + 'static {
    /// Folder, package, binary, span field, metric label and stream.
    const NAME: &'static str;
    /// The longest that one event may take. The lease is renewed while the handler runs, so that
    /// a long limit does not delay the recovery from a crash.
    const TIMEOUT: Duration;
    /// A message, a webhook, a request, a tick.
    type Input: FromEvent + Send;
    /// `()` when nobody waits.
    type Output: Reply + Send;
    /// Decides once what becomes of the event.
    type Error: Classify;

    /// Does the work of one event.
    fn handle(
        &self,
        event: &Event,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}
