//! The answer, in the shape of the hosted model whisper-diarization, plus what was left out and why.

use serde::Serialize;

/// Everything that was said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Transcript {
    /// The language of most of the speech; none when nobody speaks.
    pub(super) language: Option<String>,
    pub(super) segments: Vec<Segment>,
    /// Stretches with a voice whose text is not trusted.
    pub(super) dropped: Vec<Dropped>,
}

/// A sentence or a part of one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Segment {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) text: String,
    pub(super) language: String,
    pub(super) avg_logprob: f64,
    pub(super) no_speech_prob: f64,
    pub(super) compression_ratio: f64,
    pub(super) words: Vec<TimedWord>,
}

/// A word with its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct TimedWord {
    pub(super) word: String,
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) probability: f64,
}

/// A stretch whose text was dropped.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Dropped {
    pub(super) start: f64,
    pub(super) end: f64,
    pub(super) reason: Reason,
}

/// Why a text is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reason {
    /// The model ran in circles.
    Repetition,
    /// The model doubts that anybody spoke.
    NoSpeech,
    /// There is a voice, but no text that can be relied on.
    Unclear,
}

impl Transcript {
    /// Puts everything in order of time.
    pub(super) fn new(mut segments: Vec<Segment>, mut dropped: Vec<Dropped>) -> Self {
        segments.sort_by(|a, b| a.start.total_cmp(&b.start));
        dropped.sort_by(|a, b| a.start.total_cmp(&b.start));
        let spoken = |language: &str| -> f64 {
            let same = segments
                .iter()
                .filter(|segment| segment.language == language);
            same.map(|segment| segment.end - segment.start).sum()
        };
        let longest = segments
            .iter()
            .max_by(|a, b| spoken(&a.language).total_cmp(&spoken(&b.language)))
            .map(|segment| segment.language.clone());
        Self {
            language: longest,
            segments,
            dropped,
        }
    }
}

/// A number to three decimals.
pub(super) fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1000.0).round() / 1000.0
}
