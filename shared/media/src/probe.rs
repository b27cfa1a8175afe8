//! What a file is, and whether it can be checked at all.
//!
//! ffprobe's exit code is no verdict, and the duration that a container declares is a claim: the
//! last packets are read and three places decoded before a file is accepted.

use std::ffi::OsString;

use serde::{Deserialize, Serialize};
use shared_domain::Refusal;

use crate::boxes;
use crate::command::{self, GLOBAL, MAX_PIXELS};
use crate::error::MediaError;
use crate::media::Session;
use crate::sandbox::{Complaints, Limits, Program, Running, signal};
use crate::sniff::{Container, sniff};
use crate::verdict;

mod facts;
mod packets;
mod riff;

use facts::Facts;

/// Seconds of processor time: nothing but headers and the two ends of the file is read.
const CPU_S: u64 = 60;
const OUTPUT_BYTES: u64 = 8 << 20;

/// The facts of a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Told from the first bytes.
    pub container: Container,
    /// From the first frame to the end of the last packet, measured.
    pub duration_ms: i64,
    /// When the last frame is shown, measured.
    pub last_frame_ms: i64,
    /// Pixels as displayed: square, and after rotation.
    pub width: u32,
    /// Pixels as displayed.
    pub height: u32,
    /// Frames per second as a fraction: 30000/1001 is 29.97.
    pub fps: (u32, u32),
    /// Degrees clockwise that the picture is turned for display: 0, 90, 180 or 270.
    pub rotation: u32,
    /// As ffmpeg names it.
    pub video_codec: String,
    /// How ffmpeg names the layout of its pixels, which decides whether a browser plays it.
    #[serde(default)]
    pub pixel_format: Option<String>,
    /// As ffmpeg names it; `None` for a silent file.
    pub audio_codec: Option<String>,
    /// Whether there is a sound track.
    pub has_audio: bool,
    /// Sound tracks in the file; only the one that a player would choose is analysed.
    pub audio_tracks: u32,
    /// The language that the chosen sound track declares.
    pub audio_language: Option<String>,
    /// `HH:MM:SS:FF` of the first frame, `;` before the frames when frames are dropped.
    pub start_timecode: Option<String>,
    /// Bits per second over the whole file.
    pub bit_rate: u64,
    /// The stream's number in the file.
    pub(crate) video_index: u32,
    /// The stream's number in the file.
    pub(crate) audio_index: Option<u32>,
    /// Where the first frame lies on ffmpeg's time line.
    pub(crate) zero_ms: i64,
    /// From the first frame to the end of the chosen sound, if that could be measured.
    #[serde(default)]
    pub(crate) sound_end_ms: Option<i64>,
}

pub(crate) async fn probe(session: &Session) -> Result<Probe, MediaError> {
    let head = session.loopback.blocks.read(0, 64).await?;
    if head.is_empty() {
        return Err(Refusal::Empty.into());
    }
    let container = sniff(&head).ok_or(Refusal::NotAVideo)?;
    if container.has_boxes()
        && let Some(trick) = boxes::find_trick(&session.loopback.blocks).await?
    {
        return Err(trick.into());
    }
    if container == Container::Avi && riff::is_cut_off(&head, session.loopback.blocks.size()) {
        return Err(Refusal::Damaged.into());
    }
    let facts = read_facts(session, container).await?;
    let chosen = facts.choose()?;
    let pixels = u64::from(chosen.video.width) * u64::from(chosen.video.height);
    if pixels > MAX_PIXELS {
        return Err(Refusal::TooManyPixels.into());
    }
    let measured = packets::measure(session, container, &facts, &chosen).await?;
    let probe = facts.describe(
        container,
        &chosen,
        &measured,
        session.loopback.blocks.size(),
    );
    check_decoding(session, &probe).await?;
    Ok(probe)
}

/// Runs ffprobe; a program that dies twice on a file is the file's fault.
async fn read_facts(session: &Session, container: Container) -> Result<Facts, MediaError> {
    let wanted = ["-print_format", "json", "-show_format", "-show_streams"].map(OsString::from);
    let (status, output, complaints) = ffprobe_twice(session, container, &wanted).await?;
    session.loopback.blocks.check()?;
    let facts: Facts = serde_json::from_slice(&output).unwrap_or_default();
    if facts.streams.is_empty() {
        tracing::info!(stderr = complaints.tail(), "ffprobe found no streams");
        return Err(if status.success() {
            Refusal::NoStreams.into()
        } else {
            verdict::of_failure("ffprobe", status, &complaints)
        });
    }
    Ok(facts)
}

