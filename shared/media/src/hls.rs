//! The copy for review: segments of a few seconds, copied where a browser can play what is in the file
//! and encoded anew, small, where it cannot.
//!
//! ffmpeg writes to the loopback server instead of to a disk. What is not handed on yet makes it wait, so
//! neither memory nor disk grows with the video. It has read a hostile file: its names are checked, and of
//! its playlist only the times are taken.

use std::ffi::OsString;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use ffmpeg_sidecar::command::FfmpegCommand;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::command::{self, GLOBAL};
use crate::error::MediaError;
use crate::extract::line::size;
use crate::media::{Media, Session};
use crate::probe::Probe;
use crate::sandbox::{Limits, Program};
use crate::serve::Put;
use crate::source::Source;
use crate::verdict;

/// A segment ends at the first key frame after it.
const SECONDS: i64 = 4;
/// Bits per second that are copied; what is more would not fit into the segments, nor through most lines.
const MOST_COPIED: u64 = 24_000_000;
/// What ffmpeg calls its list.
const LIST: &str = "index.m3u8";
/// ffmpeg is gone and its last files are in this machine's own buffers.
const LAST_FILES: Duration = Duration::from_mins(1);

/// A piece of the copy, sent while it is made.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its place, from 0. A later one with the same place replaces it.
    pub index: u32,
    /// MPEG transport stream.
    pub bytes: Bytes,
}

/// What was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// Seconds of each segment, in order.
    pub seconds: Vec<f64>,
    /// Nothing was encoded anew.
    pub copied: bool,
}

impl Stream {
    /// The list that players read; `name` says what a segment is called.
    pub fn playlist(&self, name: impl Fn(u32) -> String) -> String {
        let longest = self.seconds.iter().copied().fold(1.0, f64::max).ceil();
        let line = |(index, seconds): (u32, &f64)| {
            let name = name(index);
            format!("#EXTINF:{seconds:.6},\n{name}\n")
        };
        let segments: String = (0..).zip(&self.seconds).map(line).collect();
        format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{longest}\n\
             #EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n{segments}#EXT-X-ENDLIST\n"
        )
    }
}

/// What every browser plays from a transport stream; a picture that has to be turned loses that in it.
fn is_playable(probe: &Probe) -> bool {
    let eight_bits = ["yuv420p", "yuvj420p"];
    probe.video_codec == "h264"
        && probe.rotation == 0
        && probe.bit_rate <= MOST_COPIED
        && (probe.pixel_format.as_deref()).is_some_and(|format| eight_bits.contains(&format))
}

pub(crate) async fn segment(
    media: &Media,
    source: &Source,
    probe: &Probe,
    segments: &mpsc::Sender<Segment>,
) -> Result<Stream, MediaError> {
    if is_playable(probe) {
        match pass(media, source, (probe, true), segments).await {
            // Times or key frames that are fine for a decoder need not be so for a copy.
            Err(MediaError::Refused(refusal)) => {
                tracing::info!(code = refusal.code(), "what cannot be copied is encoded");
            }
            outcome => return outcome,
        }
    }
    pass(media, source, (probe, false), segments).await
}

async fn pass(
    media: &Media,
    source: &Source,
    (probe, copied): (&Probe, bool),
    segments: &mpsc::Sender<Segment>,
) -> Result<Stream, MediaError> {
    let (puts, mut written) = mpsc::channel(1);
    let session = media.session(source, Some(puts)).await?;
    let limits = Limits {
        patient: true,
        ..Limits::cpu(120 + probe.duration_ms.unsigned_abs() / 50)
    };
    let program = Program::Ffmpeg(line(&session, probe, copied));
    let (mut running, reading) = session.start(program, limits).await?;
    drop(running.stdout.take());
    let mut made = Made::new(segments, session.max_duration_ms());
    let status = {
        let mut ending = pin!(session.finish(&mut running, "ffmpeg"));
        loop {
            tokio::select! {
                status = &mut ending => break status?,
                Some(put) = written.recv() => {
                    made.take(put).await?;
                    session.pulse.beat();
                }
            }
        }
    };
    let complaints = reading.await.unwrap_or_default();
    session.loopback.blocks.check()?;
    if status.success() {
        made.take_last(&mut written).await?;
    }
    made.finish(status, copied).ok_or_else(|| {
        tracing::info!(stderr = complaints.tail(), "no copy for review was made");
        verdict::of_failure("ffmpeg", status, &complaints)
    })
}

