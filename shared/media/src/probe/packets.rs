//! The measured length: times of the first and the last packets.

use std::ffi::OsString;
use std::io::BufReader;
use std::process::ChildStdout;

use shared_domain::Refusal;

use super::facts::{Chosen, Facts, seconds};
use super::start_ffprobe;
use crate::error::MediaError;
use crate::media::Session;
use crate::pipes::bounded_line;
use crate::sandbox::signal;
use crate::sniff::Container;
use crate::verdict::{self, is_limit};

/// How much of the end is read: longer than the key frames of usual files are apart.
const END_MS: i64 = 8000;

/// Milliseconds on the file's own clock.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Measured {
    /// The first frame that is shown.
    pub(super) zero: i64,
    /// The last frame is shown.
    pub(super) last: i64,
    /// Picture and sound are over.
    pub(super) end: i64,
    /// The chosen sound is over; unknown when none of it lies near the end.
    pub(super) sound_end: Option<i64>,
}

/// Reads the first and the last packets of all streams. A container that declares less than it
/// holds is read on to its true end, and refused as soon as that is too far.
pub(super) async fn measure(
    session: &Session,
    container: Container,
    facts: &Facts,
    chosen: &Chosen<'_>,
) -> Result<Measured, MediaError> {
    let start = facts.start_ms();
    let declared = facts.declared_ms().filter(|ms| *ms > 0);
    let intervals = match declared {
        Some(ms) if ms > 2 * END_MS => {
            // Matroska counts a late start into the duration, others do not.
            let from = start.min(0) + ms - END_MS;
            format!("%+#200,{}.{:03}%", from / 1000, from.rem_euclid(1000))
        }
        _ => "%".to_owned(),
    };
    let wanted: [OsString; 6] = [
        "-print_format".into(),
        "compact=nokey=1:print_section=0".into(),
        "-show_entries".into(),
        "packet=stream_index,pts_time,dts_time,duration_time,flags".into(),
        "-read_intervals".into(),
        intervals.into(),
    ];
    let limit_ms = session.max_duration_ms() + 1000;
    let (mut running, reading) = start_ffprobe(session, container, &wanted).await?;
    let streams = (chosen.video.index, chosen.audio.map(|audio| audio.index));
    let stdout = running.stdout.take();
    let scan = tokio::task::spawn_blocking(move || scan(stdout, streams, limit_ms));
    let status = session.finish(&mut running, "ffprobe").await?;
    let scan = scan.await.unwrap_or_default();
    let complaints = reading.await.unwrap_or_default();
    session.loopback.blocks.check()?;

    let Some(measured) = scan.measured() else {
        tracing::info!(
            stderr = complaints.tail(),
            "no packets of the picture could be read"
        );
        return Err(verdict::of_failure("ffprobe", status, &complaints));
    };
    let length_ms = measured.end - measured.zero;
    if length_ms > limit_ms {
        let seconds = length_ms.max(declared.unwrap_or(0)) / 1000;
        let limit = session.max_duration_ms().unsigned_abs() / 1000;
        return Err(Refusal::TooLong {
            seconds: seconds.unsigned_abs(),
            limit,
        }
        .into());
    }
    if signal(status).is_some_and(is_limit) {
        return Err(Refusal::TooExpensive.into());
    }
    if declared.is_some_and(|ms| is_cut_off(ms, scan.end.max(scan.end - start))) {
        tracing::info!(
            declared,
            length_ms,
            "the file ends before its declared length"
        );
        return Err(Refusal::Damaged.into());
    }
    Ok(measured)
}

/// Whether the packets end clearly before the declared length.
fn is_cut_off(declared_ms: i64, found_ms: i64) -> bool {
    declared_ms - found_ms > 2000.max(declared_ms / 20)
}

#[derive(Debug, Default)]
struct Scan {
    first: Option<i64>,
    last: i64,
    end: i64,
    sound_end: Option<i64>,
}

impl Scan {
    fn measured(&self) -> Option<Measured> {
        let zero = self.first?;
        Some(Measured {
            zero,
            last: self.last.max(zero),
            end: self.end,
            sound_end: self.sound_end,
        })
    }
}

/// Reads lines `stream|pts|dts|duration|flags`; stops early when the file is too long anyway, which
/// ends ffprobe by a closed pipe.
fn scan(stdout: Option<ChildStdout>, (video, sound): (u32, Option<u32>), limit_ms: i64) -> Scan {
    let mut scan = Scan::default();
    let Some(stdout) = stdout else { return scan };
    let mut lines = BufReader::new(stdout);
    while let Some(line) = bounded_line(&mut lines) {
        let mut fields = line.split('|');
        let stream = fields.next().and_then(|text| text.parse::<u32>().ok());
        // AVI tells of H.264 only when to decode it, at most a few pictures before it is shown.
        let [shown, decoded] = [fields.next(), fields.next()].map(seconds);
        let Some(pts) = shown.or(decoded) else {
            continue;
        };
        let length = seconds(fields.next()).unwrap_or(0).max(0);
        // Packets marked D lie outside the edit list: decoded, never shown.
        if fields.next().is_some_and(|flags| flags.contains('D')) {
            continue;
        }
        if stream == Some(video) {
            scan.first = Some(scan.first.map_or(pts, |first| first.min(pts)));
            scan.last = scan.last.max(pts);
        }
        let end = pts.saturating_add(length);
        if stream.is_some() && stream == sound {
            scan.sound_end = Some(scan.sound_end.map_or(end, |known| known.max(end)));
        }
        scan.end = scan.end.max(end);
        if scan.end.saturating_sub(scan.first.unwrap_or(scan.end)) > limit_ms {
            break;
        }
    }
    scan
}
