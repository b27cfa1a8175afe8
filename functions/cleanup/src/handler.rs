//! One tick: every duty in turn. A duty that fails does not keep the others from theirs.

use std::time::Duration;

use shared_runtime::{Event, Handler, Tick, causes};
use shared_store::StreamStatus;
use tracing::warn;

use crate::{Cleanup, Error};

/// Rows that one duty takes in one sweep.
pub(crate) const BATCH: i64 = 200;
/// Finished rows are kept this long, to be looked at.
const KEPT: Duration = Duration::from_hours(7 * 24);

impl Handler for Cleanup {
    const NAME: &'static str = "cleanup";
    const TIMEOUT: Duration = Duration::from_mins(5);
    type Input = Tick;
    type Output = ();
    type Error = Error;

    async fn handle(&self, _: &Event, _: Tick) -> Result<(), Error> {
        let sweeps = [
            ("arrivals", self.arrivals().await),
            ("strays", self.strays().await),
            ("answers", self.answers().await),
            ("lane", self.lane().await),
            ("letters", self.letters().await),
            ("stranded", self.stranded().await),
            ("leavings", self.leavings().await),
            ("purges", self.purges().await),
            ("prune", self.prune().await),
        ];
        let mut failed = None;
        for (duty, swept) in sweeps {
            if let Err(error) = swept {
                warn!(duty, error = causes(&error), "duty {duty} broke off");
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

impl Cleanup {
    /// Whether something that an earlier sweep sent to this function still waits. Only sweeps send
    /// to it: sending all of it again would pile up for as long as nobody reads.
    pub(crate) async fn waits_at(&self, stream: &str) -> Result<bool, Error> {
        let streams = self.store.queue_status().await?;
        let waits =
            |at: &StreamStatus| at.stream == stream && at.waiting + at.later + at.leased > 0;
        Ok(streams.iter().any(waits))
    }

    async fn prune(&self) -> Result<(), Error> {
        let before = self.store.now() - KEPT;
        self.store.prune_queue(before, BATCH).await?;
        self.store.prune_sessions(BATCH).await?;
        Ok(())
    }
}
