//! Lists of the stretches of sound in which words were found. Neither needs ffmpeg.

use crate::findings::{Sounding, soundings};
use crate::format::Export;

/// Audacity's labels: start and end in seconds, then the words, parted by tabs.
pub(crate) fn labels(export: &Export<'_>) -> Vec<u8> {
    let line = |found: &Sounding| {
        let (start, end) = (seconds(found.span.start_ms), seconds(found.span.end_ms));
        format!("{start}\t{end}\t{}\n", found.text)
    };
    text(export, line)
}

/// The list that Kodi and MPlayer read beside a video: start, end, 1 for "no sound".
pub(crate) fn mute(export: &Export<'_>) -> Vec<u8> {
    let line = |found: &Sounding| {
        let (start, end) = (seconds(found.span.start_ms), seconds(found.span.end_ms));
        format!("{start} {end} 1\n")
    };
    text(export, line)
}

fn text(export: &Export<'_>, line: impl Fn(&Sounding) -> String) -> Vec<u8> {
    let lines: String = soundings(export.report).iter().map(line).collect();
    lines.into_bytes()
}

/// Sound that begins before the first picture is not in the video.
fn seconds(ms: i64) -> String {
    let ms = ms.max(0);
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
