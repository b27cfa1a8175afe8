//! Signs of life of one decode pass, so that a hang is told from a receiver that is slow.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Pulse {
    born: Instant,
    last_ms: AtomicU64,
    handing_over: AtomicUsize,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            born: Instant::now(),
            last_ms: AtomicU64::new(0),
            handing_over: AtomicUsize::new(0),
        }
    }
}

impl Pulse {
    /// Something moved.
    pub(crate) fn beat(&self) {
        let now = u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_ms.store(now, Ordering::Relaxed);
    }

    /// Runs `hand_over`; waiting in it does not count as a hang.
    pub(crate) fn while_handing_over<T>(&self, hand_over: impl FnOnce() -> T) -> T {
        self.handing_over.fetch_add(1, Ordering::Relaxed);
        let outcome = hand_over();
        self.handing_over.fetch_sub(1, Ordering::Relaxed);
        self.beat();
        outcome
    }

    /// How long nothing has moved, unless somebody waits for the receiver.
    pub(crate) fn silence(&self) -> Duration {
        if self.handing_over.load(Ordering::Relaxed) > 0 {
            return Duration::ZERO;
        }
        let last = Duration::from_millis(self.last_ms.load(Ordering::Relaxed));
        self.born.elapsed().saturating_sub(last)
    }
}
