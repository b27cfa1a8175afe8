//! Markers as DaVinci Resolve exports and imports them: a CMX 3600 list of one-frame events, each with
//! a line of colour, name and length.
//!
//! Resolve has one marker on a frame, so risks that begin on the same frame share one.

use std::fmt::Write;

use crate::clean;
use crate::findings::Marker;
use crate::format::Export;

/// What Resolve shows of a name.
const NAME: usize = 200;

pub(crate) fn write(export: &Export<'_>) -> Vec<u8> {
    let timeline = export.timeline();
    let counting = match timeline.start.is_drop_frame() {
        true => "DROP FRAME",
        false => "NON-DROP FRAME",
    };
    let title = clean::line(&export.report.video.original_name, NAME);
    let mut list = format!("TITLE: {title}\r\nFCM: {counting}\r\n\r\n");
    let markers = export.markers(timeline);
    let shared = markers.chunk_by(|one, next| one.first == next.first);
    for (together, number) in shared.zip(1..) {
        let Some(one) = together.iter().max_by_key(|marker| marker.risk.risk_level) else {
            continue;
        };
        let start = timeline.timecode(one.first);
        let end = start.plus(1);
        let length = together.iter().map(Marker::length).max().unwrap_or(1);
        let names: Vec<&str> = together.iter().map(|marker| marker.name.as_str()).collect();
        // The stroke parts the fields.
        let name = clean::line(&names.join("; ").replace('|', "/"), NAME);
        let color = one.color();
        // Writing to a string cannot fail.
        let _ = write!(
            list,
            "{number:03}  001      V     C        {start} {end} {start} {end}  \r\n \
             |C:ResolveColor{color} |M:{name} |D:{length}\r\n\r\n"
        );
    }
    list.into_bytes()
}
