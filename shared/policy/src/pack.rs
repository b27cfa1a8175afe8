//! A policy as data: which evidence is a risk, how grave it is and what the law says.

mod library;
mod read;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared_domain::{Lang, Task};
use time::Date;

use crate::taxonomy::Taxonomy;
use library::in_force;

pub use library::{Packs, SHIPPED};
pub(crate) use read::read_yaml;

/// The JSON Schema of a pack.
pub const PACK_SCHEMA: &str = include_str!("../schema/policy-pack-1.schema.json");

/// The pack that judges unless a project names another.
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

impl Severity {
    /// The name in tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
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
    /// Where it is written, where that differs from the category.
    pub clause: Option<Bilingual>,
    /// How grave it is, where that differs from the category.
    pub severity: Option<Severity>,
    /// Whose evidence it reads.
    pub tasks: Vec<Task>,
    /// Labels of a model, lower case; empty for a rule of words.
    pub labels: Vec<String>,
    /// Names of dictionaries; empty for a rule of labels.
    pub dictionaries: Vec<String>,
    /// Evidence with a lower score is passed over.
    pub min_score: f32,
    /// A finding with a lower score is shown to a second model, and is doubtful unless that agrees.
    pub cross_check: Option<f32>,
    /// Shorter events are passed over.
    pub min_length_ms: i64,
    /// Hits that are no further apart are one event.
    pub merge_gap_ms: i64,
    /// What it does to the verdict.
    pub verdict: RuleVerdict,
    /// Where it puts the video on the pack's scale, at least.
    pub band: Option<String>,
    /// What is worse than one short event.
    pub worse_when: Vec<Step>,
    /// What noticed it, as the earlier system named it: `whisper_profanity`.
    pub source: String,
}

/// Frequency and length from which on a rule weighs more. All conditions hold of the same events, and
/// only of those that were seen or heard clearly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// So many events of the rule.
    pub count: usize,
    /// Beginning so close together; anywhere in the video without it.
    pub within_ms: Option<i64>,
    /// Each of them so long.
    pub length_ms: i64,
    /// All of them together so long.
    pub total_ms: i64,
    /// Where that puts the video on the scale.
    pub band: Option<String>,
    /// What that does to the verdict.
    pub verdict: Option<RuleVerdict>,
}

/// What a pack sorts videos into, the mildest first: age bands, or how much advertising they get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// What people call it: age category.
    pub title: Bilingual,
    /// The mildest first.
    pub bands: Vec<Band>,
}

/// One band of a scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// `16+`.
    pub code: String,
    /// What people call it.
    pub name: Bilingual,
}

impl Scale {
    /// How far from the mildest a band is.
    pub fn place(&self, code: &str) -> Option<usize> {
        self.bands.iter().position(|band| band.code == code)
    }
}

/// A policy pack.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// `general`.
    pub id: String,
    /// Of the pack, not of the program.
    pub version: String,
    /// The packs that it builds upon, the nearest first.
    pub extends: Vec<String>,
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
    /// What it sorts videos into, if it does.
    pub scale: Option<Scale>,
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
    /// Reads a pack that extends no other. `knows` tells whether a dictionary of this name exists.
    pub fn parse(yaml: &str, knows: impl Fn(&str) -> bool) -> Result<Self, PackError> {
        read::parse(
            yaml,
            &read::Known {
                taxonomy: &Taxonomy::built_in()?,
                dictionary: &knows,
                packs: &[],
            },
        )
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

    /// The rule of this id.
    pub fn find_rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// Whether any rule makes something of a task's evidence.
    pub fn reads(&self, task: Task) -> bool {
        self.rules.iter().any(|rule| rule.tasks.contains(&task))
    }

    /// Where it is written that what a rule found is a risk of its category.
    pub fn clause(&self, rule: &str, category: &str) -> Option<&Bilingual> {
        let own = self.find_rule(rule).and_then(|rule| rule.clause.as_ref());
        own.or_else(|| Some(&self.find_category(category)?.clause))
    }

    /// How grave it is what a rule found.
    pub fn severity(&self, rule: &str, category: &str) -> Option<Severity> {
        let own = self.find_rule(rule).and_then(|rule| rule.severity);
        own.or_else(|| Some(self.find_category(category)?.severity))
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
