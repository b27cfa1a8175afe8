#![doc = include_str!("../README.md")]

mod advertising;
mod compare;
mod dictionary;
mod evaluate;
mod html;
mod normalise;
mod pack;
mod project;
mod report;
mod taxonomy;

pub use compare::{
    Change, Changes, Fate, OldRisk, Previous, StretchFacts, Unclear, Version, compare,
};
pub use dictionary::{
    BUILT_IN, Dictionaries, Dictionary, DictionaryError, Hit, How, ListError, PolicyConfig,
};
pub use evaluate::{
    Evaluation, Evidence, Gap, Highlight, MAX_EVIDENCE, NotChecked, NotRun, Rating, Reason,
    TaskCoverage, Trigger, Verdict, evaluate, is_doubtful, rate,
};
pub use html::HtmlError;
pub use normalise::Text;
pub use pack::{
    Band, Bilingual, Category, PACK_SCHEMA, Pack, PackError, Packs, Rule, RuleVerdict, SHIPPED,
    Scale, Severity, Step,
};
pub use project::ProjectWords;
pub use report::{
    AgeBand, CoverageFacts, Decision, EvidenceFacts, FoundPlace, GapFacts, JSON_SCHEMA, Judged,
    Line, ModelUsed, PolicyFacts, Report, ReportInput, Risk, RiskReason, RunFacts, RunInput,
    SCHEMA, Stage, VideoFacts, WordFacts,
};
pub use taxonomy::{Area, Definition, Kind, Named, Taxonomy};
