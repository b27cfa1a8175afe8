#![doc = include_str!("../README.md")]

mod dictionary;
mod evaluate;
mod html;
mod normalise;
mod pack;
mod report;

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
    AgeBand, CoverageFacts, Decision, EvidenceFacts, FoundPlace, GapFacts, JSON_SCHEMA, Judged,
    Line, ModelUsed, PolicyFacts, Report, ReportInput, Risk, RiskReason, RunFacts, RunInput,
    SCHEMA, Stage, VideoFacts, WordFacts,
};
