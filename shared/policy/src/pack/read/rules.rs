//! The rules of a pack.

use std::collections::HashSet;

use serde_saphyr::Spanned;
use shared_domain::Task;

use super::super::{Category, PackError, Rule, Scale, Step};
use super::Known;
use super::raw::{RawRule, RawStep};
use super::value::{at, count, length, name, share, task};

/// What the rules of a pack refer to.
pub(super) struct Around<'a> {
    pub(super) categories: &'a [Category],
    pub(super) scale: Option<&'a Scale>,
    pub(super) known: &'a Known<'a>,
}

impl Around<'_> {
    /// A band of the scale.
    fn band(&self, code: Spanned<String>) -> Result<String, PackError> {
        let Some(scale) = self.scale else {
            return Err(at(&code, "a rule has a band, and the pack has no `scale`"));
        };
        if scale.place(&code.value).is_none() {
            let codes: Vec<&str> = scale.bands.iter().map(|band| band.code.as_str()).collect();
            let there = codes.join(", ");
            let reason = format!("unknown band `{}`; there are {there}", code.value);
            return Err(at(&code, reason));
        }
        Ok(code.value)
    }
}

pub(super) fn rules(raw: Vec<RawRule>, around: &Around<'_>) -> Result<Vec<Rule>, PackError> {
    let mut seen = HashSet::new();
    let mut rules = Vec::with_capacity(raw.len());
    for raw in raw {
        if !seen.insert(raw.id.value.clone()) {
            return Err(at(
                &raw.id,
                format!("rule `{}` is there twice", raw.id.value),
            ));
        }
        rules.push(rule(raw, around)?);
    }
    Ok(rules)
}

fn rule(raw: RawRule, around: &Around<'_>) -> Result<Rule, PackError> {
    let (categories, known) = (around.categories, around.known);
    let line = raw.id.referenced.line();
    let Some(category) = categories.iter().find(|c| c.code == raw.category.value) else {
        let codes: Vec<&str> = categories.iter().map(|c| c.code.as_str()).collect();
        let reason = format!(
            "unknown category `{}`; there are {}",
            raw.category.value,
            codes.join(", ")
        );
        return Err(at(&raw.category, reason));
    };
    if let Some(unknown) = raw
        .dictionaries
        .iter()
        .find(|list| !(known.dictionary)(&list.value))
    {
        return Err(at(
            unknown,
            format!("unknown dictionary `{}`", unknown.value),
        ));
    }
    let tasks: Vec<Task> = raw.tasks.iter().map(task).collect::<Result<_, _>>()?;
    evidence(&raw, &tasks)?;
    let risk_code = match &raw.risk_code {
        Some(code) => known.risk(&category.code, code)?,
        None => category.risk_code.clone(),
    };
    Ok(Rule {
        risk_code,
        category: category.code.clone(),
        id: name(raw.id)?,
        clause: raw.clause,
        severity: raw.severity,
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
        cross_check: raw.cross_check.map(|value| share(&value)).transpose()?,
        min_length_ms: raw.min_length_ms.map_or(Ok(0), |value| length(&value))?,
        merge_gap_ms: raw.merge_gap_ms.map_or(Ok(0), |value| length(&value))?,
        verdict: raw.verdict,
        band: raw.band.map(|code| around.band(code)).transpose()?,
        worse_when: raw
            .worse_when
            .into_iter()
            .map(|raw| step(raw, line, around))
            .collect::<Result<_, _>>()?,
        source: name(raw.source)?,
    })
}

/// A rule reads what its tasks give.
fn evidence(raw: &RawRule, tasks: &[Task]) -> Result<(), PackError> {
    if tasks.is_empty() {
        return Err(at(&raw.id, "a rule names at least one task"));
    }
    if tasks.contains(&Task::Context) {
        let reason = "the task context answers to `cross_check` and finds nothing by itself";
        return Err(at(&raw.id, reason));
    }
    let of_words = |task: &Task| matches!(task, Task::Speech | Task::Text);
    if let Some(place) = &raw.cross_check
        && tasks.iter().any(of_words)
    {
        return Err(at(place, "a second model looks at frames only"));
    }
    match (raw.labels.is_empty(), raw.dictionaries.is_empty()) {
        (true, true) => Err(at(&raw.id, "a rule has labels or dictionaries")),
        (_, false) if !tasks.iter().all(of_words) => Err(at(
            &raw.id,
            "dictionaries are for the tasks speech and text",
        )),
        (false, false) => Err(at(&raw.id, "a rule has labels or dictionaries, not both")),
        _ => Ok(()),
    }
}

/// `line` is the rule's, for a step that says nothing.
fn step(raw: RawStep, line: u64, around: &Around<'_>) -> Result<Step, PackError> {
    let places = [&raw.count, &raw.length_ms, &raw.total_ms, &raw.within_ms];
    let place = places.into_iter().flatten().next();
    let line = place.map_or(line, |place| place.referenced.line());
    let lacks = |reason: &str| PackError {
        line,
        reason: reason.into(),
    };
    if raw.count.is_none() && raw.length_ms.is_none() && raw.total_ms.is_none() {
        return Err(lacks("`worse_when` has count, length_ms or total_ms"));
    }
    if let Some(within) = &raw.within_ms
        && raw.count.is_none()
    {
        return Err(at(within, "`within_ms` says how close `count` events are"));
    }
    if raw.band.is_none() && raw.verdict.is_none() {
        return Err(lacks("`worse_when` has a band or a verdict"));
    }
    Ok(Step {
        count: raw.count.map_or(Ok(1), |value| count(&value))?,
        within_ms: raw.within_ms.map(|value| length(&value)).transpose()?,
        length_ms: raw.length_ms.map_or(Ok(0), |value| length(&value))?,
        total_ms: raw.total_ms.map_or(Ok(0), |value| length(&value))?,
        band: raw.band.map(|code| around.band(code)).transpose()?,
        verdict: raw.verdict,
    })
}