type Outcome = (std::process::ExitStatus, Vec<u8>, Complaints);

async fn ffprobe_twice(
    session: &Session,
    container: Container,
    wanted: &[OsString],
) -> Result<Outcome, MediaError> {
    for attempt in 1..=2 {
        let (mut running, reading) = start_ffprobe(session, container, wanted).await?;
        let stdout = running.stdout.take();
        let output = tokio::task::spawn_blocking(move || read_bounded(stdout));
        let status = session.finish(&mut running, "ffprobe").await?;
        let output = output.await.unwrap_or_default();
        let complaints = reading.await.unwrap_or_default();
        match signal(status) {
            Some(number) if verdict::is_crash(number) => {
                tracing::warn!(attempt, signal = number, "ffprobe crashed");
            }
            _ => return Ok((status, output, complaints)),
        }
    }
    Err(Refusal::CrashesDecoder.into())
}

fn read_bounded(stdout: Option<std::process::ChildStdout>) -> Vec<u8> {
    use std::io::Read;
    let mut output = Vec::new();
    if let Some(stdout) = stdout {
        // What could be read is judged, whatever ended it.
        let _ = stdout.take(OUTPUT_BYTES).read_to_end(&mut output);
    }
    output
}

type Reading = tokio::task::JoinHandle<Complaints>;

pub(crate) async fn start_ffprobe(
    session: &Session,
    container: Container,
    wanted: &[OsString],
) -> Result<(Running, Reading), MediaError> {
    let mut command = session.programs.ffprobe();
    command
        .args(GLOBAL)
        .arg("level+warning")
        .args(["-threads", "1"])
        .args(wanted);
    command.args(command::probed(container, &session.loopback.url));
    session
        .start(Program::Ffprobe(command), Limits::cpu(CPU_S))
        .await
}

/// Decodes one picture near the beginning, the middle and the end; only a second death of the
/// decoder is the file's fault.
async fn check_decoding(session: &Session, probe: &Probe) -> Result<(), MediaError> {
    match decode_places(session, probe).await {
        Err(MediaError::Refused(Refusal::CrashesDecoder)) => {
            tracing::warn!("ffmpeg crashed and is tried once more");
            decode_places(session, probe).await
        }
        outcome => outcome,
    }
}

/// In one process.
async fn decode_places(session: &Session, probe: &Probe) -> Result<(), MediaError> {
    let places: Vec<i64> = match probe.last_frame_ms {
        ..2000 => vec![0],
        last => vec![0, last / 2, last - 500],
    };
    let mut command = session.programs.ffmpeg();
    command
        .args(["-nostdin", "-y"])
        .args(GLOBAL)
        .arg("level+warning");
    for place in &places {
        let mut before: Vec<OsString> = vec!["-threads".into(), "1".into()];
        if *place > 0 {
            let at = place + probe.zero_ms;
            before.extend(["-noaccurate_seek", "-ss"].map(OsString::from));
            before.push(format!("{}.{:03}", at / 1000, at % 1000).into());
        }
        command.args(command::input(
            probe.container,
            &session.loopback.url,
            &before,
        ));
    }
    // One output for each: an output ends as soon as one of its streams has its picture.
    for (number, _) in places.iter().enumerate() {
        command.args(["-map", &format!("{number}:{}", probe.video_index)]);
        command.args([
            "-vf",
            "scale=16:16",
            "-frames:v",
            "1",
            "-fps_mode",
            "passthrough",
        ]);
        command.args(["-threads", "1", "-f", "framecrc", "pipe:1"]);
    }

    let (mut running, reading) = session
        .start(Program::Ffmpeg(command), Limits::cpu(CPU_S))
        .await?;
    let stdout = running.stdout.take();
    let output = tokio::task::spawn_blocking(move || read_bounded(stdout));
    let status = session.finish(&mut running, "ffmpeg").await?;
    let output = String::from_utf8_lossy(&output.await.unwrap_or_default()).into_owned();
    let complaints = reading.await.unwrap_or_default();
    session.loopback.blocks.check()?;
    let decoded = output.lines().filter(|line| line.starts_with("0,")).count();
    if decoded >= places.len() {
        return Ok(());
    }
    tracing::info!(
        stderr = complaints.tail(),
        "part of the video does not decode"
    );
    Err(verdict::of_failure("ffmpeg", status, &complaints))
}
