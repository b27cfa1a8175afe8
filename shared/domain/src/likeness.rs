//! What pictures look like, in few enough bits to lay two versions of a video side by side.

use serde::{Deserialize, Serialize};

/// One moment of a video as something to compare: pictures that look alike differ in few bits,
/// whatever they were encoded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(i64, u64, bool)", into = "(i64, u64, bool)")]
pub struct Likeness {
    /// Milliseconds of the video.
    pub at_ms: i64,
    /// What it looks like.
    pub bits: u64,
    /// Whether a shot begins with it: then its time is exact to the frame. The first of a video
    /// need not be the first of a shot.
    pub opens: bool,
}

impl Likeness {
    /// In how many of the 64 bits two differ.
    pub fn distance(self, other: Self) -> u32 {
        (self.bits ^ other.bits).count_ones()
    }
}

impl From<(i64, u64, bool)> for Likeness {
    fn from((at_ms, bits, opens): (i64, u64, bool)) -> Self {
        Self { at_ms, bits, opens }
    }
}

impl From<Likeness> for (i64, u64, bool) {
    fn from(likeness: Likeness) -> Self {
        (likeness.at_ms, likeness.bits, likeness.opens)
    }
}
