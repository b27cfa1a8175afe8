//! Evidence times policy: which stretches are risks, and what that makes of the video.
//!
//! Pure: the same detections, coverage and pack give the same answer, in the same order, without any
//! call. What was not looked at counts: a gap turns `pass` into `review`.

mod coverage;
pub(crate) mod describe;
mod doubt;
mod hits;
pub(crate) mod merge;
pub(crate) mod passage;
mod weigh;

use serde::{Deserialize, Serialize};
use shared_domain::{BBox, Detection, Task, Word};

use crate::pack::{Bilingual, Pack, RuleVerdict};
use crate::{Dictionaries, advertising};

pub use coverage::{Gap, NotChecked, NotRun, TaskCoverage};
pub(crate) use coverage::{gap_text, limit_text};
pub(crate) use describe::task_name;
pub use doubt::is_doubtful;
pub(crate) use hits::Found;
pub use weigh::{Rating, rate};

/// The result in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything was looked at and nothing was found.
    Pass,
    /// A person has to look.
    Review,
    /// Not to be published as it is.
    Fail,
}

impl Verdict {
    /// The name in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Fail => "fail",
        }
    }
}

/// Why the verdict is what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// For programs: `risk_fail`, `risk_review`, `not_run`, `gap`, `undecided`, `failed`, `limit`.
    pub code: String,
    /// For people.
    pub text: Bilingual,
}

/// A part of a text, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Highlight {
    /// First character.
    pub start: usize,
    /// Behind the last.
    pub end: usize,
}

/// What a risk was seen or heard in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The frame or the sound.
    pub object_key: String,
    /// Milliseconds of the video.
    pub at_ms: i64,
    /// Milliseconds of the video, exclusive.
    pub end_ms: i64,
    /// The model's label, or the dictionary's entry.
    pub label: String,
    /// 0 to 1.
    pub score: f32,
    /// Where in the frame.
    pub bbox: Option<BBox>,
    /// The words around.
    pub text: Option<String>,
    /// The matched part of `text`.
    pub highlight: Option<Highlight>,
    /// The matched words with their times; empty where the model gives none.
    pub words: Vec<Word>,
    /// Heard or read with little certainty.
    pub unclear: bool,
}

/// A risk: neighbouring hits of one category and source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// The gravest rule that applies.
    pub rule: String,
    /// Code of the category.
    pub category: String,
    /// Code of the risk definition.
    pub risk_code: String,
    /// What noticed it.
    pub source: String,
    /// Whose evidence it is.
    pub task: Task,
    /// What it does to the verdict.
    pub verdict: RuleVerdict,
    /// Milliseconds of the video.
    pub start_ms: i64,
    /// Milliseconds of the video, exclusive.
    pub end_ms: i64,
    /// The highest score.
    pub confidence: f32,
    /// Every hit is unclear.
    pub unclear: bool,
    /// How many hits it is made of.
    pub count: usize,
    /// Some of the hits, in the order of time; at most `MAX_EVIDENCE`.
    pub evidence: Vec<Evidence>,
    /// The most telling piece of `evidence`.
    pub best: usize,
    /// One sentence.
    pub description: Bilingual,
}

/// More pieces of evidence say nothing more.
pub const MAX_EVIDENCE: usize = 24;

/// What the policy makes of a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The result.
    pub verdict: Verdict,
    /// Why; empty for `pass`.
    pub reasons: Vec<Reason>,
    /// Where the video stands on the pack's scale, if the pack has one.
    pub rating: Option<Rating>,
    /// In the order of time.
    pub triggers: Vec<Trigger>,
    /// Every task that the policy asks for or that was run.
    pub coverage: Vec<TaskCoverage>,
    /// What was not looked at, said aloud.
    pub not_checked: Vec<NotChecked>,
}

/// Judges a video.
pub fn evaluate(
    detections: &[Detection],
    coverage: &[TaskCoverage],
    pack: &Pack,
    dictionaries: &Dictionaries,
) -> Evaluation {
    let hits = hits::find(detections, pack, dictionaries);
    let adverts = advertising::triggers(detections, pack, dictionaries);
    let mut triggers = merge::events(hits, adverts, pack);
    weigh::raise(&mut triggers, pack);
    let coverage = coverage::complete(coverage, pack);
    let not_checked = coverage::not_checked(&coverage);
    let mut reasons = risk_reasons(&triggers);
    let holes = coverage::reasons(&coverage, pack);
    let rating = rate(&triggers, holes.is_empty(), pack);
    reasons.extend(holes);
    let verdict = match triggers.iter().map(|trigger| trigger.verdict).max() {
        Some(RuleVerdict::Fail) => Verdict::Fail,
        Some(RuleVerdict::Review) => Verdict::Review,
        None if reasons.is_empty() => Verdict::Pass,
        None => Verdict::Review,
    };
    Evaluation {
        verdict,
        reasons,
        rating,
        triggers,
        coverage,
        not_checked,
    }
}

fn risk_reasons(triggers: &[Trigger]) -> Vec<Reason> {
    let count = |verdict| triggers.iter().filter(|t| t.verdict == verdict).count();
    let mut reasons = Vec::new();
    let fail = count(RuleVerdict::Fail);
    if fail > 0 {
        let text = Bilingual {
            ru: format!("Серьёзных рисков: {fail}."),
            en: format!("Serious risks: {fail}."),
        };
        reasons.push(Reason {
            code: "risk_fail".into(),
            text,
        });
    }
    let review = count(RuleVerdict::Review);
    if review > 0 {
        let text = Bilingual {
            ru: format!("Рисков, которые должен посмотреть человек: {review}."),
            en: format!("Risks for a person to look at: {review}."),
        };
        reasons.push(Reason {
            code: "risk_review".into(),
            text,
        });
    }
    reasons
}

#[cfg(test)]
mod tests;
