//! The thread that reads raw pictures and keeps what the models have to see.

use std::io::Read;
use std::process::ChildStdout;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use shared_domain::Refusal;
use tokio::sync::watch;

use crate::error::MediaError;
use crate::extract::{Outlet, Piece};
use crate::grid::Grid;
use crate::picture::Picture;
use crate::pipes::Shown;
use crate::sampling::Sampler;
use crate::strip::Strip;
use crate::timeline::{KeptFrame, Timeline};

const QUALITY: u8 = 85;
const STRIP_QUALITY: u8 = 75;

/// What the pass needs to know.
#[derive(Debug)]
pub(crate) struct VideoPlan {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) fps: f64,
    pub(crate) duration_ms: i64,
    pub(crate) limit_ms: i64,
    /// Filled with the time of the first frame, which the sound thread needs too.
    pub(crate) zero_ms: Arc<OnceLock<i64>>,
    pub(crate) progress: Option<watch::Sender<f64>>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    pub(crate) timeline: Timeline,
    pub(crate) last_ms: i64,
    pub(crate) candidates: u64,
    pub(crate) kept: u64,
}

/// Reads pictures until ffmpeg closes the pipe.
pub(crate) fn watch(
    mut stdout: ChildStdout,
    times: &Receiver<Shown>,
    plan: &VideoPlan,
    outlet: &Outlet,
) -> Result<Watched, MediaError> {
    let mut picture = Picture::black(plan.width, plan.height);
    let mut strip = Strip::new(plan.width, plan.height, plan.duration_ms);
    let mut sampler = Sampler::new(plan.fps);
    let mut watched = Watched {
        last_ms: -1,
        ..Watched::default()
    };
    while stdout.read_exact(&mut picture.planes).is_ok() {
        // The time is written before the picture; without one, ffmpeg has died in between.
        let Ok(shown) = times.recv() else { break };
        outlet.pulse.beat();
        let at_ms = shown.pts - plan.zero_ms.get_or_init(|| shown.pts);
        if at_ms <= watched.last_ms {
            continue;
        }
        if at_ms > plan.limit_ms {
            let [seconds, limit] = [at_ms, plan.limit_ms].map(|ms| ms.unsigned_abs() / 1000);
            return Err(Refusal::TooLong { seconds, limit }.into());
        }
        watched.last_ms = at_ms;
        watched.candidates += 1;
        strip.offer(at_ms, &picture);
        let grid = Grid::new(picture.luma(), picture.width, picture.height);
        if let Some(start_ms) = sampler.offer(at_ms, shown.score, grid) {
            watched.kept += 1;
            keep(&picture, (start_ms, at_ms), &mut watched.timeline, outlet)?;
        }
        report(plan, at_ms);
    }
    if watched.candidates > 0 {
        outlet.send(Piece::Strip {
            jpeg: strip.picture.jpeg(STRIP_QUALITY)?.into(),
            columns: strip.columns,
            rows: strip.rows,
            interval_ms: strip.interval_ms,
            tile_width: number(strip.tile.0),
            tile_height: number(strip.tile.1),
        })?;
    }
    Ok(watched)
}

fn keep(
    picture: &Picture,
    (start_ms, at_ms): (i64, i64),
    timeline: &mut Timeline,
    outlet: &Outlet,
) -> Result<(), MediaError> {
    let jpeg = picture.jpeg(QUALITY)?;
    let sha256 = hex::encode(Sha256::digest(&jpeg));
    let (width, height) = (number(picture.width), number(picture.height));
    let spans = Vec::new();
    let frame = KeptFrame {
        at_ms,
        sha256: sha256.clone(),
        width,
        height,
        spans,
    };
    if timeline.add(start_ms, frame) {
        outlet.send(Piece::Frame {
            at_ms,
            jpeg: jpeg.into(),
            sha256,
            width,
            height,
        })?;
    }
    Ok(())
}

fn report(plan: &VideoPlan, at_ms: i64) {
    if let Some(progress) = &plan.progress {
        #[expect(clippy::cast_precision_loss, reason = "a share to look at")]
        let share = at_ms as f64 / plan.duration_ms.max(1) as f64;
        progress.send_replace(share.clamp(0.0, 1.0));
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
