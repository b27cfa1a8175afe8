//! Puts words back into running text, so that a phrase is found across segments and lines, and knows
//! for each part of it where and when it stands.

use std::ops::Range;

use shared_domain::{BBox, Detection, QR, Task, Word};

use super::{Evidence, Highlight};
use crate::Hit;

/// A longer silence ends a passage.
const MAX_SILENCE_MS: i64 = 1_500;
/// Keeps one passage from growing to the whole film.
const MAX_PIECES: usize = 2_000;
/// What is shown around a hit, in characters to each side.
const CONTEXT: usize = 70;

struct Piece<'a> {
    detection: &'a Detection,
    /// `None` for a whole line or segment.
    word: Option<&'a Word>,
    range: Range<usize>,
}

/// A running text with its places.
pub(crate) struct Passage<'a> {
    pub(crate) text: String,
    pieces: Vec<Piece<'a>>,
}

/// Where a hit stands.
pub(crate) struct Placed {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) evidence: Evidence,
}

impl<'a> Passage<'a> {
    fn new() -> Self {
        Self {
            text: String::new(),
            pieces: Vec::new(),
        }
    }

    fn push(&mut self, detection: &'a Detection, word: Option<&'a Word>, text: &str, gap: char) {
        if !self.text.is_empty() {
            self.text.push(gap);
        }
        let start = self.text.len();
        self.text.push_str(text);
        self.pieces.push(Piece {
            detection,
            word,
            range: start..self.text.len(),
        });
    }

    /// The evidence for a hit; `None` if it lies between the pieces.
    pub(crate) fn place(&self, hit: &Hit, unclear_below: f32) -> Option<Placed> {
        let first = self
            .pieces
            .partition_point(|piece| piece.range.end <= hit.start);
        let behind = self
            .pieces
            .partition_point(|piece| piece.range.start < hit.end);
        let pieces = self.pieces.get(first..behind)?;
        let (head, tail) = (pieces.first()?, pieces.last()?);
        let start_ms = head
            .word
            .map_or(head.detection.start_ms, |word| word.start_ms);
        let end_ms = tail
            .word
            .map_or(tail.detection.end_ms, |word| word.end_ms)
            .max(start_ms);
        let score = pieces.iter().map(Piece::score).fold(1.0, f32::min);
        let (text, highlight) = self.excerpt(hit.start..hit.end);
        let evidence = Evidence {
            object_key: head.detection.object_key.clone(),
            at_ms: start_ms,
            end_ms,
            label: hit.entry.to_string(),
            score,
            bbox: around(pieces),
            text: Some(text),
            highlight: Some(highlight),
            words: pieces
                .iter()
                .filter_map(|piece| piece.word.cloned())
                .collect(),
            unclear: score < unclear_below,
        };
        Some(Placed {
            start_ms,
            end_ms,
            evidence,
        })
    }

    /// The hit with some words around it.
    fn excerpt(&self, hit: Range<usize>) -> (String, Highlight) {
        let (before, after) = (&self.text[..hit.start], &self.text[hit.end..]);
        let left = before
            .char_indices()
            .rev()
            .nth(CONTEXT)
            .map_or(0, |(at, _)| {
                // Begin with a whole word, unless the only word is endless.
                before[at..]
                    .find(char::is_whitespace)
                    .map_or(at, |gap| at + gap + 1)
            });
        let right = after
            .char_indices()
            .nth(CONTEXT)
            .map_or(after.len(), |(at, _)| {
                after[..at].rfind(char::is_whitespace).unwrap_or(at)
            });
        let mut text = String::new();
        if left > 0 {
            text.push('…');
        }
        text.push_str(before[left..].trim_start());
        let start = text.chars().count();
        text.push_str(&self.text[hit.clone()]);
        let end = text.chars().count();
        text.push_str(after[..right].trim_end());
        if right < after.trim_end().len() {
            text.push('…');
        }
        (text.replace('\n', " "), Highlight { start, end })
    }
}

impl Piece<'_> {
    fn score(&self) -> f32 {
        let own = self.word.and_then(|word| word.probability);
        sound(own.unwrap_or(self.detection.score))
    }
}

/// A score is 0 to 1 whatever a model says.
pub(crate) fn sound(score: f32) -> f32 {
    if score.is_finite() {
        score.clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// The box around the boxes.
fn around(pieces: &[Piece<'_>]) -> Option<BBox> {
    let mut boxes = pieces.iter().filter_map(|piece| piece.detection.bbox);
    let first = boxes.next()?;
    Some(boxes.fold(first, |all, one| {
        let (x, y) = (all.x.min(one.x), all.y.min(one.y));
        let right = (all.x + all.w).max(one.x + one.w);
        let bottom = (all.y + all.h).max(one.y + one.h);
        BBox {
            x,
            y,
            w: right - x,
            h: bottom - y,
        }
    }))
}

/// Everything that is said: segments without a pause between them are one passage.
pub(crate) fn spoken<'a>(detections: &[&'a Detection]) -> Vec<Passage<'a>> {
    let mut said: Vec<&Detection> = detections
        .iter()
        .copied()
        .filter(|d| d.task == Task::Speech)
        .collect();
    said.sort_by_key(|d| (d.start_ms, d.end_ms));
    let mut passages: Vec<Passage<'a>> = Vec::new();
    let mut end_ms = i64::MIN;
    for detection in said {
        let pause = detection.start_ms.saturating_sub(end_ms) > MAX_SILENCE_MS;
        let full = passages
            .last()
            .is_none_or(|last| last.pieces.len() >= MAX_PIECES);
        if pause || full {
            passages.push(Passage::new());
        }
        end_ms = end_ms.max(detection.end_ms);
        let Some(passage) = passages.last_mut() else {
            continue;
        };
        if detection.words.is_empty() {
            passage.push(
                detection,
                None,
                detection.text.as_deref().unwrap_or_default(),
                ' ',
            );
        }
        for word in &detection.words {
            passage.push(detection, Some(word), word.text.trim(), ' ');
        }
    }
    passages
}

/// Everything that is shown: the lines of one frame, from top to bottom, are one passage.
pub(crate) fn shown<'a>(detections: &[&'a Detection]) -> Vec<Passage<'a>> {
    let mut lines: Vec<&Detection> = detections
        .iter()
        .copied()
        .filter(|d| d.task == Task::Text && d.text.as_deref().is_some_and(|text| !text.is_empty()))
        // What a code holds is no text that anybody reads.
        .filter(|d| d.label != QR)
        .collect();
    let top = |d: &Detection| d.bbox.map_or((0.0, 0.0), |b| (b.y + b.h / 2.0, b.x));
    lines.sort_by(|a, b| {
        let frame = |d: &&Detection| (d.start_ms, d.end_ms, d.object_key.clone());
        let ((ay, ax), (by, bx)) = (top(a), top(b));
        frame(a)
            .cmp(&frame(b))
            .then(ay.total_cmp(&by))
            .then(ax.total_cmp(&bx))
    });
    let mut passages: Vec<Passage<'a>> = Vec::new();
    let mut last: Option<&Detection> = None;
    for line in lines {
        let same = last.is_some_and(|l| {
            (l.start_ms, l.end_ms, &l.object_key) == (line.start_ms, line.end_ms, &line.object_key)
        });
        if !same {
            passages.push(Passage::new());
        }
        if let Some(passage) = passages.last_mut() {
            passage.push(line, None, line.text.as_deref().unwrap_or_default(), '\n');
        }
        last = Some(line);
    }
    passages
}
