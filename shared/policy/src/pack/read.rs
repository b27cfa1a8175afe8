//! Reads a pack and tells the line of whatever is wrong with it.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_saphyr::Spanned;
use shared_domain::Task;
use time::Date;
use time::macros::format_description;

use super::{Bilingual, Category, Pack, PackError, Rule, RuleVerdict, Severity};

const MAX_BYTES: usize = 512 * 1024;
const MAX_RULES: usize = 1_000;
/// Of this file format.
const FORMAT: u32 = 1;
const HOUR_MS: i64 = 3_600_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    pack: Spanned<u32>,
    id: Spanned<String>,
    version: Spanned<String>,
    #[serde(default)]
    effective: RawEffective,
    title: Bilingual,
    source: Bilingual,
    disclaimer: Bilingual,
    required: Vec<Spanned<String>>,
    #[serde(default)]
    unclear_below: Option<Spanned<f32>>,
    categories: Vec<RawCategory>,
    #[serde(default)]
    labels: BTreeMap<String, Bilingual>,
    rules: Vec<RawRule>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawEffective {
    from: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCategory {
    code: Spanned<String>,
    risk_code: Option<Spanned<String>>,
    name: Bilingual,
    clause: Bilingual,
    severity: Severity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    category: Spanned<String>,
    risk_code: Option<Spanned<String>>,
    tasks: Vec<Spanned<String>>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    dictionaries: Vec<Spanned<String>>,
    min_score: Option<Spanned<f32>>,
    min_length_ms: Option<Spanned<i64>>,
    merge_gap_ms: Option<Spanned<i64>>,
    verdict: RuleVerdict,
    source: Spanned<String>,
}

pub(super) fn parse(yaml: &str, knows: &dyn Fn(&str) -> bool) -> Result<Pack, PackError> {
    if yaml.len() > MAX_BYTES {
        return Err(whole(format!("the file is larger than {MAX_BYTES} bytes")));
    }
    let options = serde_saphyr::Options {
        with_snippet: false,
        ..Default::default()
    };
    let raw: RawPack = serde_saphyr::from_str_with_options(yaml, options)
        .map_err(|error| malformed(yaml, &error))?;
    if raw.pack.value != FORMAT {
        return Err(at(
            &raw.pack,
            format!("this program reads packs of format {FORMAT}"),
        ));
    }
    let categories = categories(raw.categories)?;
    let rules = rules(raw.rules, &categories, knows)?;
    Ok(Pack {
        id: name(raw.id)?,
        version: name(raw.version)?,
        effective_from: raw.effective.from.map(|text| date(&text)).transpose()?,
        effective_until: raw.effective.until.map(|text| date(&text)).transpose()?,
        title: raw.title,
        source: raw.source,
        disclaimer: raw.disclaimer,
        required: raw.required.iter().map(task).collect::<Result<_, _>>()?,
        unclear_below: raw.unclear_below.map_or(Ok(0.5), |value| share(&value))?,
        categories,
        labels: raw
            .labels
            .into_iter()
            .map(|(label, name)| (label.to_lowercase(), name))
            .collect(),
        rules,
    })
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

fn categories(raw: Vec<RawCategory>) -> Result<Vec<Category>, PackError> {
    let mut seen = HashSet::new();
    let mut categories = Vec::with_capacity(raw.len());
    for category in raw {
        if !seen.insert(category.code.value.clone()) {
            return Err(at(
                &category.code,
                format!("category `{}` is there twice", category.code.value),
            ));
        }
        let code = name(category.code)?;
        categories.push(Category {
            risk_code: category.risk_code.map_or_else(|| Ok(code.clone()), name)?,
            code,
            name: category.name,
            clause: category.clause,
            severity: category.severity,
        });
    }
    Ok(categories)
}

fn rules(
    raw: Vec<RawRule>,
    categories: &[Category],
    knows: &dyn Fn(&str) -> bool,
) -> Result<Vec<Rule>, PackError> {
    if raw.is_empty() || raw.len() > MAX_RULES {
        return Err(whole(format!("a pack has 1 to {MAX_RULES} rules")));
    }
    let mut seen = HashSet::new();
    let mut rules = Vec::with_capacity(raw.len());
    for raw in raw {
        if !seen.insert(raw.id.value.clone()) {
            return Err(at(
                &raw.id,
                format!("rule `{}` is there twice", raw.id.value),
            ));
        }
        rules.push(rule(raw, categories, knows)?);
    }
    Ok(rules)
}

fn rule(
    raw: RawRule,
    categories: &[Category],
    knows: &dyn Fn(&str) -> bool,
) -> Result<Rule, PackError> {
    let Some(category) = categories.iter().find(|c| c.code == raw.category.value) else {
        let codes: Vec<&str> = categories.iter().map(|c| c.code.as_str()).collect();
        let reason = format!(
            "unknown category `{}`; there are {}",
            raw.category.value,
            codes.join(", ")
        );
        return Err(at(&raw.category, reason));
    };
    if let Some(unknown) = raw.dictionaries.iter().find(|list| !knows(&list.value)) {
        return Err(at(
            unknown,
            format!("unknown dictionary `{}`", unknown.value),
        ));
    }
    let tasks: Vec<Task> = raw.tasks.iter().map(task).collect::<Result<_, _>>()?;
    if tasks.is_empty() {
        return Err(at(&raw.id, "a rule names at least one task".into()));
    }
    let of_words = |task: &Task| matches!(task, Task::Speech | Task::Text);
    match (raw.labels.is_empty(), raw.dictionaries.is_empty()) {
        (true, true) => return Err(at(&raw.id, "a rule has labels or dictionaries".into())),
        (_, false) if !tasks.iter().all(of_words) => {
            return Err(at(
                &raw.id,
                "dictionaries are for the tasks speech and text".into(),
            ));
        }
        (false, false) => {
            return Err(at(
                &raw.id,
                "a rule has labels or dictionaries, not both".into(),
            ));
        }
        _ => {}
    }
    Ok(Rule {
        risk_code: raw
            .risk_code
            .map_or_else(|| Ok(category.risk_code.clone()), name)?,
        category: category.code.clone(),
        id: name(raw.id)?,
        tasks,
        labels: raw
            .labels
            .iter()
            .map(|label| label.to_lowercase())
            .collect(),
        dictionaries: raw
            .dictionaries
            .into_iter()
            .map(|list| list.value)
            .collect(),
        min_score: raw.min_score.map_or(Ok(0.0), |value| share(&value))?,
        min_length_ms: raw.min_length_ms.map_or(Ok(0), |value| length(&value))?,
        merge_gap_ms: raw.merge_gap_ms.map_or(Ok(0), |value| length(&value))?,
        verdict: raw.verdict,
        source: name(raw.source)?,
    })
}

fn whole(reason: String) -> PackError {
    PackError { line: 0, reason }
}

fn at<T>(place: &Spanned<T>, reason: String) -> PackError {
    PackError {
        line: place.referenced.line(),
        reason,
    }
}

/// Codes go into file names, columns and JSON keys.
fn name(text: Spanned<String>) -> Result<String, PackError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let value = &text.value;
    if value.is_empty() || value.len() > 64 || !value.chars().all(fits) || value.starts_with('.') {
        return Err(at(
            &text,
            format!("`{value}` is not 1 to 64 letters, digits, `.`, `_` or `-`"),
        ));
    }
    Ok(text.value)
}

fn task(text: &Spanned<String>) -> Result<Task, PackError> {
    text.value
        .parse()
        .map_err(|error: shared_domain::UnknownTask| at(text, error.to_string()))
}

fn share(value: &Spanned<f32>) -> Result<f32, PackError> {
    if (0.0..=1.0).contains(&value.value) {
        Ok(value.value)
    } else {
        Err(at(value, format!("{} is not between 0 and 1", value.value)))
    }
}

fn length(value: &Spanned<i64>) -> Result<i64, PackError> {
    if (0..=HOUR_MS).contains(&value.value) {
        Ok(value.value)
    } else {
        Err(at(
            value,
            format!(
                "{} is not between 0 and {HOUR_MS} milliseconds",
                value.value
            ),
        ))
    }
}

fn date(text: &Spanned<String>) -> Result<Date, PackError> {
    Date::parse(&text.value, format_description!("[year]-[month]-[day]")).map_err(|_| {
        at(
            text,
            format!("`{}` is not a date such as 2026-01-31", text.value),
        )
    })
}
