//! One ffmpeg process and one decode pass for everything that is taken from a video.
//!
//! Pictures come on stdout, sound and the times of both through named pipes. Times travel beside
//! the data because they cannot be computed: frame rates vary, and sound has gaps.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared_domain::{Refusal, Span};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::audio::AudioChunk;
use crate::error::MediaError;
use crate::gaps::LONG_MS;
use crate::media::Session;
use crate::pipes::{self, Shown};
use crate::probe::Probe;
use crate::pulse::Pulse;
use crate::sandbox::{Complaints, Limits, Program, signal};
use crate::timeline::KeptFrame;
use crate::verdict;
use crate::video::{self, VideoPlan, Watched};
use crate::waveform::PER_SECOND;

mod ear;
pub(crate) mod line;

use ear::{Ear, Heard};

/// How to look at a video.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The most that a scene which keeps moving is kept, per second.
    pub fps: f64,
    /// Told the share of the video that is done, 0 to 1.
    pub progress: Option<watch::Sender<f64>>,
}

/// Something to store, sent while the pass runs.
#[derive(Debug, Clone)]
pub enum Piece {
    /// A picture for the models; sent once however often it is shown.
    Frame {
        /// When it was shown, from the first frame.
        at_ms: i64,
        /// At most 1280 pixels on the longer side.
        jpeg: Bytes,
        /// Of the JPEG, lower-case hex.
        sha256: String,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A chunk of sound, 16 kHz mono.
    Audio {
        /// From 0, in the order of time.
        index: u32,
        /// From the first frame.
        start_ms: i64,
        /// From the first frame.
        end_ms: i64,
        /// 16-bit PCM.
        wav: Bytes,
        /// Of the WAV, lower-case hex.
        sha256: String,
    },
    /// Thumbnails for a time line, row by row.
    Strip {
        /// All tiles in one picture.
        jpeg: Bytes,
        /// How it is laid out.
        facts: StripFacts,
    },
    /// What every picture that was looked at looks like, for comparing versions.
    Likeness {
        /// An array of `Likeness`, in the order of time.
        json: Bytes,
    },
    /// Loudness for a time line.
    Waveform {
        /// An array of numbers from 0 to 255.
        json: Bytes,
        /// Numbers in one second.
        per_second: u32,
    },
}

/// How the strip of thumbnails is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StripFacts {
    /// Tiles in a row.
    pub columns: u32,
    /// Rows.
    pub rows: u32,
    /// Time between two tiles.
    pub interval_ms: i64,
    /// Pixels.
    pub tile_width: u32,
    /// Pixels.
    pub tile_height: u32,
}

/// What of the file could not be looked at, by track.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// No picture could be decoded, or none that has a place on the time line.
    pub picture: Vec<Span>,
    /// Nothing could be heard.
    pub sound: Vec<Span>,
}

/// What a pass found, once it is over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// Kept pictures; their spans together cover the video without gap or overlap.
    pub frames: Vec<KeptFrame>,
    /// Chunks of sound.
    pub audio: Vec<AudioChunk>,
    /// Stretches of total silence, in no chunk.
    pub silences: Vec<Span>,
    /// Measured.
    pub duration_ms: i64,
    /// Pictures that were looked at.
    pub candidates: u64,
    /// Of these, the ones that another stands for.
    pub dropped: u64,
    /// The decoder complained, though it reached the end.
    pub damaged: bool,
    /// Damaged stretches.
    pub gaps: Lost,
    /// Stretches of shots that follow each other too fast: not each of them was kept.
    pub hurried: Vec<Span>,
    /// The strip of thumbnails.
    pub strip: Option<StripFacts>,
    /// Numbers in one second of the waveform.
    pub waveform_per_second: Option<u32>,
}

/// Where pieces go; `None` for a run that only confirms a crash.
#[derive(Debug, Clone)]
pub(crate) struct Outlet {
    pieces: Option<mpsc::Sender<Piece>>,
    pub(crate) pulse: Arc<Pulse>,
}

impl Outlet {
    pub(crate) fn send(&self, piece: Piece) -> Result<(), MediaError> {
        let Some(pieces) = &self.pieces else {
            return Ok(());
        };
        self.pulse
            .while_handing_over(|| pieces.blocking_send(piece))
            .map_err(|_| MediaError::Abandoned)
    }
}

enum End {
    Crashed(i32),
    Failed(MediaError),
}

impl<E: Into<MediaError>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

pub(crate) async fn extract(
    session: &Session,
    probe: &Probe,
    plan: &Plan,
    pieces: mpsc::Sender<Piece>,
) -> Result<Extraction, MediaError> {
    let outlet = Outlet {
        pieces: Some(pieces),
        pulse: Arc::clone(&session.pulse),
    };
    let number = match pass(session, probe, plan, outlet).await {
        Ok(extraction) => return Ok(extraction),
        Err(End::Failed(error)) => return Err(error),
        Err(End::Crashed(number)) => number,
    };
    // Only a second death by the same file is the file's fault.
    tracing::warn!(signal = number, "ffmpeg crashed and is tried once more");
    let quiet = Outlet {
        pieces: None,
        pulse: Arc::clone(&session.pulse),
    };
    let again = pass(
        session,
        probe,
        &Plan {
            progress: None,
            ..plan.clone()
        },
        quiet,
    )
    .await;
    match again {
        Err(End::Crashed(_)) => Err(Refusal::CrashesDecoder.into()),
        Ok(_) | Err(End::Failed(_)) => Err(MediaError::Died {
            program: "ffmpeg",
            signal: number,
        }),
    }
}

