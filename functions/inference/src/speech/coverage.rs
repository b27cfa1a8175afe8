//! Nothing with a voice goes missing in silence: what a window left out is found here, so that it
//! is heard once more, alone, or else listed as unclear.
//!
//! Whisper leaves out whole sentences when the language changes. The timing then stretches the word
//! next to the gap over it, which is why words of impossible length are cut first.

use std::ops::Range;

use super::wav::RATE;

/// Voices without words for so long were left out.
const LEFT_OUT: usize = RATE * 5 / 4;
/// After a longer pause something else is said.
const BREAK: usize = RATE;
/// A word begins or ends at most so far from where it is timed.
const SLIP: usize = RATE / 5;
/// A word is not longer than this and a little more for each letter.
const WORD: usize = RATE * 2 / 5;
const LETTER: usize = RATE / 10;

/// Cuts words of impossible length: the first of a segment at its start, others at their end.
pub(super) fn cut_words(words: &mut [(usize, Range<usize>)]) {
    let last = words.len().saturating_sub(1);
    for (index, (letters, range)) in words.iter_mut().enumerate() {
        let longest = WORD + LETTER * *letters;
        if range.len() <= longest {
            continue;
        }
        if index == 0 && last > 0 {
            range.start = range.end - longest;
        } else {
            range.end = range.start + longest;
        }
    }
}

/// Stretches inside the pieces whose voices no word covers, long enough to be heard again: voices
/// with only silence between them are one stretch.
pub(super) fn left_out(
    pieces: &[Range<usize>],
    voices: &[Range<usize>],
    heard: &[Range<usize>],
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for piece in pieces {
        // A stretch, and how much of it is voice.
        let mut stretches: Vec<(Range<usize>, usize)> = Vec::new();
        let gaps = inside(piece, voices).flat_map(|voice| uncovered(voice, heard));
        for gap in gaps.filter(|gap| gap.len() >= SLIP) {
            match stretches.last_mut() {
                Some((stretch, samples))
                    if gap.start < stretch.end + BREAK
                        && is_silent(&(stretch.end..gap.start), heard) =>
                {
                    stretch.end = gap.end;
                    *samples += gap.len();
                }
                _ => stretches.push((gap.clone(), gap.len())),
            }
        }
        let long = stretches
            .into_iter()
            .filter(|(_, samples)| *samples >= LEFT_OUT);
        found.extend(long.map(|(stretch, _)| stretch));
    }
    found
}

/// Voices inside the pieces that nothing touches.
pub(super) fn untouched(
    pieces: &[Range<usize>],
    voices: &[Range<usize>],
    heard: &[Range<usize>],
) -> Vec<Range<usize>> {
    let all = pieces.iter().flat_map(|piece| inside(piece, voices));
    all.filter(|voice| is_silent(voice, heard)).collect()
}

/// Voices as far as they lie inside a piece.
fn inside(piece: &Range<usize>, voices: &[Range<usize>]) -> impl Iterator<Item = Range<usize>> {
    voices
        .iter()
        .map(|voice| voice.start.max(piece.start)..voice.end.min(piece.end))
        .filter(|voice| !voice.is_empty())
}

/// Whether nothing was heard in a stretch.
fn is_silent(stretch: &Range<usize>, heard: &[Range<usize>]) -> bool {
    !heard
        .iter()
        .any(|word| word.start < stretch.end && word.end > stretch.start)
}

/// The parts of a stretch in which nothing was heard.
pub(super) fn uncovered(voice: Range<usize>, heard: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    let mut from = voice.start;
    let mut inside: Vec<&Range<usize>> = heard
        .iter()
        .filter(|word| word.start < voice.end && word.end > voice.start)
        .collect();
    inside.sort_unstable_by_key(|word| word.start);
    for word in inside {
        if word.start > from {
            gaps.push(from..word.start);
        }
        from = from.max(word.end);
    }
    if from < voice.end {
        gaps.push(from..voice.end);
    }
    gaps
}

#[cfg(test)]
mod tests;
