//! How often something new may be kept.
//!
//! Cuts and captions that follow each other without end would fill storage and cost a question per
//! task each. A burst is what editors do; what goes on and on gets a steady rate, at which every
//! shot of half a second is still kept: a turn comes round sooner than that, less a candidate's time.

/// Cuts in a row that are always kept.
const BURST: f64 = 40.0;
/// Turns in a second that half a second needs, when candidates come five times a second.
const PROMISED: f64 = 3.5;

/// A bucket of turns that fills with time.
#[derive(Debug)]
pub(super) struct Budget {
    per_second: f64,
    turns: f64,
    last_ms: i64,
}

impl Budget {
    /// Twice as often as a scene that keeps moving, or as promised.
    pub(super) fn new(fps: f64) -> Self {
        Self {
            per_second: PROMISED.max(2.0 * fps),
            turns: BURST,
            last_ms: 0,
        }
    }

    /// Takes a turn, if there is one.
    pub(super) fn take(&mut self, at_ms: i64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
        let passed_s = (at_ms - self.last_ms) as f64 / 1000.0;
        self.turns = (self.turns + passed_s * self.per_second).min(BURST);
        self.last_ms = at_ms;
        let is_there = self.turns >= 1.0;
        if is_there {
            self.turns -= 1.0;
        }
        is_there
    }
}
