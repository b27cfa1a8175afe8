//! When the table is looked at although no entry said so: what a transport has lost is found there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// One moment per function; a function that nobody has looked for is due.
#[derive(Debug)]
pub(crate) struct Looks {
    every: Duration,
    at: Mutex<HashMap<String, Instant>>,
}

impl Looks {
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every,
            at: Mutex::default(),
        }
    }

    /// Whether to look now; true for one of several readers, the next one comes after the wait.
    pub(crate) fn is_due(&self, function: &str) -> bool {
        let (mut at, now) = (self.at(), Instant::now());
        if at.get(function).is_some_and(|at| *at > now) {
            return false;
        }
        at.insert(function.to_owned(), now + self.every);
        true
    }

    /// Looks again no later than at this moment.
    pub(crate) fn bring_forward(&self, function: &str, moment: Instant) {
        let mut at = self.at();
        let at = at.entry(function.to_owned()).or_insert(moment);
        *at = moment.min(*at);
    }

    /// How long nobody has to look.
    pub(crate) fn wait(&self, function: &str) -> Duration {
        let at = self.at().get(function).copied();
        at.map_or(Duration::ZERO, |at| {
            at.saturating_duration_since(Instant::now())
        })
    }

    /// Every function that has been looked for.
    pub(crate) fn functions(&self) -> Vec<String> {
        self.at().keys().cloned().collect()
    }

    fn at(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
