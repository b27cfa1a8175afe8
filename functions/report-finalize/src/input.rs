//! The facts of a report, from the record.

use std::collections::BTreeSet;

use serde_json::Value;
use shared_domain::{Detection, Task};
use shared_policy::{ModelUsed, RunInput, TaskCoverage, VideoFacts};
use shared_store::{Execution, Video};
use time::OffsetDateTime;

/// What is said of the video.
pub(crate) fn video(video: &Video, detections: &[Detection]) -> VideoFacts {
    let probe = video.probe.clone().unwrap_or_default();
    let size = |name: &str| u32::try_from(probe[name].as_u64().unwrap_or(0)).unwrap_or(0);
    let languages: BTreeSet<&str> = detections
        .iter()
        .filter(|found| found.task == Task::Speech && found.label != "und")
        .map(|found| found.label.as_str())
        .collect();
    VideoFacts {
        id: video.video_id,
        project_id: video.project_id,
        original_name: video.original_name.clone(),
        sha256: video.checksum_sha256.clone().unwrap_or_default(),
        size_bytes: video.size_bytes,
        duration_seconds: seconds(video.duration_ms.unwrap_or(0)),
        width: size("width"),
        height: size("height"),
        fps: fps(&probe["fps"]),
        frame_rate: serde_json::from_value(probe["fps"].clone()).ok(),
        start_timecode: probe["start_timecode"].as_str().map(str::to_owned),
        languages: languages.into_iter().map(str::to_owned).collect(),
    }
}

/// What is said of the run.
pub(crate) fn run(run: &Execution, coverage: &[TaskCoverage], now: OffsetDateTime) -> RunInput {
    let models = run
        .models
        .as_ref()
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let text = |model: &Value, name: &str| model[name].as_str().unwrap_or_default().to_owned();
    let used = |model: &Value| {
        Some(ModelUsed {
            task: model["task"].as_str()?.parse().ok()?,
            provider: text(model, "provider"),
            model: text(model, "model"),
            version: text(model, "version"),
        })
    };
    RunInput {
        id: run.execution_id,
        started_at: run.started_at.unwrap_or(now),
        // Judging again does not make the run any longer.
        completed_at: run.completed_at.unwrap_or(now),
        models: models.iter().filter_map(used).collect(),
        predictions: u64::try_from(run.api_calls_count).unwrap_or(0),
        cached: coverage.iter().map(|task| task.cached).sum(),
        cost_usd: run.cost_actual_usd,
    }
}

/// Written by the probe as numerator and denominator.
fn fps(value: &Value) -> f64 {
    let part = |index: usize| value[index].as_f64().unwrap_or(0.0);
    if part(1) > 0.0 {
        part(0) / part(1)
    } else {
        0.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
