//! Lines that were read before. A caption stays for many frames, and reading it anew costs a
//! process each time.
//!
//! A line is the same when the Latin reader says the same of it and no place of it has changed by
//! more than compression does, measured against the contrast of the line: another letter changes
//! its place by far more.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::choose::Line;
use crate::vision::VisionError;
use crate::vision::picture::{Picture, resize_grey};

/// Lines of some minutes of captions.
const MOST: usize = 512;
/// Height at which lines are compared; a stroke of a letter is a pixel wide or more.
const HEIGHT: usize = 20;
/// Share of the contrast by which a pixel may differ.
const CHANGE: u16 = 5;
/// Least contrast that is assumed: below it there is only noise.
const CONTRAST: u16 = 60;

/// What a line looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sight {
    size: [usize; 2],
    latin: String,
    pixels: Vec<u8>,
    contrast: u16,
}

impl Sight {
    pub(super) fn of(line: &Picture, latin: String) -> Result<Self, VisionError> {
        let width = (line.width * HEIGHT).div_ceil(line.height).max(1);
        let pixels = resize_grey(&line.grey(), [line.width, line.height], [width, HEIGHT])?;
        let brightest = pixels.iter().max().copied().unwrap_or_default();
        let darkest = pixels.iter().min().copied().unwrap_or_default();
        Ok(Self {
            size: [line.width, line.height],
            latin,
            pixels,
            contrast: u16::from(brightest - darkest).max(CONTRAST),
        })
    }

    fn is_like(&self, other: &Self) -> bool {
        let change = self.contrast.min(other.contrast) / CHANGE;
        let near = |(a, b): (&u8, &u8)| u16::from(a.abs_diff(*b)) <= change;
        self.size == other.size
            && self.latin == other.latin
            && self.pixels.iter().zip(&other.pixels).all(near)
    }
}

/// The last lines, newest first.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<VecDeque<(Sight, Option<Line>)>>);

impl Memory {
    /// What was read, if this line was seen before; `Some(None)` when it could not be read.
    #[expect(
        clippy::option_option,
        reason = "seen and unreadable is not the same as unseen"
    )]
    pub(super) fn find(&self, sight: &Sight) -> Option<Option<Line>> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = lines.iter().position(|(seen, _)| seen.is_like(sight))?;
        let entry = lines.remove(at)?;
        let line = entry.1.clone();
        lines.push_front(entry);
        Some(line)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(super) fn keep(&self, sight: Sight, line: Option<Line>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_front((sight, line));
        lines.truncate(MOST);
    }
}
