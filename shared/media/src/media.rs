//! The door of this crate: one `Media` per process, one `Session` per call.

use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use reqwest::Client;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::bleep::{self, Bleep};
use crate::command::Programs;
use crate::config::MediaConfig;
use crate::error::MediaError;
use crate::extract::{self, Extraction, Piece, Plan};
use crate::hls::{self, Segment, Stream};
use crate::probe::{self, Probe};
use crate::pulse::Pulse;
use crate::sandbox::{self, Complaints, Fence, Job, Limits, Program, Running};
use crate::serve::{Loopback, Put};
use crate::source::{self, Blocks, Source};

/// Nothing moving for this long is a hang; storage is asked again for two minutes at most.
const SILENCE: Duration = Duration::from_mins(4);

/// Probes videos and cuts them into frames and sound.
#[derive(Debug, Clone)]
pub struct Media {
    config: Arc<MediaConfig>,
    programs: Arc<Programs>,
    client: Client,
}

impl Media {
    /// Finds ffmpeg and ffprobe and runs each in the sandbox once; fails with what to do when one is
    /// missing or does not run there.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "every part is connected with its config"
    )]
    pub fn connect(config: MediaConfig) -> Result<Self, MediaError> {
        let programs = Programs::find(&config)?;
        try_out(&programs, &config)?;
        Ok(Self {
            programs: Arc::new(programs),
            client: source::client()?,
            config: Arc::new(config.clone()),
        })
    }

    /// What each program says of its version, such as `5.1.6-0+deb12u1`; nothing where it says none.
    pub fn versions(&self) -> Result<Vec<(&'static str, Option<String>)>, MediaError> {
        let versions = self.programs.versions().map(|(program, mut command)| {
            let said = command.output()?.stdout;
            let said = String::from_utf8_lossy(&said).into_owned();
            Ok((program, version(program, &said).map(str::to_owned)))
        });
        versions.into_iter().collect()
    }

    /// The plan that the settings ask for.
    pub fn plan(&self) -> Plan {
        Plan {
            fps: self.config.frame_fps,
            progress: None,
        }
    }

    /// SHA-256 of the object as it is stored, lower-case hex; read once, in little memory.
    #[tracing::instrument(level = "debug", name = "media.sha256", skip_all, fields(otel.kind = "client"))]
    pub async fn sha256(&self, source: &Source) -> Result<String, MediaError> {
        let blocks = Arc::new(Blocks::new(self.client.clone(), source.clone()));
        let mut parts = std::pin::pin!(Arc::clone(&blocks).stream(0, source.size));
        let mut digest = Sha256::new();
        while let Some(part) = parts.next().await {
            // The first failure of storage says more than the stream's.
            blocks.check()?;
            digest.update(&part?);
        }
        Ok(hex::encode(digest.finalize()))
    }

    /// The facts of a video, or why it is refused.
    #[tracing::instrument(level = "debug", name = "media.probe", skip_all, fields(otel.kind = "client"))]
    pub async fn probe(&self, source: &Source) -> Result<Probe, MediaError> {
        let session = self.session(source, None).await?;
        probe::probe(&session).await
    }

    /// One decode pass. Pieces are sent while it runs, and the receiver has to take them; what
    /// they stand for is told at the end. Dropping the future kills ffmpeg.
    #[tracing::instrument(level = "debug", name = "media.extract", skip_all, fields(otel.kind = "client"))]
    pub async fn extract(
        &self,
        source: &Source,
        probe: &Probe,
        plan: &Plan,
        pieces: mpsc::Sender<Piece>,
    ) -> Result<Extraction, MediaError> {
        let session = self.session(source, None).await?;
        extract::extract(&session, probe, plan, pieces).await
    }

    /// The copy for review, as segments of a few seconds that a browser plays. They are sent as they
    /// appear, and the receiver has to take them: ffmpeg waits for it. Dropping the future kills ffmpeg.
    pub async fn segment(
        &self,
        source: &Source,
        probe: &Probe,
        segments: mpsc::Sender<Segment>,
    ) -> Result<Stream, MediaError> {
        hls::segment(self, source, probe, &segments).await
    }

    /// Covers words: writes the sound (WAV) and a copy of the video with that sound and the same picture
    /// stream to the two paths, which lie in one folder. What is half written goes away.
    pub async fn bleep(
        &self,
        source: &Source,
        probe: &Probe,
        bleep: &Bleep,
        to: (&Path, &Path),
    ) -> Result<(), MediaError> {
        // Beside the files themselves: a copy is as large as the video, and is moved to its place in one go.
        let folder =
            to.1.parent()
                .filter(|folder| !folder.as_os_str().is_empty());
        let job = Job::new(Some(folder.unwrap_or(Path::new("."))))?;
        let session = self.session_of(job, source, None).await?;
        bleep::bleep(&session, probe, bleep, to).await
    }

    pub(crate) async fn session(
        &self,
        source: &Source,
        puts: Option<mpsc::Sender<Put>>,
    ) -> Result<Session, MediaError> {
        let job = Job::new(self.config.temp_dir.as_deref())?;
        self.session_of(job, source, puts).await
    }

    async fn session_of(
        &self,
        job: Job,
        source: &Source,
        puts: Option<mpsc::Sender<Put>>,
    ) -> Result<Session, MediaError> {
        let pulse = Arc::new(Pulse::default());
        let blocks = Arc::new(Blocks::new(self.client.clone(), source.clone()));
        let loopback = Loopback::start(blocks, Arc::clone(&pulse), puts).await?;
        let (config, programs) = (Arc::clone(&self.config), Arc::clone(&self.programs));
        Ok(Session {
            programs,
            loopback,
            pulse,
            job,
            config,
        })
    }
}

