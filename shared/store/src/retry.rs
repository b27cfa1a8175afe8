//! Whole transactions run again when PostgreSQL undid them for the sake of others.
//!
//! A deadlock (40P01) and a failed serialization (40001) leave nothing behind, and the same
//! transaction may succeed a moment later. Those of the store's own methods are run again here. A
//! handler's transaction is the end of work that only the handler can repeat: there the error is
//! transient, the event is given back, and its next start runs all of it again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::StoreError;

/// Starts of one transaction at most.
const STARTS: u32 = 6;

/// Counts the starts of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    failed: u32,
}

impl Patience {
    /// Waits for the others when another start makes sense, and says so.
    pub(crate) async fn again(&mut self, error: &StoreError) -> bool {
        self.failed += 1;
        if self.failed >= STARTS || !error.is_undone() {
            return false;
        }
        // Full jitter: two that undid each other must not meet again.
        let most = 20_000_u64 << self.failed;
        let share = RandomState::new().hash_one(self.failed) % most;
        tokio::time::sleep(Duration::from_micros(share)).await;
        true
    }
}

/// Runs a whole transaction, again when it was undone: `whole!(self.prune_once(before).await)`.
macro_rules! whole {
    ($work:expr) => {{
        let mut patience = $crate::retry::Patience::default();
        loop {
            let ended: Result<_, $crate::StoreError> = async { $work }.await;
            match ended {
                Err(error) if patience.again(&error).await => {}
                ended => break ended,
            }
        }
    }};
}

pub(crate) use whole;
