//! What there is to find: areas, categories, risks, their names, and what an operator may answer.
//!
//! Codes are stable; packs choose among them and say which law applies and how grave it is.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::pack::{Bilingual, PackError, Severity, read_yaml};

const TEXT: &str = include_str!("../taxonomy.yaml");

/// Everything that a risk may be called.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taxonomy {
    /// Answers to any risk: acceptable, false alarm.
    pub decisions: Vec<Named>,
    /// The first level.
    pub areas: Vec<Area>,
    /// What people read instead of a model's label.
    pub labels: BTreeMap<String, Bilingual>,
}

/// A code and what people call it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// `ok_false`.
    pub code: String,
    /// What people call it.
    pub name: Bilingual,
}

/// The first level: `substances`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// `substances`.
    pub code: String,
    /// What people call it.
    pub name: Bilingual,
    /// The second level.
    pub categories: Vec<Kind>,
}

/// The second level: `profanity`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// `profanity`.
    pub code: String,
    /// What people call it.
    pub name: Bilingual,
    /// Risks of other categories that an operator may answer with.
    #[serde(default)]
    pub also: Vec<String>,
    /// The third level; the first is meant where a pack names the category alone.
    pub risks: Vec<Definition>,
}

/// The third level: `mat_speech`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// `mat_speech`.
    pub code: String,
    /// What people call it.
    pub name: Bilingual,
    /// One sentence.
    pub description: Bilingual,
    /// Where it is written, unless a pack says otherwise.
    pub clause: Bilingual,
    /// How grave it is, unless a pack says otherwise.
    pub level: Severity,
}

impl Taxonomy {
    /// The taxonomy, which comes with the program.
    pub fn built_in() -> Result<Self, PackError> {
        read_yaml(TEXT)
    }

    /// The category of this code.
    pub fn find_category(&self, code: &str) -> Option<&Kind> {
        self.categories()
            .map(|(_, kind)| kind)
            .find(|kind| kind.code == code)
    }

    /// Every category with its area, in the order of the file.
    pub fn categories(&self) -> impl Iterator<Item = (&Area, &Kind)> {
        self.areas
            .iter()
            .flat_map(|area| area.categories.iter().map(move |kind| (area, kind)))
    }

    /// What an operator may answer to a risk of the category, the risks first.
    pub fn answers<'t>(&'t self, kind: &'t Kind) -> impl Iterator<Item = &'t str> {
        let own = kind.risks.iter().map(|risk| risk.code.as_str());
        let also = kind.also.iter().map(String::as_str);
        let decisions = self.decisions.iter().map(|named| named.code.as_str());
        own.chain(also).chain(decisions)
    }
}

#[cfg(test)]
mod tests;
