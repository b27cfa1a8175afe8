//! Timecodes: numbers of frames as people read them, `HH:MM:SS:FF`.
//!
//! The surprise is drop-frame: at 29.97 a clock that counts 30 frames a second is late, so at the
//! start of each minute that is no multiple of ten two *numbers* (no pictures) are left out.

use std::fmt;

use crate::rate::FrameRate;

/// How frames are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counting {
    per_second: u64,
    /// Numbers left out in nine of ten minutes.
    dropped: u64,
}

impl Counting {
    fn new(rate: FrameRate, drop: bool) -> Self {
        let per_second = u64::from(rate.nominal());
        let drop = drop && can_drop(rate);
        Self {
            per_second,
            dropped: if drop { per_second / 15 } else { 0 },
        }
    }

    fn per_minute(self) -> u64 {
        self.per_second * 60 - self.dropped
    }

    fn per_ten_minutes(self) -> u64 {
        self.per_second * 600 - 9 * self.dropped
    }

    fn per_day(self) -> u64 {
        self.per_ten_minutes() * 144
    }
}

/// Drop-frame exists at 29.97 and its multiples alone.
fn can_drop(rate: FrameRate) -> bool {
    rate.is_ntsc() && rate.nominal().is_multiple_of(30)
}

/// The number of a frame within a day, and how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timecode {
    frame: u64,
    counting: Counting,
}

impl Timecode {
    /// `00:00:00:00`.
    pub fn zero(rate: FrameRate) -> Self {
        Self {
            frame: 0,
            counting: Counting::new(rate, false),
        }
    }

    /// Reads `HH:MM:SS:FF`; `;` or `.` before the frames means drop-frame. `None` for what names no
    /// frame at this rate.
    pub fn parse(text: &str, rate: FrameRate) -> Option<Self> {
        let fields: Vec<&str> = text.split([':', ';', '.']).collect();
        let numbers: Option<Vec<u64>> = fields
            .iter()
            .map(|field| match field.len() {
                1..=3 if field.bytes().all(|byte| byte.is_ascii_digit()) => field.parse().ok(),
                _ => None,
            })
            .collect();
        let [hours, minutes, seconds, frames]: [u64; 4] = numbers?.try_into().ok()?;
        let before_frames = text.as_bytes().get(text.len() - fields.last()?.len() - 1)?;
        let counting = Counting::new(rate, matches!(before_frames, b';' | b'.'));
        let known = hours < 24 && minutes < 60 && seconds < 60 && frames < counting.per_second;
        let left_out = minutes % 10 != 0 && seconds == 0 && frames < counting.dropped;
        if !known || left_out {
            return None;
        }
        let minute = hours * 60 + minutes;
        let counted = (minute * 60 + seconds) * counting.per_second + frames;
        Some(Self {
            frame: counted - counting.dropped * (minute - minute / 10),
            counting,
        })
    }

    /// So many frames later; midnight begins anew.
    #[must_use]
    pub fn plus(self, frames: u64) -> Self {
        Self {
            frame: (self.frame + frames % self.counting.per_day()) % self.counting.per_day(),
            ..self
        }
    }

    /// Frames since midnight.
    pub fn frame(self) -> u64 {
        self.frame
    }

    /// Whether numbers are left out.
    pub fn is_drop_frame(self) -> bool {
        self.counting.dropped > 0
    }
}

impl fmt::Display for Timecode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counting = self.counting;
        let (tens, rest) = (
            self.frame / counting.per_ten_minutes(),
            self.frame % counting.per_ten_minutes(),
        );
        // The first minute of ten is whole.
        let short = rest.saturating_sub(counting.dropped) / counting.per_minute();
        let counted = self.frame + counting.dropped * (9 * tens + short);
        let (seconds, frames) = (counted / counting.per_second, counted % counting.per_second);
        let mark = if self.is_drop_frame() { ';' } else { ':' };
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        let seconds = seconds % 60;
        // Above 100 frames a second their number has three digits.
        let wide = if counting.per_second > 100 { 3 } else { 2 };
        write!(
            f,
            "{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:0wide$}"
        )
    }
}
