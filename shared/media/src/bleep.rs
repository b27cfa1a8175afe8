//! A copy of a video in which words are not heard: sound anew, the picture stream as it is.
//!
//! Two ffmpeg processes with us in between: one decodes the sound, samples are changed here, by their
//! number, and the other encodes them and puts them beside the copied picture.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::{ChildStdin, ChildStdout};
use std::sync::Arc;

use ffmpeg_sidecar::command::FfmpegCommand;
use shared_domain::Span;

use crate::command::{self, GLOBAL};
use crate::error::MediaError;
use crate::media::Session;
use crate::probe::Probe;
use crate::pulse::Pulse;
use crate::sandbox::{Complaints, Limits, Program};
use crate::sniff::Container;
use crate::verdict;

mod cover;
mod wave;

use cover::Covered;
use wave::Wave;

/// What is heard instead of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// A tone of 1 kHz, twenty decibels below the loudest.
    Tone,
    /// Nothing.
    Silence,
}

/// What is not to be heard, in times of the video.
#[derive(Debug, Clone)]
pub struct Bleep {
    /// In any order.
    pub spans: Vec<Span>,
    /// What is heard instead.
    pub cover: Cover,
}

/// What ffmpeg calls its files in the job folder.
const SOUND: &str = "sound";
const COPY: &str = "copy";

/// Writes the sound to `sound` as WAV with 24 bits, and the copy to `copy` in the video's own container,
/// with the one sound track that was analysed. Both are whole or not there.
pub(crate) async fn bleep(
    session: &Session,
    probe: &Probe,
    bleep: &Bleep,
    (sound, copy): (&Path, &Path),
) -> Result<(), MediaError> {
    let track = probe.audio_index.ok_or(MediaError::NoSound)?;
    for name in [SOUND, COPY] {
        // ffmpeg may write in its folder and make nothing there.
        File::create(session.job.path().join(name))?;
    }
    let limits = Limits {
        patient: true,
        ..Limits::cpu(120 + probe.duration_ms.unsigned_abs() / 50)
    };
    let program = Program::Ffmpeg(decoder(session, probe, track));
    let (mut decoding, decoder_says) = session.start(program, limits).await?;
    let stdout = decoding.stdout.take();
    let begun = tokio::task::spawn_blocking(move || {
        let mut stdout = stdout?;
        Some((Wave::read(&mut stdout)?, stdout))
    });
    let Some((wave, stdout)) = begun.await.unwrap_or_default() else {
        let status = session.finish(&mut decoding, "ffmpeg").await?;
        session.loopback.blocks.check()?;
        return Err(failure(status, &decoder_says.await.unwrap_or_default()));
    };
    let covered = Covered::new(bleep, probe.zero_ms, &wave);
    let limits = Limits {
        file_bytes: largest(session, probe, &wave),
        ..limits
    };
    let program = Program::Ffmpeg(encoder(session, probe, &wave));
    let (mut encoding, encoder_says) = session.start_fed(program, limits).await?;
    let (stdin, pulse) = (encoding.stdin.take(), Arc::clone(&session.pulse));
    let pumping =
        tokio::task::spawn_blocking(move || pump(stdout, stdin, (&wave, covered), &pulse));
    let decoded = session.finish(&mut decoding, "ffmpeg").await?;
    let encoded = session.finish(&mut encoding, "ffmpeg").await?;
    let pumped = pumping.await.unwrap_or_default();
    session.loopback.blocks.check()?;
    let decoder_says = decoder_says.await.unwrap_or_default();
    let encoder_says = encoder_says.await.unwrap_or_default();
    if !encoded.success() {
        return Err(failure(encoded, &encoder_says));
    }
    if !decoded.success() || !pumped {
        return Err(failure(decoded, &decoder_says));
    }
    std::fs::rename(session.job.path().join(SOUND), sound)?;
    std::fs::rename(session.job.path().join(COPY), copy)?;
    Ok(())
}

fn failure(status: std::process::ExitStatus, complaints: &Complaints) -> MediaError {
    tracing::info!(stderr = complaints.tail(), "the words were not covered");
    verdict::of_failure("ffmpeg", status, complaints)
}

