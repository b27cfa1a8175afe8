//! The thread that reads raw pictures and keeps what the models have to see.

use std::io::Read;
use std::process::ChildStdout;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};
use shared_domain::{Likeness, Refusal, Span};
use tokio::sync::watch;

use crate::codes;
use crate::error::MediaError;
use crate::extract::{Outlet, Piece, StripFacts};
use crate::gaps::{Gaps, LONG_MS};
use crate::grid::Grid;
use crate::likeness;
use crate::picture::Picture;
use crate::pipes::Shown;
use crate::sampling::{CUT, Sampler};
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
    /// Where the first frame was said to be: its beginning may have been lost.
    pub(crate) expected_zero_ms: i64,
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
    /// Long stretches without a picture: damage, if the decoder complained.
    pub(crate) holes: Gaps,
    /// What came again after it was over, and so has no place on the time line.
    pub(crate) misplaced: Gaps,
    /// Shots that came too fast for all of them to be kept.
    pub(crate) hurried: Vec<Span>,
    /// Of every picture, kept or not.
    pub(crate) likenesses: Vec<Likeness>,
    pub(crate) strip: Option<StripFacts>,
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
        let at_ms = shown.pts - plan.zero_ms.get_or_init(|| plan.zero(shown.pts));
        if at_ms <= watched.last_ms {
            watched.misplaced.add(at_ms, watched.last_ms);
            continue;
        }
        if at_ms > plan.limit_ms {
            let [seconds, limit] = [at_ms, plan.limit_ms].map(|ms| ms.unsigned_abs() / 1000);
            return Err(Refusal::TooLong { seconds, limit }.into());
        }
        if at_ms - watched.last_ms > LONG_MS {
            watched.holes.add(watched.last_ms, at_ms);
        }
        let is_first = watched.candidates == 0;
        watched.last_ms = at_ms;
        watched.candidates += 1;
        strip.offer(at_ms, &picture);
        watched.likenesses.push(Likeness {
            at_ms,
            bits: likeness::bits(picture.luma(), picture.width, picture.height),
            opens: shown.score >= CUT,
        });
        let grid = Grid::new(picture.luma(), picture.width, picture.height);
        if let Some(start_ms) = sampler.offer(at_ms, shown.score, grid) {
            watched.kept += 1;
            // Whatever was lost before the first picture, the time line has no hole.
            let start_ms = if is_first { 0 } else { start_ms };
            keep(&picture, (start_ms, at_ms), &mut watched.timeline, outlet)?;
        }
        report(plan, at_ms);
    }
    watched.hurried = sampler.finish(watched.last_ms);
    if watched.candidates > 0 {
        let facts = StripFacts {
            columns: strip.columns,
            rows: strip.rows,
            interval_ms: strip.interval_ms,
            tile_width: number(strip.tile.0),
            tile_height: number(strip.tile.1),
        };
        watched.strip = Some(facts);
        let jpeg = strip.picture.jpeg(STRIP_QUALITY)?.into();
        outlet.send(Piece::Strip { jpeg, facts })?;
    }
    let json = serde_json::to_vec(&watched.likenesses).unwrap_or_default();
    outlet.send(Piece::Likeness { json: json.into() })?;
    Ok(watched)
}

impl VideoPlan {
    /// Where the video begins, when its first picture is this one.
    fn zero(&self, pts: i64) -> i64 {
        if pts - self.expected_zero_ms > LONG_MS {
            self.expected_zero_ms
        } else {
            pts
        }
    }
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
        codes: codes::read(picture),
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
