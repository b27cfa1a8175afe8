#![doc = include_str!("../README.md")]

mod compare;
mod dictionary;
mod evaluate;
mod html;
mod normalise;
mod pack;
mod report;

pub use compare::{
    Change, Changes, Fate, OldRisk, Previous, StretchFacts, Unclear, Version, compare,
};
pub use dictionary::{
    BUILT_IN, Dictionaries, Dictionary, DictionaryError, Hit, How, ListError, PolicyConfig,
};
pub use evaluate::{
    Evaluation, Evidence, Gap, Highlight, MAX_EVIDENCE, NotChecked, NotRun, Reason, TaskCoverage,
    Trigger, Verdict, evaluate,
};
pub use html::HtmlError;
pub use normalise::Text;
pub use pack::{Bilingual, Category, Pack, PackError, Rule, RuleVerdict, Severity};
pub use report::{
    AgeBand, CoverageFacts, Decision, EvidenceFacts, GapFacts, JSON_SCHEMA, Judged, ModelUsed,
    PolicyFacts, Report, ReportInput, Risk, RiskReason, RunFacts, RunInput, SCHEMA, Stage,
    VideoFacts, WordFacts,
};
