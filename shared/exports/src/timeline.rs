//! From the report's milliseconds to frames of the video and back.

use shared_policy::VideoFacts;

use crate::rate::FrameRate;
use crate::timecode::Timecode;

/// The frames of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeline {
    /// Frames a second.
    pub rate: FrameRate,
    /// Of the first frame.
    pub start: Timecode,
    /// How many frames.
    pub length: u64,
}

impl Timeline {
    /// The frames of a video. One without a timecode begins at zero.
    pub fn of(video: &VideoFacts) -> Self {
        let rate = FrameRate::of(video);
        let start = video.start_timecode.as_deref();
        let timeline = Self {
            rate,
            start: start
                .and_then(|text| Timecode::parse(text, rate))
                .unwrap_or_else(|| Timecode::zero(rate)),
            length: u64::MAX,
        };
        Self {
            length: timeline.frame_behind(ms(video.duration_seconds)).max(1),
            ..timeline
        }
    }

    /// The frame on the screen at a time. The report rounds to milliseconds, down or up: a frame that
    /// begins half a millisecond later counts as begun.
    pub fn frame_at(self, ms: i64) -> u64 {
        let (ms, numerator, denominator) = self.terms(ms);
        let frame = (2 * ms + 1) * numerator / (2000 * denominator);
        u64::try_from(frame)
            .unwrap_or(u64::MAX)
            .min(self.length.saturating_sub(1))
    }

    /// The first frame that begins at a time or after it, by the same measure.
    pub fn frame_behind(self, ms: i64) -> u64 {
        let (ms, numerator, denominator) = self.terms(ms);
        let frame = ((2 * ms).saturating_sub(1) * numerator).div_ceil(2000 * denominator);
        u64::try_from(frame).unwrap_or(u64::MAX).min(self.length)
    }

    fn terms(self, ms: i64) -> (u128, u128, u128) {
        (
            u128::try_from(ms).unwrap_or(0),
            self.rate.numerator().into(),
            self.rate.denominator().into(),
        )
    }

    /// The timecode of a frame.
    pub fn timecode(self, frame: u64) -> Timecode {
        self.start.plus(frame)
    }
}

/// Seconds of a report, which have three decimals.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float is cast to the nearest number that fits"
)]
pub(crate) fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}