/// Of `ffmpeg version 5.1.6-0+deb12u1 Copyright …`.
fn version<'a>(program: &str, said: &'a str) -> Option<&'a str> {
    let rest = said.strip_prefix(program)?.strip_prefix(" version ")?;
    rest.split_whitespace().next()
}

/// A tool or a sandbox that does not work would else be blamed on every video.
fn try_out(programs: &Programs, config: &MediaConfig) -> Result<(), MediaError> {
    let job = Job::new(config.temp_dir.as_deref())?;
    let fence = Fence {
        folder: job.path().to_path_buf(),
        port: 0,
        programs: programs.all(),
    };
    let mut lacking = Vec::new();
    for (program, mut command) in programs.versions() {
        let unusable = |detail| MediaError::Unusable { program, detail };
        let (output, missing) =
            sandbox::try_out(&mut command, &fence).map_err(|error| unusable(error.to_string()))?;
        lacking = missing;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("nothing").escape_debug();
            return Err(unusable(format!("{}; it said: {said}", output.status)));
        }
    }
    if !lacking.is_empty() {
        let lacking = lacking.join(", ");
        tracing::warn!("ffmpeg runs with a weaker sandbox; missing: {lacking}");
    }
    Ok(())
}

/// What one call works with; all of it goes away with it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) programs: Arc<Programs>,
    pub(crate) loopback: Loopback,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) job: Job,
    config: Arc<MediaConfig>,
}

impl Session {
    pub(crate) fn max_duration_ms(&self) -> i64 {
        i64::try_from(self.config.max_duration_s.saturating_mul(1000)).unwrap_or(i64::MAX / 4)
    }

    /// Starts a program in the sandbox; its stderr is read by a thread of its own.
    pub(crate) async fn start(
        &self,
        program: Program,
        limits: Limits,
    ) -> Result<(Running, JoinHandle<Complaints>), MediaError> {
        let (mut running, reading) = self.start_fed(program, limits).await?;
        // The sidecar insists on a pipe; nothing is said to the program.
        drop(running.stdin.take());
        Ok((running, reading))
    }

    /// Starts a program that is told something: its standard input stays open.
    pub(crate) async fn start_fed(
        &self,
        program: Program,
        limits: Limits,
    ) -> Result<(Running, JoinHandle<Complaints>), MediaError> {
        let fence = Fence {
            folder: self.job.path().to_path_buf(),
            port: self.loopback.port,
            programs: self.programs.all(),
        };
        let mut running = sandbox::start(program, fence, limits).await?;
        let stderr = running.stderr.take();
        let reading =
            tokio::task::spawn_blocking(move || stderr.map(Complaints::read).unwrap_or_default());
        Ok((running, reading))
    }

    /// Waits for the end of a program for as long as anything moves: storage may be slow.
    pub(crate) async fn finish(
        &self,
        running: &mut Running,
        program: &'static str,
    ) -> Result<ExitStatus, MediaError> {
        self.pulse.beat();
        loop {
            let status = tokio::time::timeout(Duration::from_secs(5), running.wait()).await;
            if let Ok(status) = status {
                return status;
            }
            if self.pulse.silence() > SILENCE {
                running.kill();
                running.wait().await?;
                let seconds = SILENCE.as_secs();
                return Err(MediaError::Stalled { program, seconds });
            }
        }
    }
}
