//! How often a password may be tried, per account name.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

/// Attempts within a minute.
const ATTEMPTS: usize = 10;
/// Names that are remembered; a flood of made-up names forgets the oldest.
const NAMES: usize = 10_000;

/// Recent attempts by name.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<HashMap<String, Vec<OffsetDateTime>>>);

impl Throttle {
    /// Counts an attempt; false when there were too many.
    pub(crate) fn admit(&self, name: &str, now: OffsetDateTime) -> bool {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= NAMES {
            names.retain(|_, tries| {
                tries
                    .last()
                    .is_some_and(|last| now - *last < Duration::MINUTE)
            });
        }
        let tries = names.entry(name.to_owned()).or_default();
        tries.retain(|at| now - *at < Duration::MINUTE);
        tries.push(now);
        tries.len() <= ATTEMPTS
    }
}
