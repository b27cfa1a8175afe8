//! What was heard so far, and where nothing was: every voice ends up as text or on the list of what
//! could not be understood.

use std::ops::Range;

use super::coverage::{left_out, uncovered, untouched};
use super::transcript::{Dropped, Reason, Segment, Transcript};
use super::vad::seconds;
use super::wav::RATE;

/// A stretch of a voice at least so long is listed when it was heard twice without a word.
const LISTED: usize = RATE / 2;

/// A segment and the samples of its words.
#[derive(Debug)]
struct Said {
    segment: Segment,
    words: Vec<Range<usize>>,
}

/// What has been found so far.
#[derive(Debug, Default)]
pub(super) struct Found {
    said: Vec<Said>,
    dropped: Vec<(Range<usize>, Reason)>,
    /// Stretches whose text was not believed, not yet heard again nor listed.
    doubtful: Vec<Range<usize>>,
}

impl Found {
    pub(super) fn say(&mut self, segment: Segment, words: Vec<Range<usize>>) {
        self.said.push(Said { segment, words });
    }

    pub(super) fn drop(&mut self, range: Range<usize>, reason: Reason) {
        self.dropped.push((range, reason));
    }

    /// Puts the place of words that are not believed on the list of doubts.
    pub(super) fn doubt(&mut self, words: &[Range<usize>]) {
        if let (Some(first), Some(last)) = (words.first(), words.last()) {
            self.doubtful.push(first.start..last.end);
        }
    }

    /// Voices without words that are long enough to be heard again.
    pub(super) fn left_out(
        &self,
        pieces: &[Range<usize>],
        voices: &[Range<usize>],
    ) -> Vec<Range<usize>> {
        left_out(pieces, voices, &self.heard())
    }

    /// Takes in what a second hearing of a stretch has brought, as far as it is clear, and lists
    /// the voices of the stretch that still have no words.
    pub(super) fn take(
        &mut self,
        gap: &Range<usize>,
        voices: &[Range<usize>],
        mut again: Self,
        clear: f64,
    ) {
        again.said.retain(|said| said.segment.avg_logprob > clear);
        self.said.extend(again.said);
        self.dropped.extend(again.dropped);
        self.doubtful.extend(again.doubtful);
        let silent = voices
            .iter()
            .map(|voice| voice.start.max(gap.start)..voice.end.min(gap.end));
        for voice in silent.filter(|voice| !voice.is_empty()) {
            self.list(voice);
        }
    }

    /// Lists whatever of a window is neither text nor listed: doubts, and voices that no word
    /// touches. In a window without any words even the shortest voice is listed.
    pub(super) fn close(&mut self, pieces: &[Range<usize>], voices: &[Range<usize>]) {
        for doubt in std::mem::take(&mut self.doubtful) {
            self.list(doubt);
        }
        let heard = self.heard();
        let inside = |range: &Range<usize>| {
            let touches = |piece: &Range<usize>| range.start < piece.end && piece.start < range.end;
            pieces.iter().any(touches)
        };
        let least = if heard.iter().any(inside) { LISTED } else { 1 };
        for voice in untouched(pieces, voices, &heard) {
            if voice.len() >= least {
                self.drop(voice, Reason::Unclear);
            }
        }
    }

    /// Everything in order of time.
    pub(super) fn into_transcript(self) -> Transcript {
        let segments = self.said.into_iter().map(|said| said.segment).collect();
        let dropped = self.dropped.into_iter().map(|(range, reason)| {
            let (start, end) = (seconds(range.start), seconds(range.end));
            Dropped { start, end, reason }
        });
        Transcript::new(segments, dropped.collect())
    }

    /// Samples that a word or a listed stretch accounts for.
    fn heard(&self) -> Vec<Range<usize>> {
        let words = self.said.iter().flat_map(|said| said.words.iter().cloned());
        let dropped = self.dropped.iter().map(|(range, _)| range.clone());
        words.chain(dropped).collect()
    }

    /// Lists the parts of a stretch that nothing accounts for; a stretch shorter than what is
    /// listed counts as a whole.
    fn list(&mut self, stretch: Range<usize>) {
        let least = LISTED.min(stretch.len());
        for part in uncovered(stretch, &self.heard()) {
            if part.len() >= least {
                self.drop(part, Reason::Unclear);
            }
        }
    }
}

#[cfg(test)]
mod tests;