/// Whether all sound went through. One of the two programs may end at any time, which closes a pipe.
fn pump(
    stdout: ChildStdout,
    stdin: Option<ChildStdin>,
    (wave, covered): (&Wave, Covered),
    pulse: &Pulse,
) -> bool {
    stdin.is_some_and(|stdin| wave.pass(stdout, stdin, covered, || pulse.beat()).is_ok())
}

/// What was there once more, and the sound in both files.
fn largest(session: &Session, probe: &Probe, wave: &Wave) -> u64 {
    let seconds = probe.duration_ms.unsigned_abs() / 1000 + 60;
    let sound = seconds * u64::from(wave.rate) * u64::from(wave.channels) * 4;
    session.loopback.blocks.size() + sound + (64 << 20)
}

fn begin(session: &Session, probe: &Probe) -> FfmpegCommand {
    let limit_s = session.max_duration_ms() / 1000 + 3;
    let before: Vec<OsString> = ["-threads", "1", "-t", &limit_s.to_string()]
        .map(OsString::from)
        .into();
    let mut command = session.programs.ffmpeg();
    command
        .args(["-nostdin", "-y", "-filter_threads", "1"])
        .args(GLOBAL)
        .arg("level+warning");
    let url = &session.loopback.url;
    command.args(command::input(probe.container, url, &before));
    command
}

/// Samples from the beginning of ffmpeg's time line on: where the track has a gap there is silence.
fn decoder(session: &Session, probe: &Probe, track: u32) -> FfmpegCommand {
    let mut command = begin(session, probe);
    command.args(["-map", &format!("0:{track}")]);
    command.args(["-af", "aresample=async=1:first_pts=0"]);
    command.args(["-c:a", "pcm_f32le", "-f", "wav", "pipe:1"]);
    command
}

fn encoder(session: &Session, probe: &Probe, wave: &Wave) -> FfmpegCommand {
    let mut command = begin(session, probe);
    command.args(["-protocol_whitelist", "pipe", "-format_whitelist", "wav"]);
    command.args(["-codec_whitelist", "pcm_f32le", "-ignore_length", "1"]);
    command.args(["-f", "wav", "-i", "pipe:0"]);
    // Both files are there already, and may not be made shorter.
    command.args(["-map", "1:a", "-c:a", "pcm_s24le", "-rf64", "auto"]);
    command.args(["-truncate", "0", "-f", "wav", SOUND]);
    command.args(["-map", &format!("0:{}", probe.video_index), "-map", "1:a"]);
    command.args(["-c:v", "copy"]);
    command.args(sound_codec(probe, wave.channels));
    // Chapters and other tracks may say what must not be heard.
    command.args(["-map_chapters", "-1"]);
    command.args(["-truncate", "0", "-f", muxer(probe.container), COPY]);
    command
}

/// What was lossless stays so.
fn sound_codec(probe: &Probe, channels: u16) -> Vec<String> {
    let codec = probe.audio_codec.as_deref().unwrap_or_default();
    let is_pcm = codec.starts_with("pcm_");
    let lossless = is_pcm || matches!(codec, "flac" | "alac");
    let per_channel = |name: &str, bits: u32| {
        let bits = (bits * u32::from(channels)).min(512);
        ["-c:a", name, "-b:a", &format!("{bits}k")]
            .map(str::to_owned)
            .to_vec()
    };
    let plain = |name: &str| vec!["-c:a".to_owned(), name.to_owned()];
    match probe.container {
        Container::Mov | Container::Mkv | Container::Avi if is_pcm => plain(codec),
        Container::Mkv if lossless => plain("flac"),
        Container::Mp4 | Container::Mov if lossless => plain("alac"),
        Container::Webm => per_channel("libopus", 96),
        Container::Avi => per_channel("libmp3lame", 160),
        Container::Mp4 | Container::Mov | Container::Mkv => per_channel("aac", 128),
    }
}

fn muxer(container: Container) -> &'static str {
    match container {
        Container::Mp4 => "mp4",
        Container::Mov => "mov",
        Container::Mkv => "matroska",
        Container::Webm => "webm",
        Container::Avi => "avi",
    }
}

#[cfg(test)]
mod tests;
