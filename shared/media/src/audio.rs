//! 16 kHz mono sound, cut into chunks of thirty to sixty seconds at their quietest places.
//!
//! Stretches of total silence belong to no chunk and are listed instead: a speech model would
//! invent words for them.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared_domain::Span;

/// Samples in a second.
pub(crate) const RATE: i64 = 16_000;
const WINDOW: usize = 320;
const LONGEST: usize = 60 * 16_000;
const SHORTEST: usize = 30 * 16_000;
/// Two seconds of silent windows end a chunk.
const SILENT_WINDOWS: usize = 100;
/// Silence kept at either end of a chunk, in samples.
const PADDING: usize = 3200;
/// Peaks up to this are silence (about -66 dB): dither, not sound.
const SILENCE: u16 = 16;

/// A chunk of sound that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioChunk {
    /// From 0, in the order of time.
    pub index: u32,
    /// From the first frame of the picture; negative when the sound begins before it.
    pub start_ms: i64,
    /// From the first frame of the picture.
    pub end_ms: i64,
    /// SHA-256 of the WAV, lower-case hex.
    pub sha256: String,
}

/// Samples that belong together, and where they begin on ffmpeg's time line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) start: i64,
    pub(crate) samples: Vec<i16>,
}

/// Cuts a stream of samples; windows of 20 ms are the grain.
#[derive(Debug)]
pub(crate) struct Chunker {
    /// Position of the next sample.
    at: i64,
    /// Samples of a window that is not full yet.
    rest: Vec<i16>,
    /// Silence before the chunk that may begin, and the chunk: never both.
    samples: Vec<i16>,
    sounding: bool,
    silent_windows: usize,
    heard_until: i64,
    silences: Vec<Range<i64>>,
}

impl Chunker {
    /// Starts at a sample position of ffmpeg's time line.
    pub(crate) fn new(at: i64) -> Self {
        Self {
            at,
            rest: Vec::new(),
            samples: Vec::new(),
            sounding: false,
            silent_windows: 0,
            heard_until: at,
            silences: Vec::new(),
        }
    }

    /// Where the next sample belongs.
    pub(crate) fn position(&self) -> i64 {
        self.at
    }

    pub(crate) fn add(&mut self, samples: &[i16]) -> Vec<Cut> {
        let mut cuts = Vec::new();
        for sample in samples {
            self.rest.push(*sample);
            self.at += 1;
            if self.rest.len() == WINDOW {
                let window = std::mem::take(&mut self.rest);
                cuts.extend(self.window(&window));
                self.rest = window;
                self.rest.clear();
            }
        }
        cuts
    }

    /// Adds silence where the file has a gap.
    pub(crate) fn skip(&mut self, samples: i64) -> Vec<Cut> {
        let nothing = [0_i16; WINDOW];
        let mut left = usize::try_from(samples).unwrap_or(0);
        let mut cuts = Vec::new();
        while left > 0 {
            let part = left.min(WINDOW);
            cuts.extend(self.add(&nothing[..part]));
            left -= part;
        }
        cuts
    }

    /// The last chunk, and every stretch of silence that no chunk covers.
    pub(crate) fn finish(mut self) -> (Option<Cut>, Vec<Range<i64>>) {
        let mut window = std::mem::take(&mut self.rest);
        let last = window.len();
        window.resize(if last == 0 { 0 } else { WINDOW }, 0);
        self.at += i64::try_from(window.len() - last).unwrap_or(0);
        let mut cut = if last > 0 { self.window(&window) } else { None };
        if self.sounding {
            cut = Some(self.close(self.samples.len()));
        }
        if self.at > self.heard_until {
            self.silences.push(self.heard_until..self.at);
        }
        (cut, self.silences)
    }

    /// Takes one full window, which ends at `self.at`.
    fn window(&mut self, window: &[i16]) -> Option<Cut> {
        let silent = window.iter().all(|sample| sample.unsigned_abs() <= SILENCE);
        self.samples.extend_from_slice(window);
        if silent {
            self.silent_windows += 1;
        } else {
            self.silent_windows = 0;
            self.sounding = true;
        }
        let tail = self.silent_windows * WINDOW;
        if !self.sounding {
            let surplus = self.samples.len().saturating_sub(PADDING);
            self.samples.drain(..surplus);
            return None;
        }
        if self.silent_windows >= SILENT_WINDOWS {
            return Some(self.close(self.samples.len() - tail + PADDING));
        }
        (self.samples.len() >= LONGEST).then(|| self.close(quietest(&self.samples)))
    }

    /// Ends the chunk after `length` samples; what follows begins the next one.
    fn close(&mut self, length: usize) -> Cut {
        let rest = self.samples.split_off(length);
        let kept = i64::try_from(self.samples.len() + rest.len()).unwrap_or(0);
        let start = self.at - i64::try_from(self.rest.len()).unwrap_or(0) - kept;
        if start > self.heard_until {
            self.silences.push(self.heard_until..start);
        }
        self.heard_until = start + i64::try_from(length).unwrap_or(0);
        self.sounding = rest.iter().any(|sample| sample.unsigned_abs() > SILENCE);
        if !self.sounding {
            self.silent_windows = rest.len() / WINDOW;
        }
        let samples = std::mem::replace(&mut self.samples, rest);
        Cut { start, samples }
    }
}

/// The middle of the quietest 200 ms after the first half minute: between words, not in one.
fn quietest(samples: &[i16]) -> usize {
    let loudness: Vec<u64> = samples
        .chunks(WINDOW)
        .map(|window| window.iter().map(|s| u64::from(s.unsigned_abs())).sum())
        .collect();
    let first = SHORTEST / WINDOW;
    let quietest = loudness
        .windows(10)
        .enumerate()
        .skip(first)
        .min_by_key(|(_, ten)| ten.iter().sum::<u64>())
        .map_or(loudness.len() / 2, |(place, _)| place + 5);
    quietest * WINDOW
}

/// A 16-bit mono WAV file.
pub(crate) fn wav(samples: &[i16]) -> Bytes {
    let length = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX - 36);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(length + 36).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend_from_slice(&16_000_u32.to_le_bytes());
    file.extend_from_slice(&32_000_u32.to_le_bytes());
    file.extend_from_slice(b"\x02\0\x10\0data");
    file.extend_from_slice(&length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file.into()
}

/// Sample positions as milliseconds from the first frame of the picture.
pub(crate) fn span(range: &Range<i64>, zero_ms: i64) -> Span {
    let ms = |sample: i64| (sample * 1000).div_euclid(RATE) - zero_ms;
    Span {
        start_ms: ms(range.start),
        end_ms: ms(range.end),
    }
}

#[cfg(test)]
mod tests;
