//! FCPXML 1.9 for Final Cut Pro: a project whose clip carries a marker for each risk. Every time is an
//! exact multiple of the frame's length, `90090/30000s`, as the program demands.

use std::io;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use shared_policy::{CoverageFacts, NotRun};

use crate::clean;
use crate::error::ExportError;
use crate::findings::Marker;
use crate::format::Export;
use crate::timeline::Timeline;
use crate::xml::Xml;

pub(crate) fn write(export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
    let timeline = export.timeline();
    let name = clean::file_name(&export.report.video.original_name);
    let (start, length) = (
        time(timeline, timeline.start.frame()),
        time(timeline, timeline.length),
    );
    let counting = match timeline.start.is_drop_frame() {
        true => "DF",
        false => "NDF",
    };
    let sequence = [
        ("format", "r1"),
        ("duration", length.as_str()),
        ("tcStart", start.as_str()),
        ("tcFormat", counting),
    ];
    let clip = [
        ("ref", "r2"),
        ("name", name.as_str()),
        ("format", "r1"),
        ("tcFormat", counting),
        ("offset", start.as_str()),
        ("start", start.as_str()),
        ("duration", length.as_str()),
    ];
    let mut xml = Xml::new("fcpxml")?;
    xml.element("fcpxml", &[("version", "1.9")], |xml| {
        resources(xml, export, timeline, &name)?;
        xml.element("library", &[], |xml| {
            xml.element("event", &[("name", name.as_str())], |xml| {
                xml.element("project", &[("name", name.as_str())], |xml| {
                    xml.element("sequence", &sequence, |xml| {
                        xml.element("spine", &[], |xml| {
                            xml.element("asset-clip", &clip, |xml| {
                                export
                                    .markers(timeline)
                                    .iter()
                                    .try_for_each(|found| marker(xml, found, timeline))
                            })
                        })
                    })
                })
            })
        })
    })?;
    Ok(xml.finish())
}

fn resources(xml: &mut Xml, export: &Export<'_>, timeline: Timeline, name: &str) -> io::Result<()> {
    let video = &export.report.video;
    let (width, height) = (video.width.to_string(), video.height.to_string());
    let frame = format!(
        "{}/{}s",
        timeline.rate.denominator(),
        timeline.rate.numerator()
    );
    let (start, length) = (
        time(timeline, timeline.start.frame()),
        time(timeline, timeline.length),
    );
    let format = [
        ("id", "r1"),
        ("frameDuration", frame.as_str()),
        ("width", width.as_str()),
        ("height", height.as_str()),
    ];
    let silent = |task: &CoverageFacts| task.not_run == Some(NotRun::NoSound);
    let has_sound = match export.report.coverage.iter().any(silent) {
        true => "0",
        false => "1",
    };
    let asset = [
        ("id", "r2"),
        ("name", name),
        ("start", start.as_str()),
        ("duration", length.as_str()),
        ("format", "r1"),
        ("hasVideo", "1"),
        ("hasAudio", has_sound),
    ];
    // Where the file lies is not known; the program asks for it.
    let path = format!("file:///{}", utf8_percent_encode(name, NON_ALPHANUMERIC));
    xml.element("resources", &[], |xml| {
        xml.empty("format", &format)?;
        xml.element("asset", &asset, |xml| {
            xml.empty(
                "media-rep",
                &[("kind", "original-media"), ("src", path.as_str())],
            )
        })
    })
}

fn marker(xml: &mut Xml, marker: &Marker<'_>, timeline: Timeline) -> io::Result<()> {
    let start = time(timeline, timeline.start.frame() + marker.first);
    let length = time(timeline, marker.length());
    let attributes = [
        ("start", start.as_str()),
        ("duration", length.as_str()),
        ("value", marker.name.as_str()),
        ("note", marker.note.as_str()),
    ];
    xml.empty("marker", &attributes)
}

/// So many frames.
fn time(timeline: Timeline, frames: u64) -> String {
    if frames == 0 {
        return "0s".to_owned();
    }
    let above = u128::from(frames) * u128::from(timeline.rate.denominator());
    format!("{above}/{}s", timeline.rate.numerator())
}
