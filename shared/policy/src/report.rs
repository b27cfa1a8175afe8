//! The report as data, `compliance-report/1`: the same facts for programs, files and pages.
//!
//! Times are seconds of the video with three decimals; texts are in both languages; keys and lists
//! have a fixed order, so that the same facts are the same bytes and can be sealed.

mod build;
mod told;
mod transcript;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared_domain::{BBox, ExecutionId, Lang, ProjectId, Task, TriggerId, VideoId};
use time::OffsetDateTime;

use crate::compare::Changes;
use crate::evaluate::{Evaluation, Highlight, NotChecked, NotRun, Reason, Trigger, Verdict};
use crate::pack::{Bilingual, Pack, Severity};

pub use transcript::{FoundPlace, Line};

/// The name of the shape.
pub const SCHEMA: &str = "compliance-report/1";

/// The JSON Schema of the shape.
pub const JSON_SCHEMA: &str = include_str!("../schema/compliance-report-1.schema.json");

/// Before or after the human decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The machine's findings; nobody has looked yet.
    Ai,
    /// Built from the decisions of people.
    Final,
}

impl Stage {
    /// The name in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ai => "ai",
            Self::Final => "final",
        }
    }
}

/// The video as it was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoFacts {
    /// Which video.
    pub id: VideoId,
    /// Whose.
    pub project_id: ProjectId,
    /// The client's file name.
    pub original_name: String,
    /// Of the file, lower-case hex.
    pub sha256: String,
    /// Of the file.
    pub size_bytes: u64,
    /// Length.
    pub duration_seconds: f64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames a second.
    pub fps: f64,
    /// The same as a fraction: 30000/1001 is 29.97. Reports of earlier releases lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<(u32, u32)>,
    /// `HH:MM:SS:FF` of the first frame, `;` before the frames when frames are dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_timecode: Option<String>,
    /// Languages heard, as codes.
    pub languages: Vec<String>,
}

/// A model that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUsed {
    /// What it was asked for.
    pub task: Task,
    /// Who ran it.
    pub provider: String,
    /// `owner/name`.
    pub model: String,
    /// The pinned version.
    pub version: String,
}

/// The run as its caller knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInput {
    /// Which run.
    pub id: ExecutionId,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// When it ended.
    pub completed_at: OffsetDateTime,
    /// The models that were asked.
    pub models: Vec<ModelUsed>,
    /// Questions put.
    pub predictions: u64,
    /// Questions answered from the cache.
    pub cached: u64,
    /// What the provider takes, in US dollars.
    pub cost_usd: f64,
}

/// What a person decided about a risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// `ok_false`, `mat_speech` …
    pub label: String,
    /// Who, as the client may see it.
    pub by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// In the person's words.
    pub comment: Option<String>,
    /// The version that the person saw, when the decision was carried over from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<VideoId>,
}

/// A risk with its id and, later, its decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged<'a> {
    /// Given by the caller, who also stores the trigger under it.
    pub id: TriggerId,
    /// The risk.
    pub trigger: &'a Trigger,
    /// What a person made of it.
    pub decision: Option<Decision>,
}

/// Everything that a report is built from.
#[derive(Debug)]
pub struct ReportInput<'a> {
    /// The video.
    pub video: VideoFacts,
    /// The run.
    pub run: RunInput,
    /// Whether people have decided.
    pub stage: Stage,
    /// The policy that judged.
    pub pack: &'a Pack,
    /// Its judgement; verdict, reasons and coverage are taken from it.
    pub evaluation: &'a Evaluation,
    /// Its triggers (or those that people left), in the order of time.
    pub risks: Vec<Judged<'a>>,
    /// Addresses under which the reader finds frames, by object key; a frame without one has `null`.
    pub frame_urls: &'a BTreeMap<String, String>,
}

/// The policy that judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFacts {
    /// `general`.
    pub id: String,
    /// Of the pack.
    pub version: String,
    /// What people call it.
    pub title: Bilingual,
    /// What it was drawn from.
    pub source: Bilingual,
}

/// The run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunFacts {
    /// Which run.
    pub id: ExecutionId,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub completed_at: OffsetDateTime,
    /// The policy that judged.
    pub policy: PolicyFacts,
    /// The models that were asked.
    pub models: Vec<ModelUsed>,
    /// Questions put.
    pub predictions: u64,
    /// Questions answered from the cache.
    pub cached: u64,
    /// What the provider takes, in US dollars.
    pub cost_usd: f64,
}

/// For whom a video is fit, or what else the scale of the policy tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeBand {
    /// `ru-436-fz`.
    pub scheme: String,
    /// What people call the scale: age category.
    pub title: Bilingual,
    /// `16+`.
    pub value: String,
    /// What people call the band.
    pub name: Bilingual,
    /// Not everything was looked at, so that it may be a graver one.
    pub at_least: bool,
    /// The risks that decide it.
    pub reasons: Vec<TriggerId>,
}

