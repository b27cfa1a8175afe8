//! OpenTimelineIO: one clip with a marker for each risk, in the clip's own time, which begins with the
//! video's start timecode.

use serde_json::{Value, json};

use crate::clean;
use crate::error::ExportError;
use crate::findings::Marker;
use crate::format::Export;
use crate::timeline::Timeline;

pub(crate) fn write(export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
    let timeline = export.timeline();
    let name = clean::file_name(&export.report.video.original_name);
    let whole = range(timeline, timeline.start.frame(), timeline.length);
    let markers: Vec<Value> = export
        .markers(timeline)
        .iter()
        .map(|found| marker(found, timeline))
        .collect();
    let media = json!({
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": name,
        "target_url": name,
        "available_range": whole,
        "available_image_bounds": null,
        "metadata": {},
    });
    let clip = json!({
        "OTIO_SCHEMA": "Clip.2",
        "name": name,
        "source_range": whole,
        "effects": [],
        "markers": markers,
        "enabled": true,
        "active_media_reference_key": "DEFAULT_MEDIA",
        "media_references": { "DEFAULT_MEDIA": media },
        "metadata": {},
    });
    let track = composition("Track.1", "V1", &json!([clip]), Some("Video"));
    let file = json!({
        "OTIO_SCHEMA": "Timeline.1",
        "name": name,
        "global_start_time": time(timeline, timeline.start.frame()),
        "tracks": composition("Stack.1", "tracks", &json!([track]), None),
        "metadata": { "compliance": {
            "drop_frame": timeline.start.is_drop_frame(),
            "start_timecode": timeline.start.to_string(),
            "video_id": export.report.video.id,
        } },
    });
    Ok(serde_json::to_vec_pretty(&file)?)
}

fn composition(schema: &str, name: &str, children: &Value, kind: Option<&str>) -> Value {
    let mut value = json!({
        "OTIO_SCHEMA": schema,
        "name": name,
        "source_range": null,
        "effects": [],
        "markers": [],
        "enabled": true,
        "children": children,
        "metadata": {},
    });
    if let Some(kind) = kind {
        value["kind"] = kind.into();
    }
    value
}

fn marker(marker: &Marker<'_>, timeline: Timeline) -> Value {
    let first = timeline.start.frame() + marker.first;
    json!({
        "OTIO_SCHEMA": "Marker.2",
        "name": marker.name,
        "comment": marker.note,
        "color": marker.color().to_uppercase(),
        "marked_range": range(timeline, first, marker.length()),
        "metadata": { "compliance": {
            "risk_id": marker.risk.id,
            "code": marker.risk.code,
            "timecode": timeline.timecode(marker.first).to_string(),
        } },
    })
}

fn range(timeline: Timeline, first: u64, length: u64) -> Value {
    json!({
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": time(timeline, first),
        "duration": time(timeline, length),
    })
}

fn time(timeline: Timeline, frame: u64) -> Value {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a day has fewer frames than 2^53"
    )]
    let value = frame as f64;
    json!({
        "OTIO_SCHEMA": "RationalTime.1",
        "rate": timeline.rate.as_f64(),
        "value": value,
    })
}
