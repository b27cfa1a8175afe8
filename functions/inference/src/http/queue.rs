//! Ids that wait for a worker, first in, first out: ids sort by creation.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A queue of ids; an id waits in it once.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<BTreeSet<String>>,
    ready: Notify,
}

impl Queue {
    pub(super) fn push(&self, id: String) {
        self.waiting().insert(id);
        self.ready.notify_one();
    }

    /// The oldest id, once there is one; `None` when it is time to stop.
    pub(super) async fn next(&self, stop: &CancellationToken) -> Option<String> {
        loop {
            if stop.is_cancelled() {
                return None;
            }
            let (first, more) = {
                let mut waiting = self.waiting();
                (waiting.pop_first(), !waiting.is_empty())
            };
            // Several pushes may have left a single permit.
            if more {
                self.ready.notify_one();
            }
            if first.is_some() {
                return first;
            }
            tokio::select! {
                () = self.ready.notified() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