impl AgeBand {
    /// What people call the band, and that it may be a graver one: `no milder than 16+`.
    pub fn told(&self, lang: Lang) -> String {
        let name = self.name.pick(lang);
        match (self.at_least, lang) {
            (false, _) => name.to_owned(),
            (true, Lang::Ru) => format!("не мягче {name}"),
            (true, Lang::En) => format!("no milder than {name}"),
        }
    }
}

/// A stretch that was not looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GapFacts {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// As the run told it.
    pub reason: String,
}

/// What one task looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoverageFacts {
    /// Which task.
    pub task: Task,
    /// What people call it.
    pub name: Bilingual,
    /// Whether the policy asks for it.
    pub required: bool,
    /// Whether it was run.
    pub run: bool,
    /// Why not, if not.
    pub not_run: Option<NotRun>,
    /// Seconds that were looked at.
    pub seconds: f64,
    /// Frames, or stretches of sound.
    pub frames: u64,
    /// Of them from the cache.
    pub cached: u64,
    /// Answers that could not be read.
    pub undecided: u64,
    /// Questions without an answer.
    pub failed: u64,
    /// What the model cannot do.
    pub limits: Vec<String>,
    /// What was not looked at.
    pub gaps: Vec<GapFacts>,
}

/// The rule behind a risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskReason {
    /// Of the pack.
    pub rule: String,
    /// Where it is written.
    pub clause: Bilingual,
}

/// A spoken word of a risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WordFacts {
    /// As it was heard.
    pub text: String,
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// 0 to 1, when the model gives one.
    pub probability: Option<f64>,
}

/// What a risk was seen or heard in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceFacts {
    /// Address of the frame, if the reader has one.
    pub frame_url: Option<String>,
    /// The stored frame or sound.
    pub object_key: String,
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// The model's label, or the dictionary's entry.
    pub label: String,
    /// 0 to 1.
    pub score: f64,
    /// Where in the frame, as shares of it.
    #[serde(rename = "box")]
    pub bbox: Option<BBox>,
    /// What is said or shown around.
    pub text: Option<String>,
    /// The matched part of `text`, in characters.
    pub highlight: Option<Highlight>,
    /// The matched words.
    pub words: Vec<WordFacts>,
    /// Heard or read with little certainty.
    pub unclear: bool,
}

/// A risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Risk {
    /// Of the trigger.
    pub id: TriggerId,
    /// Of the risk definition: `mat_speech`.
    pub code: String,
    /// Of the pack: `profanity`.
    pub category: String,
    /// What people call it.
    pub risk_name: Bilingual,
    /// How grave it is.
    pub risk_level: Severity,
    /// What it does to the verdict: `review` or `fail`.
    pub verdict: crate::pack::RuleVerdict,
    /// The kind of evidence: the task's name.
    #[serde(rename = "type")]
    pub kind: Task,
    /// What noticed it.
    pub source: String,
    /// Seconds.
    pub start_seconds: f64,
    /// Seconds.
    pub end_seconds: f64,
    /// The start for people: `00:01:02.500`.
    pub timestamp: String,
    /// The highest score.
    pub confidence: f64,
    /// Heard or read with little certainty.
    pub unclear: bool,
    /// How many hits it is made of.
    pub count: u64,
    /// One sentence.
    pub description: Bilingual,
    /// Rule and clause.
    pub reason: RiskReason,
    /// In the order of time.
    pub evidence: Vec<EvidenceFacts>,
    /// The most telling piece of `evidence`.
    pub best_evidence: u64,
    /// What a person made of it; `null` before.
    pub decision: Option<Decision>,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `compliance-report/1`.
    pub schema: String,
    /// The video.
    pub video: VideoFacts,
    /// The run.
    pub run: RunFacts,
    /// The result.
    pub verdict: Verdict,
    /// Why; empty for `pass`.
    pub verdict_reasons: Vec<Reason>,
    /// Whether people have decided.
    pub stage: Stage,
    /// For whom it is fit; `null` where the policy does not tell.
    pub age_band: Option<AgeBand>,
    /// What was looked at.
    pub coverage: Vec<CoverageFacts>,
    /// What was not, in words.
    pub not_checked: Vec<NotChecked>,
    /// How many risks.
    pub total_triggers: u64,
    /// Risks by kind of evidence.
    pub triggers_by_type: BTreeMap<String, u64>,
    /// Risks by what noticed them.
    pub triggers_by_source: BTreeMap<String, u64>,
    /// Risks by category.
    pub triggers_by_category: BTreeMap<String, u64>,
    /// In the order of time.
    pub risks: Vec<Risk>,
    /// What was said, in pieces of a subtitle's length. Reports of earlier releases lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Vec<Line>>,
    /// What changed since the version before; only where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// That it is no legal advice.
    pub disclaimer: Bilingual,
}

#[cfg(test)]
pub(crate) mod tests;
