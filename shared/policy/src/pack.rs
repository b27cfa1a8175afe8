//! A policy as data: which evidence is a risk, how grave it is and what the law says.

mod read;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared_domain::{Lang, Task};
use time::Date;

/// The pack that is compiled in.
const GENERAL: &str = include_str!("../packs/general.yaml");

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Russian.
    pub ru: String,
    /// English.
    pub en: String,
}

impl Bilingual {
    /// The text of a language.
    pub fn pick(&self, lang: Lang) -> &str {
        lang.pick(&self.ru, &self.en)
    }
}

/// How grave a risk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Worth a decision.
    Medium,
    /// May cost a fine or the channel.
    High,
}

/// What a rule's risk does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleVerdict {
    /// A person has to look.
    Review,
    /// Not to be published as it is.
    Fail,
}

/// A kind of risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// `profanity`.
    pub code: String,
    /// Code of the risk definition: `mat_speech`.
    pub risk_code: String,
    /// What people call it.
    pub name: Bilingual,
    /// Where it is written.
    pub clause: Bilingual,
    /// How grave it is.
    pub severity: Severity,
}

/// Which evidence is a risk of a category.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique within the pack.
    pub id: String,
    /// Code of a category of the pack.
    pub category: String,
    /// Code of the risk definition; the category's unless the rule has its own.
    pub risk_code: String,
    /// Whose evidence it reads.
    pub tasks: Vec<Task>,
    /// Labels of a model, lower case; empty for a rule of words.
    pub labels: Vec<String>,
    /// Names of dictionaries; empty for a rule of labels.
    pub dictionaries: Vec<String>,
    /// Evidence with a lower score is passed over.
    pub min_score: f32,
    /// Shorter events are passed over.
    pub min_length_ms: i64,
    /// Hits that are no further apart are one event.
    pub merge_gap_ms: i64,
    /// What it does to the verdict.
    pub verdict: RuleVerdict,
    /// What noticed it, as the earlier system named it: `whisper_profanity`.
    pub source: String,
}

/// A policy pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// `general`.
    pub id: String,
    /// Of the pack, not of the program.
    pub version: String,
    /// First day on which it holds.
    pub effective_from: Option<Date>,
    /// Last day on which it holds.
    pub effective_until: Option<Date>,
    /// What people call it.
    pub title: Bilingual,
    /// What it was drawn from.
    pub source: Bilingual,
    /// That it is no legal advice.
    pub disclaimer: Bilingual,
    /// Tasks without which nothing passes.
    pub required: Vec<Task>,
    /// Words below this probability are unclear.
    pub unclear_below: f32,
    /// In the order in which reports list them.
    pub categories: Vec<Category>,
    /// Names of labels.
    pub labels: BTreeMap<String, Bilingual>,
    /// In the order of the file.
    pub rules: Vec<Rule>,
}

/// A pack that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy pack, line {line}: {reason}")]
pub struct PackError {
    /// From 1; 0 when it is about the whole file.
    pub line: u64,
    /// What is wrong and what is allowed.
    pub reason: String,
}

impl Pack {
    /// Reads a pack. `knows` tells whether a dictionary of this name exists.
    pub fn parse(yaml: &str, knows: impl Fn(&str) -> bool) -> Result<Self, PackError> {
        read::parse(yaml, &knows)
    }

    /// The pack `general`, which comes with the program.
    pub fn general(knows: impl Fn(&str) -> bool) -> Result<Self, PackError> {
        Self::parse(GENERAL, knows)
    }

    /// The category of this code.
    pub fn find_category(&self, code: &str) -> Option<&Category> {
        self.categories
            .iter()
            .find(|category| category.code == code)
    }

    /// What people call a model's label.
    pub fn label(&self, label: &str, lang: Lang) -> String {
        self.labels
            .get(label)
            .map_or(label, |name| name.pick(lang))
            .to_owned()
    }

    /// Whether it holds on a day.
    pub fn holds_on(&self, day: Date) -> bool {
        self.effective_from.is_none_or(|from| from <= day)
            && self.effective_until.is_none_or(|until| day <= until)
    }
}

#[cfg(test)]
mod tests;
