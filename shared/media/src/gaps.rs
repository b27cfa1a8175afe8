//! Stretches of a track of which nothing was seen or heard.

use serde::{Deserialize, Serialize};
use shared_domain::Span;

/// A break between two pictures or blocks of sound that is more than a slow frame rate.
pub(crate) const LONG_MS: i64 = 2000;
/// Gaps this near to each other are one: a broken file does not have a thousand of them.
const NEAR_MS: i64 = 1000;

/// Collected in any order, neighbours joined.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Gaps(Vec<Span>);

impl Gaps {
    /// Adds a stretch; what lies before the video is left out.
    pub(crate) fn add(&mut self, start_ms: i64, end_ms: i64) {
        let start_ms = start_ms.max(0);
        if start_ms >= end_ms {
            return;
        }
        match self.0.last_mut() {
            Some(last)
                if start_ms <= last.end_ms + NEAR_MS && end_ms >= last.start_ms - NEAR_MS =>
            {
                last.start_ms = last.start_ms.min(start_ms);
                last.end_ms = last.end_ms.max(end_ms);
            }
            _ => self.0.push(Span { start_ms, end_ms }),
        }
    }

    /// Adds all of another track's.
    pub(crate) fn extend(&mut self, others: &Self) {
        for gap in &others.0 {
            self.add(gap.start_ms, gap.end_ms);
        }
    }

    /// In the order of time, without overlap.
    pub(crate) fn finish(mut self) -> Vec<Span> {
        self.0.sort();
        let mut joined = Self::default();
        for gap in &self.0 {
            joined.add(gap.start_ms, gap.end_ms);
        }
        joined.0
    }
}
