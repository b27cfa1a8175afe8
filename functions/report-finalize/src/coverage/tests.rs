use serde_json::json;
use shared_domain::{UNCLEAR, UNREAD};

use super::*;

fn row(task: Task, media: MediaKind, spans: &[(i64, i64)]) -> EvidenceRow {
    EvidenceRow {
        task,
        status: PredictionStatus::Succeeded,
        spans: spans.iter().map(|span| of(*span)).collect(),
        media,
        error: None,
    }
}

fn of((start_ms, end_ms): (i64, i64)) -> Span {
    Span { start_ms, end_ms }
}

fn open(task: Task, label: &str, (start_ms, end_ms): (i64, i64)) -> Detection {
    Detection {
        task,
        label: label.into(),
        score: 1.0,
        start_ms,
        end_ms,
        bbox: None,
        text: None,
        words: Vec::new(),
        object_key: String::new(),
    }
}

fn told(coverage: &[TaskCoverage], task: Task) -> (f64, Vec<(i64, i64, &str)>) {
    let entry = coverage.iter().find(|entry| entry.task == task).unwrap();
    let gaps = entry
        .gaps
        .iter()
        .map(|gap| (gap.start_ms, gap.end_ms, gap.reason.as_str()));
    (entry.seconds, gaps.collect())
}

#[test]
fn what_is_left_open_or_damaged_is_a_gap_and_not_looked_at() {
    let rows = [
        row(Task::Speech, MediaKind::Audio, &[(0, 10_000)]),
        row(Task::Text, MediaKind::Frame, &[(0, 4000), (8000, 20_000)]),
        row(Task::Text, MediaKind::Frame, &[(4000, 8000)]),
        row(Task::Nudity, MediaKind::Frame, &[(0, 20_000)]),
    ];
    let models = json!([{ "task": "speech" }, { "task": "text" }, { "task": "nudity" }]);
    let extraction = json!({
        "silences": [of((10_000, 20_000))],
        "gaps": { "picture": [of((12_000, 15_000))], "sound": [of((17_000, 20_000))] },
    });
    let undecided = [
        open(Task::Speech, UNCLEAR, (2000, 4500)),
        open(Task::Speech, UNCLEAR, (4500, 5000)),
        open(Task::Text, UNREAD, (4000, 8000)),
    ];
    let all = coverage(&Run {
        rows: &rows,
        models: &models,
        undecided: &undecided,
        extraction: &extraction,
        has_audio: true,
    });
    let speech = vec![(17_000, 20_000, "damaged"), (2000, 5000, "unclear")];
    assert_eq!(told(&all, Task::Speech), (14.0, speech));
    let text = vec![(12_000, 15_000, "damaged"), (4000, 8000, "unread")];
    assert_eq!(told(&all, Task::Text), (13.0, text));
    let nudity = vec![(12_000, 15_000, "damaged")];
    assert_eq!(told(&all, Task::Nudity), (17.0, nudity));
    assert_eq!(told(&all, Task::Violence), (0.0, Vec::new()));
}

#[test]
fn a_silence_where_nothing_decoded_is_no_silence() {
    let extraction = json!({
        "silences": [of((0, 9000))],
        "gaps": { "picture": [], "sound": [of((0, 9000))] },
    });
    let all = coverage(&Run {
        rows: &[],
        models: &json!([{ "task": "speech" }]),
        undecided: &[],
        extraction: &extraction,
        has_audio: true,
    });
    let speech = vec![(0, 9000, "damaged")];
    assert_eq!(told(&all, Task::Speech), (0.0, speech));
}

#[test]
fn a_cap_and_a_time_limit_are_named_as_the_reason() {
    let ended = |span, error: &str| EvidenceRow {
        status: PredictionStatus::Failed,
        error: Some(error.into()),
        ..row(Task::Nudity, MediaKind::Frame, &[span])
    };
    let rows = [
        ended((0, 1000), "cost_cap"),
        ended((1000, 2000), "no_answer"),
        ended((2000, 3000), "the model fell over"),
    ];
    let all = coverage(&Run {
        rows: &rows,
        models: &json!([{ "task": "nudity" }]),
        undecided: &[],
        extraction: &json!({}),
        has_audio: true,
    });
    let nudity = vec![
        (0, 1000, "cost_cap"),
        (2000, 3000, "failed"),
        (1000, 2000, "no_answer"),
    ];
    assert_eq!(told(&all, Task::Nudity), (0.0, nudity));
}
