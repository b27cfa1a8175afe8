//! Nothing with a voice goes missing in silence: what a window left out is found here, so that it
//! is heard once more, alone, or else listed as unclear.
//!
//! Whisper leaves out whole sentences when the language changes. The timing then stretches the word
//! next to the gap over it, which is why words of impossible length are cut first.

use std::ops::Range;

use super::wav::RATE;

/// A voice without words for so long was left out.
pub(super) const LEFT_OUT: usize = RATE * 5 / 4;
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

/// Voices inside the pieces that no word covers, long enough to matter.
pub(super) fn left_out(
    pieces: &[Range<usize>],
    voices: &[Range<usize>],
    heard: &[Range<usize>],
) -> Vec<Range<usize>> {
    let mut gaps = Vec::new();
    for piece in pieces {
        for voice in voices {
            let voice = voice.start.max(piece.start)..voice.end.min(piece.end);
            gaps.extend(uncovered(voice, heard));
        }
    }
    gaps.retain(|gap: &Range<usize>| gap.len() >= LEFT_OUT);
    gaps
}

fn uncovered(voice: Range<usize>, heard: &[Range<usize>]) -> Vec<Range<usize>> {
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
