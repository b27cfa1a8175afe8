//! When the platform will end a call, as far as it can be believed.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// Kept back for saying the verdict.
const MARGIN: Duration = Duration::from_millis(500);
/// No platform lets a call run longer: a moment further off is no epoch time.
const LONGEST: Duration = Duration::from_hours(25);

/// The moment until which a call may work.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// From milliseconds since the epoch. Emulators send durations instead, and clocks differ: what
    /// is not in the near future says nothing.
    pub(crate) fn of_epoch_ms(at: u64, now: OffsetDateTime) -> Self {
        let now = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
        let left = at.checked_sub(now).map(Duration::from_millis);
        let believed = left.filter(|left| !left.is_zero() && *left <= LONGEST);
        // Of a very short call half is worked, so that it is not hopeless from the start.
        let worked = believed.map(|left| left.saturating_sub(MARGIN).max(left / 2));
        Self(worked.map(|worked| Instant::now() + worked))
    }

    /// What is left of it; `None` when there is none.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0
            .map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether nothing is left: work that has not begun is better left to the next call.
    pub(crate) fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}
