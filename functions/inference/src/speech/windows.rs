//! Cuts sound into the windows that Whisper hears: speech with a little air around it, long pauses
//! taken out, thirty seconds at most.
//!
//! A window is made of pieces of the sound, so a moment of the window is mapped back through them.

use std::ops::Range;

use super::tokens::Token;
use super::vad::CHUNK;
use super::wav::RATE;

/// Air before and after speech, unless a neighbour is nearer.
const AIR: usize = RATE / 5;
/// Voices closer than this are one utterance, in one language.
const BREATH: usize = RATE / 6;
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
    /// Language token, once known.
    pub(super) language: Option<Token>,
}

/// What the model hears at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) pieces: Vec<Range<usize>>,
    pub(super) language: Option<Token>,
}

/// Utterances with their air; the gap between two neighbours is shared.
pub(super) fn utterances(voices: &[Range<usize>], length: usize) -> Vec<Piece> {
    let mut bare: Vec<Range<usize>> = Vec::new();
    for voice in voices {
        match bare.last_mut() {
            Some(last) if voice.start < last.end + BREATH => last.end = voice.end,
            _ => bare.push(voice.clone()),
        }
    }
    let padded = bare.iter().enumerate().map(|(index, range)| {
        let before = index
            .checked_sub(1)
            .map_or(0, |previous| bare[previous].end);
        let after = bare.get(index + 1).map_or(length, |next| next.start);
        let lead = AIR.min(gap(before, range.start, index > 0));
        let trail = AIR.min(gap(range.end, after, index + 1 < bare.len()));
        range.start - lead..range.end + trail
    });
    padded
        .map(|range| Piece {
            range,
            language: None,
        })
        .collect()
}

/// The part of a gap that belongs to one side: half of it when there is another.
fn gap(from: usize, to: usize, shared: bool) -> usize {
    let whole = to.saturating_sub(from);
    if shared { whole / 2 } else { whole }
}

/// Joins close utterances of one language and cuts what is too long at its quietest moment.
///
/// An utterance whose language nobody could tell takes that of the one before, or else after.
pub(super) fn pieces(mut utterances: Vec<Piece>, probabilities: &[f32]) -> Vec<Piece> {
    let mut known = utterances.iter().find_map(|utterance| utterance.language);
    for utterance in &mut utterances {
        known = utterance.language.or(known);
        utterance.language = known;
    }
    let mut joined: Vec<Piece> = Vec::new();
    for utterance in utterances {
        match joined.last_mut() {
            Some(last)
                if last.language == utterance.language
                    && utterance.range.start < last.range.end + PAUSE =>
            {
                last.range.end = utterance.range.end;
            }
            _ => joined.push(utterance),
        }
    }
    let cut = |piece: Piece| {
        let language = piece.language;
        let parts = cut(piece.range, probabilities).into_iter();
        parts.map(move |range| Piece { range, language })
    };
    joined.into_iter().flat_map(cut).collect()
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

/// Puts neighbouring pieces of one language together while they fit.
pub(super) fn windows(pieces: &[Piece]) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for piece in pieces {
        match windows.last_mut() {
            Some(window)
                if window.language == piece.language
                    && window.len() + piece.range.len() <= LONGEST =>
            {
                window.pieces.push(piece.range.clone());
            }
            _ => windows.push(Window {
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