/// What has come so far.
struct Made<'a> {
    segments: &'a mpsc::Sender<Segment>,
    most: usize,
    come: Vec<bool>,
    seconds: Option<Vec<f64>>,
}

impl<'a> Made<'a> {
    fn new(segments: &'a mpsc::Sender<Segment>, longest_ms: i64) -> Self {
        Self {
            segments,
            // Key frames may stand closer together than a segment is long, but none is that short.
            most: usize::try_from(longest_ms / 1000 + 60).unwrap_or_default(),
            come: Vec::new(),
            seconds: None,
        }
    }

    async fn take(&mut self, put: Put) -> Result<(), MediaError> {
        let spoilt = || MediaError::from(shared_domain::Refusal::TooExpensive);
        let bytes = put.bytes.ok_or_else(spoilt)?;
        if put.name == LIST {
            self.seconds = Some(times(&bytes));
            return Ok(());
        }
        let index = put.name.strip_suffix(".ts").and_then(|n| n.parse().ok());
        let index: u32 = index.ok_or_else(spoilt)?;
        let place = usize::try_from(index).unwrap_or(usize::MAX);
        if place >= self.most {
            return Err(spoilt());
        }
        self.come.resize(self.come.len().max(place + 1), false);
        self.come[place] = true;
        let sent = self.segments.send(Segment { index, bytes }).await;
        drop(put.room);
        sent.map_err(|_| MediaError::Abandoned)
    }

    fn is_whole(&self) -> bool {
        let listed = self.seconds.as_ref().map(Vec::len);
        listed == Some(self.come.len()) && self.come.iter().all(|come| *come)
    }

    /// ffmpeg does not wait for the answers to its last files.
    async fn take_last(&mut self, written: &mut mpsc::Receiver<Put>) -> Result<(), MediaError> {
        while !self.is_whole() {
            match timeout(LAST_FILES, written.recv()).await {
                Ok(Some(put)) => self.take(put).await?,
                Ok(None) | Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn finish(self, status: ExitStatus, copied: bool) -> Option<Stream> {
        let whole = status.success() && self.is_whole() && !self.come.is_empty();
        self.seconds
            .filter(|_| whole)
            .map(|seconds| Stream { seconds, copied })
    }
}

/// The seconds of each segment that a list names.
fn times(list: &[u8]) -> Vec<f64> {
    let text = String::from_utf8_lossy(list);
    let seconds = |line: &str| {
        let seconds = line.strip_prefix("#EXTINF:")?.trim_end_matches(',');
        seconds
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite())
    };
    text.lines().filter_map(seconds).collect()
}

fn line(session: &Session, probe: &Probe, copied: bool) -> FfmpegCommand {
    let limit_s = session.max_duration_ms() / 1000 + 3;
    let before: Vec<OsString> = ["-threads", "1", "-t", &limit_s.to_string()]
        .map(OsString::from)
        .into();
    let here = &session.loopback.url;
    let mut command = session.programs.ffmpeg();
    command
        .args(["-nostdin", "-y", "-filter_threads", "1"])
        .args(GLOBAL)
        .arg("level+warning");
    command.args(command::input(probe.container, here, &before));
    command.args(["-map", &format!("0:{}", probe.video_index)]);
    if copied {
        command.args(["-c:v", "copy"]);
    } else {
        let (width, height) = size(probe);
        command.args([
            "-vf",
            &format!("scale={width}:{height},format=yuv420p,setsar=1"),
        ]);
        command.args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "26"]);
        command.args(["-maxrate", "3M", "-bufsize", "6M", "-threads", "1"]);
        let keys = format!("expr:gte(t,n_forced*{SECONDS})");
        command.args(["-force_key_frames", &keys]);
    }
    if let Some(index) = probe.audio_index {
        command.args(["-map", &format!("0:{index}")]);
        match probe.audio_codec.as_deref() {
            Some("aac") if copied => command.args(["-c:a", "copy"]),
            _ => command.args(["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000"]),
        };
    }
    command.args(["-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"]);
    command.args(["-f", "hls", "-hls_segment_type", "mpegts"]);
    command.args([
        "-hls_time",
        &SECONDS.to_string(),
        "-hls_playlist_type",
        "vod",
    ]);
    command.args(["-method", "PUT", "-hls_segment_filename"]);
    command.args([&format!("{here}/%05d.ts"), &format!("{here}/{LIST}")]);
    command
}

#[cfg(test)]
mod tests;