async fn pass(
    session: &Session,
    probe: &Probe,
    plan: &Plan,
    outlet: Outlet,
) -> Result<Extraction, End> {
    let frame = line::size(probe);
    let folder = tempfile::tempdir_in(session.job.path())?;
    let command = line::ffmpeg(session, probe, frame, folder.path());
    let mut threads = Threads::default();
    let zero_ms = Arc::new(OnceLock::new());
    let times = threads.times(&folder.path().join(line::TIMES))?;
    let sound = if probe.has_audio {
        let sound_times = threads.times(&folder.path().join(line::SOUND_TIMES))?;
        let pipe = pipes::named(&folder.path().join(line::SOUND))?;
        threads.holders.push(pipe.holder);
        let mut ear = Ear::new(outlet.clone(), Arc::clone(&zero_ms), probe.zero_ms);
        Some(tokio::task::spawn_blocking(move || {
            ear.listen(pipe.reader, &sound_times)
        }))
    } else {
        None
    };

    let limits = Limits::cpu(120 + probe.duration_ms.unsigned_abs() / 100);
    let (mut running, reading) = session.start(Program::Ffmpeg(command), limits).await?;
    let video_plan = VideoPlan {
        width: frame.0,
        height: frame.1,
        fps: plan.fps,
        duration_ms: probe.duration_ms,
        limit_ms: session.max_duration_ms() + 1000,
        expected_zero_ms: probe.zero_ms,
        zero_ms,
        progress: plan.progress.clone(),
    };
    let stdout = running.stdout.take();
    let watching = tokio::task::spawn_blocking(move || match stdout {
        Some(stdout) => video::watch(stdout, &times, &video_plan, &outlet),
        None => Ok(Watched::default()),
    });

    let status = session.finish(&mut running, "ffmpeg").await;
    threads.holders.clear();
    let watched = joined(watching).await;
    let heard = match sound {
        Some(sound) => joined(sound).await,
        None => Ok(Heard::default()),
    };
    let complaints = reading.await.unwrap_or_default();
    session.loopback.blocks.check()?;
    judge(probe, status?, (watched?, heard?), &complaints)
}

/// Threads that read times, and the pipes that must stay open while ffmpeg runs.
#[derive(Default)]
struct Threads {
    holders: Vec<std::fs::File>,
}

impl Threads {
    fn times(&mut self, path: &std::path::Path) -> Result<Receiver<Shown>, MediaError> {
        let pipe = pipes::named(path)?;
        let (sender, receiver): (Sender<Shown>, _) = channel();
        self.holders.push(pipe.holder);
        tokio::task::spawn_blocking(move || pipes::read_times(pipe.reader, &sender));
        Ok(receiver)
    }
}

async fn joined<T>(thread: JoinHandle<Result<T, MediaError>>) -> Result<T, MediaError> {
    thread
        .await
        .map_err(|error| MediaError::Io(std::io::Error::other(error)))?
}

/// What a finished pass is worth: judged by what came out, not by the exit code.
fn judge(
    probe: &Probe,
    status: std::process::ExitStatus,
    (watched, heard): (Watched, Heard),
    complaints: &Complaints,
) -> Result<Extraction, End> {
    match signal(status) {
        Some(number) if verdict::is_crash(number) => return Err(End::Crashed(number)),
        Some(number) if verdict::is_limit(number) => return Err(Refusal::TooExpensive.into()),
        Some(signal) => {
            return Err(MediaError::Died {
                program: "ffmpeg",
                signal,
            }
            .into());
        }
        None => {}
    }
    let missing_ms = probe.last_frame_ms - watched.last_ms;
    if watched.candidates == 0 || missing_ms > 2000.max(probe.last_frame_ms / 20) {
        tracing::info!(
            missing_ms,
            stderr = complaints.tail(),
            "decoding ended early"
        );
        return Err(verdict::of_failure("ffmpeg", status, complaints).into());
    }
    let duration_ms = probe.duration_ms.max(watched.last_ms + 1);
    let complained = complaints.errors > 0 || !status.success();
    let gaps = Lost {
        picture: lost_picture(probe, &watched, complained),
        sound: lost_sound(probe, &heard, complained),
    };
    Ok(Extraction {
        frames: watched.timeline.finish(duration_ms),
        audio: heard.chunks,
        silences: heard.silences,
        duration_ms,
        candidates: watched.candidates,
        dropped: watched.candidates - watched.kept,
        damaged: complained || gaps != Lost::default(),
        gaps,
        hurried: watched.hurried,
        strip: watched.strip,
        waveform_per_second: probe.has_audio.then_some(PER_SECOND),
    })
}

/// Of the end more than this has to be missing before it counts.
const TAIL_MS: i64 = 1000;

/// A slow frame rate has long breaks too: only where the decoder complained are they damage.
fn lost_picture(probe: &Probe, watched: &Watched, complained: bool) -> Vec<Span> {
    let mut lost = watched.misplaced.clone();
    if complained {
        lost.extend(&watched.holes);
    }
    if probe.last_frame_ms - watched.last_ms > TAIL_MS {
        lost.add(watched.last_ms, probe.duration_ms);
    }
    lost.finish()
}

/// As `lost_picture`; a track of which nothing was decoded is lost from end to end.
fn lost_sound(probe: &Probe, heard: &Heard, complained: bool) -> Vec<Span> {
    if !probe.has_audio {
        return Vec::new();
    }
    let mut lost = heard.misplaced.clone();
    let Some(extent) = heard.extent else {
        lost.add(0, probe.duration_ms);
        return lost.finish();
    };
    if complained {
        lost.extend(&heard.holes);
        if extent.start_ms > LONG_MS {
            lost.add(0, extent.start_ms);
        }
    }
    if let Some(end_ms) = probe.sound_end_ms
        && end_ms - extent.end_ms > TAIL_MS
    {
        lost.add(extent.end_ms, end_ms);
    }
    lost.finish()
}
