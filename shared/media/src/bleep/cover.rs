//! Which samples are changed, and into what.

use shared_domain::Span;

use super::wave::Wave;
use super::{Bleep, Cover};

/// The sound fades for so long before a word and comes back after it: a hard cut clicks.
const FADE_MS: u32 = 8;
const TONE_HZ: f64 = 1000.0;
/// Twenty decibels below the loudest.
const TONE_LEVEL: f64 = 0.1;

/// Samples of every channel that must not be heard, from one number to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    start: u64,
    end: u64,
}

/// Changes the samples of a sound in the order of time.
#[derive(Debug)]
pub(super) struct Covered {
    stretches: Vec<Stretch>,
    /// The first that is not over.
    next: usize,
    fade: u64,
    rate: u32,
    cover: Cover,
}

impl Covered {
    /// `zero_ms` is where the video's first picture lies in the sound.
    pub(super) fn new(bleep: &Bleep, zero_ms: i64, wave: &Wave) -> Self {
        let rate = wave.rate;
        let fade = u64::from(rate * FADE_MS / 1000);
        let mut spans = bleep.spans.clone();
        spans.sort();
        let mut stretches: Vec<Stretch> = Vec::new();
        for span in spans {
            let stretch = stretch(span, zero_ms, rate);
            match stretches.last_mut() {
                // No room to come back in between.
                Some(last) if stretch.start <= last.end + 2 * fade => {
                    last.end = last.end.max(stretch.end);
                }
                _ if stretch.end > stretch.start => stretches.push(stretch),
                _ => {}
            }
        }
        Self {
            stretches,
            next: 0,
            fade,
            rate,
            cover: bleep.cover,
        }
    }

    /// Changes the samples of one moment, given by its number.
    pub(super) fn change(&mut self, at: u64, samples: &mut [f32]) {
        let share = self.share(at);
        if share <= 0.0 {
            return;
        }
        let tone = match self.cover {
            Cover::Silence => 0.0,
            Cover::Tone => share * self.tone(at),
        };
        for sample in samples {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float is cast to the nearest number that fits"
            )]
            let mixed = (f64::from(*sample) * (1.0 - share) + tone) as f32;
            *sample = mixed;
        }
    }

    /// How much is covered: 1 within a word, between 0 and 1 while it fades.
    fn share(&mut self, at: u64) -> f64 {
        while self
            .stretches
            .get(self.next)
            .is_some_and(|stretch| at >= stretch.end + self.fade)
        {
            self.next += 1;
        }
        let Some(stretch) = self.stretches.get(self.next) else {
            return 0.0;
        };
        let away = if at < stretch.start {
            stretch.start - at
        } else if at >= stretch.end {
            at - stretch.end + 1
        } else {
            0
        };
        if away > self.fade {
            return 0.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "samples of a few milliseconds")]
        let share = 1.0 - away as f64 / (self.fade + 1) as f64;
        share
    }

    fn tone(&self, at: u64) -> f64 {
        // Of one second, so that it stays exact after hours.
        #[expect(clippy::cast_precision_loss, reason = "samples of one second")]
        let seconds = (at % u64::from(self.rate)) as f64 / f64::from(self.rate);
        TONE_LEVEL * (std::f64::consts::TAU * TONE_HZ * seconds).sin()
    }
}

/// The whole of a word: its first sample is rounded down, its last up.
fn stretch(span: Span, zero_ms: i64, rate: u32) -> Stretch {
    let place = |ms: i64| u64::try_from(ms.saturating_add(zero_ms)).unwrap_or(0) * u64::from(rate);
    Stretch {
        start: place(span.start_ms) / 1000,
        end: place(span.end_ms).div_ceil(1000),
    }
}

#[cfg(test)]
mod tests;
