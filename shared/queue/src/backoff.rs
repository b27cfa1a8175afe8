//! Waits between attempts: one second, doubling, at most five minutes, with full jitter.

use std::time::Duration;

use shared_domain::OutboxId;

/// The wait after attempt number `attempt` (1 is the first).
///
/// The jitter comes from the event's id: rows that failed together do not come back together, and
/// a test can tell what to expect.
pub fn backoff(attempt: u32, event_id: OutboxId) -> Duration {
    let full = 1000_u64
        .saturating_mul(1 << attempt.saturating_sub(1).min(16))
        .min(300_000);
    let random = event_id.0.as_u128().to_le_bytes();
    let share = u64::from(u16::from_le_bytes([random[0], random[1]]));
    Duration::from_millis(full / 2 + (full / 2) * share / u64::from(u16::MAX))
}
