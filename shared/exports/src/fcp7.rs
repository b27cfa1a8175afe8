//! Final Cut Pro 7 XML (`xmeml` 5), which Premiere Pro and Resolve import: a sequence that holds the
//! video, with a marker for each risk. Places are frames from the start of the sequence.

use std::io;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::clean;
use crate::error::ExportError;
use crate::findings::Marker;
use crate::format::Export;
use crate::timeline::Timeline;
use crate::xml::Xml;

pub(crate) fn write(export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
    let timeline = export.timeline();
    let video = &export.report.video;
    let name = clean::file_name(&video.original_name);
    let length = timeline.length.to_string();
    let mut xml = Xml::new("xmeml")?;
    xml.element("xmeml", &[("version", "5")], |xml| {
        xml.element("sequence", &[("id", "sequence-1")], |xml| {
            xml.text("uuid", &video.id.to_string())?;
            xml.text("name", &name)?;
            xml.text("duration", &length)?;
            rate(xml, timeline)?;
            timecode(xml, timeline)?;
            xml.element("media", &[], |xml| {
                xml.element("video", &[], |xml| {
                    xml.element("format", &[], |xml| picture(xml, export, timeline))?;
                    xml.element("track", &[], |xml| {
                        xml.element("clipitem", &[("id", "clipitem-1")], |xml| {
                            clip(xml, export, timeline, &name)
                        })
                    })
                })
            })?;
            export
                .markers(timeline)
                .iter()
                .try_for_each(|found| marker(xml, found))
        })
    })?;
    Ok(xml.finish())
}

fn rate(xml: &mut Xml, timeline: Timeline) -> io::Result<()> {
    let ntsc = match timeline.rate.is_ntsc() {
        true => "TRUE",
        false => "FALSE",
    };
    xml.element("rate", &[], |xml| {
        xml.text("timebase", &timeline.rate.nominal().to_string())?;
        xml.text("ntsc", ntsc)
    })
}

fn timecode(xml: &mut Xml, timeline: Timeline) -> io::Result<()> {
    let format = match timeline.start.is_drop_frame() {
        true => "DF",
        false => "NDF",
    };
    xml.element("timecode", &[], |xml| {
        rate(xml, timeline)?;
        xml.text("string", &timeline.start.to_string())?;
        xml.text("frame", &timeline.start.frame().to_string())?;
        xml.text("displayformat", format)
    })
}

fn picture(xml: &mut Xml, export: &Export<'_>, timeline: Timeline) -> io::Result<()> {
    let video = &export.report.video;
    xml.element("samplecharacteristics", &[], |xml| {
        rate(xml, timeline)?;
        xml.text("width", &video.width.to_string())?;
        xml.text("height", &video.height.to_string())?;
        xml.text("pixelaspectratio", "square")
    })
}

fn clip(xml: &mut Xml, export: &Export<'_>, timeline: Timeline, name: &str) -> io::Result<()> {
    let length = timeline.length.to_string();
    xml.text("name", name)?;
    xml.text("duration", &length)?;
    rate(xml, timeline)?;
    xml.text("start", "0")?;
    xml.text("end", &length)?;
    xml.text("in", "0")?;
    xml.text("out", &length)?;
    xml.element("file", &[("id", "file-1")], |xml| {
        xml.text("name", name)?;
        // Where the file lies is not known; programs look for the name.
        let path = utf8_percent_encode(name, NON_ALPHANUMERIC);
        xml.text("pathurl", &format!("file://localhost/{path}"))?;
        rate(xml, timeline)?;
        xml.text("duration", &length)?;
        timecode(xml, timeline)?;
        xml.element("media", &[], |xml| {
            xml.element("video", &[], |xml| picture(xml, export, timeline))
        })
    })
}

fn marker(xml: &mut Xml, marker: &Marker<'_>) -> io::Result<()> {
    // The program knows no end of its own for a marker of one frame.
    let out = match marker.length() {
        1 => "-1".to_owned(),
        _ => marker.end.to_string(),
    };
    xml.element("marker", &[], |xml| {
        xml.text("name", &marker.name)?;
        xml.text("comment", &marker.note)?;
        xml.text("in", &marker.first.to_string())?;
        xml.text("out", &out)
    })
}
