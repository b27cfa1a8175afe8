//! A clock that stands still until it is told to go on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared_domain::Clock;
use time::OffsetDateTime;
use time::macros::datetime;

/// Starts at noon of a Monday and moves only when told.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<OffsetDateTime>>);

impl Default for ManualClock {
    fn default() -> Self {
        Self::at(datetime!(2026-03-02 12:00 UTC))
    }
}

impl ManualClock {
    /// A clock that shows this moment.
    pub fn at(moment: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(moment)))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
