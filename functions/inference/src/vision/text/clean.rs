//! Makes a line black on white for a reader that was trained on paper.
//!
//! Captions are drawn over pictures: bright with a dark rim or the reverse. The brightest part of
//! the line is taken as letters, and whatever of it touches the edge of the crop is background: the
//! rim keeps letters apart from it. On captions over real frames this raised exactly read lines
//! from a quarter to four fifths.

use super::tesseract::Page;
use crate::vision::VisionError;
use crate::vision::picture::{Picture, resize_grey};

/// Height of a line for the reader; its letters are then about 40 pixels high.
const HEIGHT: usize = 64;
const MAX_WIDTH: usize = 4096;
/// White around the letters, without which the first and last are lost.
const MARGIN: usize = 12;
const PAPER: u8 = 255;
const INK: u8 = 0;

/// What the letters of a line may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Bright letters: everything else becomes paper.
    Bright,
    /// Dark letters: everything else becomes paper.
    Dark,
    /// As it is; the reader decides.
    Plain,
}

/// A line in grey at the height of the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grey {
    width: usize,
    pixels: Vec<u8>,
}

impl Grey {
    pub(super) fn of(line: &Picture) -> Result<Self, VisionError> {
        let width = (line.width * HEIGHT)
            .div_ceil(line.height)
            .clamp(HEIGHT, MAX_WIDTH);
        let pixels = resize_grey(&line.grey(), [line.width, line.height], [width, HEIGHT])?;
        Ok(Self { width, pixels })
    }

    /// The look that is more probable: letters differ from the edge of the crop.
    pub(super) fn likely(&self) -> Look {
        let (first, last) = (
            &self.pixels[..self.width],
            &self.pixels[self.pixels.len() - self.width..],
        );
        let mut edge = [first, last].concat();
        edge.sort_unstable();
        if edge[edge.len() / 2] > split(&self.pixels) {
            Look::Dark
        } else {
            Look::Bright
        }
    }

    /// The page to be read.
    pub(super) fn page(&self, look: Look) -> Page {
        match look {
            Look::Plain => Page {
                width: self.width,
                height: HEIGHT,
                margin: 0,
                pixels: self.pixels.clone(),
            },
            Look::Bright => self.printed(&self.pixels),
            Look::Dark => {
                let inverted: Vec<u8> = self.pixels.iter().map(|pixel| u8::MAX - pixel).collect();
                self.printed(&inverted)
            }
        }
    }

    /// Bright letters of the line as ink with a margin of paper.
    fn printed(&self, pixels: &[u8]) -> Page {
        let bright = split(pixels);
        let upper: Vec<u8> = pixels
            .iter()
            .copied()
            .filter(|&pixel| pixel > bright)
            .collect();
        let brightest = split(&upper);
        let mut ink: Vec<bool> = pixels.iter().map(|&pixel| pixel > brightest).collect();
        drop_from_edges(&mut ink, self.width);
        let width = self.width + 2 * MARGIN;
        let mut page = vec![PAPER; width * (HEIGHT + 2 * MARGIN)];
        for (at, _) in ink.iter().enumerate().filter(|(_, ink)| **ink) {
            let (x, y) = (at % self.width, at / self.width);
            page[(y + MARGIN) * width + x + MARGIN] = INK;
        }
        Page {
            width,
            height: HEIGHT + 2 * MARGIN,
            margin: MARGIN,
            pixels: page,
        }
    }
}

/// The level that parts dark from bright best (Otsu 1979): pixels above it are bright.
#[expect(clippy::cast_precision_loss, reason = "pixels of a line")]
fn split(pixels: &[u8]) -> u8 {
    let mut counts = [0_usize; 256];
    for pixel in pixels {
        counts[usize::from(*pixel)] += 1;
    }
    let levels = || {
        (0..=u8::MAX)
            .map(f64::from)
            .zip(counts.map(|count| count as f64))
    };
    let all: f64 = levels().map(|(level, count)| level * count).sum();
    let total = pixels.len() as f64;
    let (mut below, mut sum) = (0.0, 0.0);
    let mut best = (0.0, 0);
    for (at, (level, count)) in (0..u8::MAX).zip(levels()) {
        below += count;
        sum += level * count;
        let above = total - below;
        if below > 0.0 && above > 0.0 {
            let apart = (sum / below - (all - sum) / above).powi(2) * below * above;
            if apart > best.0 {
                best = (apart, at);
            }
        }
    }
    best.1
}

/// Unmarks whatever is connected with the edge.
fn drop_from_edges(ink: &mut [bool], width: usize) {
    let height = ink.len() / width;
    let on_edge = |at: &usize| {
        let (x, y) = (at % width, at / width);
        x == 0 || y == 0 || x == width - 1 || y == height - 1
    };
    let mut open: Vec<usize> = (0..ink.len()).filter(on_edge).collect();
    while let Some(at) = open.pop() {
        if !std::mem::take(&mut ink[at]) {
            continue;
        }
        let (x, y) = (at % width, at / width);
        open.extend((x > 0).then(|| at - 1));
        open.extend((x + 1 < width).then_some(at + 1));
        open.extend((y > 0).then(|| at - width));
        open.extend((y + 1 < height).then_some(at + width));
    }
}

#[cfg(test)]
mod tests;
