//! The door of this crate: one `Media` per process, one `Session` per call.

use std::sync::Arc;

use reqwest::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::command::Programs;
use crate::config::MediaConfig;
use crate::error::MediaError;
use crate::extract::{self, Extraction, Piece, Plan};
use crate::probe::{self, Probe};
use crate::pulse::Pulse;
use crate::sandbox::{self, Complaints, Fence, Job, Limits, Program, Running};
use crate::serve::Loopback;
use crate::source::{self, Blocks, Source};

/// Probes videos and cuts them into frames and sound.
#[derive(Debug, Clone)]
pub struct Media {
    config: Arc<MediaConfig>,
    programs: Arc<Programs>,
    client: Client,
}

impl Media {
    /// Finds ffmpeg and ffprobe; fails with what to run when one is missing.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "every part is connected with its config"
    )]
    pub fn connect(config: MediaConfig) -> Result<Self, MediaError> {
        let programs = Arc::new(Programs::find(&config)?);
        Ok(Self {
            programs,
            client: source::client()?,
            config: Arc::new(config.clone()),
        })
    }

    /// The plan that the settings ask for.
    pub fn plan(&self) -> Plan {
        Plan {
            fps: self.config.frame_fps,
            progress: None,
        }
    }

    /// The facts of a video, or why it is refused.
    pub async fn probe(&self, source: &Source) -> Result<Probe, MediaError> {
        let session = self.session(source).await?;
        probe::probe(&session).await
    }

    /// One decode pass. Pieces are sent while it runs, and the receiver has to take them; what
    /// they stand for is told at the end. Dropping the future kills ffmpeg.
    pub async fn extract(
        &self,
        source: &Source,
        probe: &Probe,
        plan: &Plan,
        pieces: mpsc::Sender<Piece>,
    ) -> Result<Extraction, MediaError> {
        let session = self.session(source).await?;
        extract::extract(&session, probe, plan, pieces).await
    }

    async fn session(&self, source: &Source) -> Result<Session, MediaError> {
        let job = Job::new(self.config.temp_dir.as_deref())?;
        let pulse = Arc::new(Pulse::default());
        let blocks = Arc::new(Blocks::new(self.client.clone(), source.clone()));
        let loopback = Loopback::start(blocks, Arc::clone(&pulse)).await?;
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
        let fence = Fence {
            folder: self.job.path().to_path_buf(),
            port: self.loopback.port,
            program: self.programs.folder(),
        };
        let mut running = sandbox::start(program, fence, limits).await?;
        let stderr = running.stderr.take();
        let reading =
            tokio::task::spawn_blocking(move || stderr.map(Complaints::read).unwrap_or_default());
        Ok((running, reading))
    }
}
