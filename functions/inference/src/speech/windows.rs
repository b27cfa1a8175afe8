//! Cuts sound into the windows that Whisper hears: speech with a little air around it, long pauses
//! taken out, thirty seconds at most.
//!
//! A window is made of pieces of the sound, so a moment of the window is mapped back through them.

use std::ops::Range;

use super::vad::CHUNK;
use super::wav::RATE;

/// Air before and after speech.
const AIR: usize = RATE / 5;
/// A pause longer than this is taken out.
const PAUSE: usize = RATE;
/// What the model hears at once.
pub(super) const LONGEST: usize = 30 * RATE;
/// A piece that is too long is cut at its quietest moment within this stretch before the limit.
const SEARCH: usize = 10 * RATE;

/// A stretch of sound with speech in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Samples of the sound.
    pub(super) range: Range<usize>,
    /// Language code of the vocabulary, once known.
    pub(super) language: Option<usize>,
}

/// What the model hears at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) pieces: Vec<Range<usize>>,
    pub(super) language: Option<usize>,
}

/// Pieces with their air: neighbours closer than `PAUSE` are one, too long ones are cut.
pub(super) fn pieces(
    stretches: &[Range<usize>],
    probabilities: &[f32],
    length: usize,
) -> Vec<Piece> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for stretch in stretches {
        let padded = stretch.start.saturating_sub(AIR)..(stretch.end + AIR).min(length);
        match ranges.last_mut() {
            Some(last) if padded.start < last.end + PAUSE => last.end = padded.end,
            _ => ranges.push(padded),
        }
    }
    let cut = ranges
        .into_iter()
        .flat_map(|range| cut(range, probabilities));
    cut.map(|range| Piece {
        range,
        language: None,
    })
    .collect()
}

fn cut(mut range: Range<usize>, probabilities: &[f32]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    while range.len() > LONGEST {
        let limit = range.start + LONGEST;
        let chunks = (limit - SEARCH).div_ceil(CHUNK)..limit / CHUNK;
        let quiet = |chunk: &usize| probabilities.get(*chunk).copied().unwrap_or(0.0);
        let quietest = chunks.min_by(|a, b| quiet(a).total_cmp(&quiet(b)));
        let at = quietest
            .map_or(limit, |chunk| chunk * CHUNK + CHUNK / 2)
            .min(limit);
        parts.push(range.start..at);
        range.start = at;
    }
    parts.push(range);
    parts
}

/// Joins neighbouring pieces of one language while they fit.
pub(super) fn windows(pieces: &[Piece]) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for piece in pieces {
        let agrees = |window: &&mut Window| {
            let same = window.language == piece.language;
            let open = window.language.is_none() || piece.language.is_none();
            (same || open) && window.len() + piece.range.len() <= LONGEST
        };
        match windows.last_mut().filter(agrees) {
            Some(window) => {
                window.language = window.language.or(piece.language);
                window.pieces.push(piece.range.clone());
            }
            None => windows.push(Window {
                pieces: vec![piece.range.clone()],
                language: piece.language,
            }),
        }
    }
    windows
}

impl Window {
    /// Samples in all.
    pub(super) fn len(&self) -> usize {
        self.pieces.iter().map(ExactSizeIterator::len).sum()
    }

    /// What the model hears.
    pub(super) fn sound(&self, sound: &[f32]) -> Vec<f32> {
        self.pieces
            .iter()
            .flat_map(|piece| &sound[piece.clone()])
            .copied()
            .collect()
    }

    /// The sample of the sound at which something begins.
    pub(super) fn begins(&self, at: usize) -> usize {
        self.source(at, |at, piece| at < piece)
    }

    /// The sample of the sound at which something ends: at a seam, the end of the earlier piece.
    pub(super) fn ends(&self, at: usize) -> usize {
        self.source(at, |at, piece| at <= piece)
    }

    fn source(&self, mut at: usize, inside: fn(usize, usize) -> bool) -> usize {
        for piece in &self.pieces {
            if inside(at, piece.len()) {
                return piece.start + at;
            }
            at -= piece.len().min(at);
        }
        self.pieces.last().map_or(0, |piece| piece.end)
    }

    /// The window without its first `at` samples.
    pub(super) fn rest(&self, mut at: usize) -> Self {
        let mut pieces = Vec::new();
        for piece in &self.pieces {
            let skipped = piece.len().min(at);
            at -= skipped;
            if skipped < piece.len() {
                pieces.push(piece.start + skipped..piece.end);
            }
        }
        Self {
            pieces,
            language: self.language,
        }
    }
}

#[cfg(test)]
mod tests;
