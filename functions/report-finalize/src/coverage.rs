//! What was looked at, and what was not: from the plan of the run and the end of each question.

use std::collections::BTreeMap;

use serde_json::Value;
use shared_domain::{MediaKind, Span, Task};
use shared_policy::{Gap, NotRun, TaskCoverage};
use shared_store::{EvidenceRow, PredictionStatus};

/// The facts of a run that coverage is made of.
pub(crate) struct Run<'a> {
    /// What ended how.
    pub(crate) rows: &'a [EvidenceRow],
    /// The models of the run, as `frame-extract` wrote them down.
    pub(crate) models: &'a Value,
    /// What `frame-extract` cut.
    pub(crate) extraction: &'a Value,
    /// Whether the video has sound.
    pub(crate) has_audio: bool,
}

/// Coverage of every task that looks at the video; `context` only ever looks at findings.
pub(crate) fn coverage(run: &Run<'_>) -> Vec<TaskCoverage> {
    let tasks = Task::ALL.into_iter().filter(|task| *task != Task::Context);
    tasks.map(|task| of_task(run, task)).collect()
}

fn of_task(run: &Run<'_>, task: Task) -> TaskCoverage {
    let rows: Vec<&EvidenceRow> = run.rows.iter().filter(|row| row.task == task).collect();
    let model = model(run.models, task);
    let not_run = match (task, run.has_audio, model) {
        // A video without sound needs no model for speech: there is nothing to hear.
        (Task::Speech, false, _) => Some(NotRun::NoSound),
        (_, _, None) => Some(NotRun::NoModel),
        (_, _, Some(_)) => None,
    };
    let silences = if task == Task::Speech {
        silences(run.extraction)
    } else {
        Vec::new()
    };
    let is = |row: &EvidenceRow, status| row.status == status;
    let looked = rows
        .iter()
        .filter(|row| is(row, PredictionStatus::Succeeded) || is(row, PredictionStatus::Cached));
    let seen: i64 = looked
        .clone()
        .flat_map(|row| &row.spans)
        .chain(&silences)
        .map(|s| s.length_ms())
        .sum();
    let count = |status| rows.iter().filter(|row| is(row, status)).count() as u64;
    TaskCoverage {
        task,
        run: not_run.is_none(),
        not_run,
        seconds: seconds(seen),
        frames: looked.filter(|row| row.media == MediaKind::Frame).count() as u64,
        cached: count(PredictionStatus::Cached),
        undecided: count(PredictionStatus::Undecided),
        failed: count(PredictionStatus::Failed),
        limits: model.map(limits).unwrap_or_default(),
        gaps: gaps(&rows),
    }
}

fn model(models: &Value, task: Task) -> Option<&Value> {
    models
        .as_array()?
        .iter()
        .find(|model| model["task"] == task.as_str())
}

fn limits(model: &Value) -> Vec<String> {
    let limits = model["limits"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    limits
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn silences(extraction: &Value) -> Vec<Span> {
    serde_json::from_value(extraction["silences"].clone()).unwrap_or_default()
}

/// Stretches without an answer, neighbours of one reason joined.
fn gaps(rows: &[&EvidenceRow]) -> Vec<Gap> {
    let mut by_reason: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for row in rows {
        let reason = match row.status {
            PredictionStatus::Succeeded | PredictionStatus::Cached => continue,
            PredictionStatus::Undecided => "undecided",
            _ => "failed",
        };
        by_reason.entry(reason).or_default().extend(&row.spans);
    }
    let join = |(reason, mut spans): (&str, Vec<Span>)| {
        spans.sort();
        let mut gaps: Vec<Gap> = Vec::new();
        for span in spans {
            match gaps.last_mut() {
                Some(gap) if span.start_ms <= gap.end_ms => {
                    gap.end_ms = gap.end_ms.max(span.end_ms);
                }
                _ => gaps.push(Gap {
                    start_ms: span.start_ms,
                    end_ms: span.end_ms,
                    reason: reason.into(),
                }),
            }
        }
        gaps
    };
    by_reason.into_iter().flat_map(join).collect()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
