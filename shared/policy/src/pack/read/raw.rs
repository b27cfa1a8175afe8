//! A pack as it is written, with the line of everything that may be wrong.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_saphyr::{Budget, Options, Spanned};

use super::super::{Bilingual, PackError, RuleVerdict, Severity};

/// Nothing that a person writes is nested deeper.
const MAX_DEPTH: usize = 24;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPack {
    pub(super) pack: Spanned<u32>,
    pub(super) id: Spanned<String>,
    pub(super) version: Spanned<String>,
    pub(super) extends: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) effective: RawEffective,
    pub(super) title: Bilingual,
    pub(super) source: Option<Bilingual>,
    pub(super) disclaimer: Option<Bilingual>,
    pub(super) required: Option<Vec<Spanned<String>>>,
    pub(super) unclear_below: Option<Spanned<f32>>,
    #[serde(default)]
    pub(super) thresholds: BTreeMap<String, Spanned<f32>>,
    #[serde(default)]
    pub(super) without: Vec<Spanned<String>>,
    pub(super) scale: Option<RawScale>,
    #[serde(default)]
    pub(super) categories: Vec<RawCategory>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, Bilingual>,
    #[serde(default)]
    pub(super) rules: Vec<RawRule>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawEffective {
    pub(super) from: Option<Spanned<String>>,
    pub(super) until: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScale {
    pub(super) title: Bilingual,
    pub(super) bands: Vec<RawBand>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBand {
    pub(super) code: Spanned<String>,
    pub(super) name: Bilingual,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCategory {
    pub(super) code: Spanned<String>,
    pub(super) risk_code: Option<Spanned<String>>,
    pub(super) name: Option<Bilingual>,
    pub(super) clause: Bilingual,
    pub(super) severity: Severity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) id: Spanned<String>,
    pub(super) category: Spanned<String>,
    pub(super) risk_code: Option<Spanned<String>>,
    pub(super) clause: Option<Bilingual>,
    pub(super) severity: Option<Severity>,
    pub(super) tasks: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default)]
    pub(super) dictionaries: Vec<Spanned<String>>,
    pub(super) min_score: Option<Spanned<f32>>,
    pub(super) cross_check: Option<Spanned<f32>>,
    pub(super) min_length_ms: Option<Spanned<i64>>,
    pub(super) merge_gap_ms: Option<Spanned<i64>>,
    pub(super) verdict: RuleVerdict,
    pub(super) band: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) worse_when: Vec<RawStep>,
    pub(super) source: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub(super) count: Option<Spanned<i64>>,
    pub(super) within_ms: Option<Spanned<i64>>,
    pub(super) length_ms: Option<Spanned<i64>>,
    pub(super) total_ms: Option<Spanned<i64>>,
    pub(super) band: Option<Spanned<String>>,
    pub(super) verdict: Option<RuleVerdict>,
}

/// Reads a file of this crate's; what is no such file is refused with its line.
pub(crate) fn read_yaml<T: DeserializeOwned>(yaml: &str) -> Result<T, PackError> {
    let options = Options {
        with_snippet: false,
        budget: Some(Budget {
            max_depth: MAX_DEPTH,
            ..Budget::default()
        }),
        ..Options::default()
    };
    serde_saphyr::from_str_with_options(yaml, options).map_err(|error| malformed(yaml, &error))
}

fn malformed(yaml: &str, error: &serde_saphyr::Error) -> PackError {
    let first = error.location().map_or(0, |location| location.line());
    let mut reason = error.to_string();
    if let Some(place) = reason.rfind(" at line ") {
        reason.truncate(place);
    }
    // The parser places an unknown field at the beginning of its block.
    let field = reason
        .strip_prefix("unknown field `")
        .and_then(|rest| rest.split('`').next());
    let written = field.and_then(|field| {
        let skipped = usize::try_from(first).unwrap_or(0).saturating_sub(1);
        let lines = yaml.lines().zip(1..).skip(skipped);
        lines
            .into_iter()
            .find(|(line, _)| line.contains(field))
            .map(|(_, number)| number)
    });
    PackError {
        line: written.unwrap_or(first),
        reason,
    }
}
