//! What was looked at, and what was not: from the plan of the run, the end of each question, what
//! the answers leave open, and what the decoder could not read.

use std::collections::BTreeMap;

use serde_json::Value;
use shared_domain::{Detection, MediaKind, Span, Task};
use shared_policy::{Gap, NotRun, TaskCoverage};
use shared_store::{EvidenceRow, PredictionStatus};

/// The facts of a run that coverage is made of.
pub(crate) struct Run<'a> {
    /// What ended how.
    pub(crate) rows: &'a [EvidenceRow],
    /// The models of the run, as `frame-extract` wrote them down.
    pub(crate) models: &'a Value,
    /// Findings that say what could not be made out.
    pub(crate) undecided: &'a [Detection],
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
    let is = |row: &EvidenceRow, status| row.status == status;
    let looked = rows
        .iter()
        .filter(|row| is(row, PredictionStatus::Succeeded) || is(row, PredictionStatus::Cached));
    let mut seen: Vec<Span> = looked.clone().flat_map(|row| row.spans.clone()).collect();
    if task == Task::Speech {
        // Silence needs no model.
        seen.extend(spans(&run.extraction["silences"]));
    }
    let gaps = match not_run {
        None => gaps(run, task, &rows),
        Some(_) => Vec::new(),
    };
    let count = |status| rows.iter().filter(|row| is(row, status)).count() as u64;
    TaskCoverage {
        task,
        run: not_run.is_none(),
        not_run,
        seconds: seconds(length_without(seen, &gaps)),
        frames: looked.filter(|row| row.media == MediaKind::Frame).count() as u64,
        cached: count(PredictionStatus::Cached),
        undecided: count(PredictionStatus::Undecided),
        failed: count(PredictionStatus::Failed),
        limits: model.map(limits).unwrap_or_default(),
        gaps,
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

fn spans(value: &Value) -> Vec<Span> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

/// Stretches that nothing is known of, neighbours of one reason joined.
fn gaps(run: &Run<'_>, task: Task, rows: &[&EvidenceRow]) -> Vec<Gap> {
    let mut by_reason: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for row in rows {
        let reason = match row.status {
            PredictionStatus::Succeeded | PredictionStatus::Cached => continue,
            PredictionStatus::Undecided => "undecided",
            _ => match row.error.as_deref() {
                Some("cost_cap") => "cost_cap",
                Some("no_answer") => "no_answer",
                _ => "failed",
            },
        };
        by_reason.entry(reason).or_default().extend(&row.spans);
    }
    for open in run.undecided.iter().filter(|open| open.task == task) {
        by_reason.entry(&open.label).or_default().push(Span {
            start_ms: open.start_ms,
            end_ms: open.end_ms,
        });
    }
    let track = match task {
        Task::Speech => "sound",
        _ => "picture",
    };
    let damaged = spans(&run.extraction["gaps"][track]);
    by_reason.entry("damaged").or_default().extend(damaged);
    if track == "picture" {
        let hurried = spans(&run.extraction["hurried"]);
        by_reason.entry("hurried").or_default().extend(hurried);
    }
    let told = |(reason, spans): (&str, Vec<Span>)| {
        let gap = |span: Span| Gap {
            start_ms: span.start_ms,
            end_ms: span.end_ms,
            reason: reason.into(),
        };
        joined(spans).into_iter().map(gap).collect::<Vec<_>>()
    };
    by_reason.into_iter().flat_map(told).collect()
}

/// In order, without overlap.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start_ms <= last.end_ms => {
                last.end_ms = last.end_ms.max(span.end_ms);
            }
            _ => joined.push(span),
        }
    }
    joined
}

/// What was looked at counts once, and not where something was left open.
fn length_without(seen: Vec<Span>, gaps: &[Gap]) -> i64 {
    let holes = gaps.iter().map(|gap| Span {
        start_ms: gap.start_ms,
        end_ms: gap.end_ms,
    });
    let holes: Vec<Span> = joined(holes.collect());
    let length = |spans: &[Span]| spans.iter().map(|span| span.length_ms()).sum::<i64>();
    let both: Vec<Span> = seen.into_iter().chain(holes.iter().copied()).collect();
    length(&joined(both)) - length(&holes)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests;
