//! `VideoUploaded`: probe, one decode pass, and the list of questions.

use std::time::{Duration, Instant};

use futures::stream::{self, TryStreamExt};
use serde_json::{Value, json};
use shared_domain::{
    Delivery, EvidenceComplete, ExecutionId, MediaKind, PlaybackDue, PredictionDue, Refusal,
    RunFailed, Span, Step, Target, Task, VideoId,
};
use shared_media::{Extraction, MediaError, Piece, Plan as DecodePlan, Probe, Source};
use shared_objects::{ObjectsError, keys};
use shared_replicate::ModelEntry;
use shared_runtime::about;
use shared_store::{Execution, NewPrediction, Plan, Video};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use crate::codes::codes;
use crate::{Error, FrameExtract};

/// Storage must answer for as long as the decoder may run.
pub(crate) const SOURCE_EXPIRES: Duration = Duration::from_hours(6);
/// Pieces that wait for storage: bounds the memory whatever the video's length.
const WAITING: usize = 8;
/// Pieces that are stored at once.
const AT_ONCE: usize = 4;
/// Frames that are written down at once.
const BATCH: usize = 200;
/// How much of a run's progress is decoding; the answers are the rest.
const SHARE: f64 = 30.0;

/// What came of a video.
struct Cut {
    probe: Probe,
    extraction: Extraction,
    sha256: String,
}

impl FrameExtract {
    pub(crate) async fn extract(&self, delivery: &Delivery, id: VideoId) -> Result<(), Error> {
        about(id);
        let video = self.store.video(id).await?;
        if video.step != Step::Extracting {
            // A cheap way out for duplicates; a crash in mid-extraction comes back at `Extracting`.
            video.step.advance(Step::Extracting).or_else(|illegal| {
                if video.step.is_at_or_past(Step::Extracting) {
                    Ok(video.step)
                } else {
                    Err(illegal)
                }
            })?;
        }
        if video.step.is_at_or_past(Step::Analysing) {
            return Ok(());
        }
        let _turn = self.decoding.try_acquire().map_err(|_| Error::Busy)?;
        self.urgent.notify_waiters();
        info!(video.id = %id, "Starting AI pipeline for video {id}");
        let execution = self.start(delivery, &video).await?;
        match self.decode(&video, &execution).await {
            Ok(cut) => self.plan(delivery, &video, &execution, cut).await,
            Err(Error::Media(MediaError::Refused(refusal))) => {
                self.refuse(delivery, id, &refusal).await
            }
            Err(error) => Err(error),
        }
    }

    async fn start(&self, delivery: &Delivery, video: &Video) -> Result<Execution, Error> {
        let mut tx = self.store.begin_step(delivery).await?;
        let execution = tx.start_execution(video.video_id).await?;
        if video.step == Step::Uploaded {
            tx.advance(video.video_id, Step::Uploaded, Step::Extracting)
                .await?;
        }
        tx.commit().await?;
        Ok(execution)
    }

    async fn refuse(
        &self,
        delivery: &Delivery,
        id: VideoId,
        refusal: &Refusal,
    ) -> Result<(), Error> {
        info!(video.id = %id, code = refusal.code(), "video {id} is refused");
        let mut tx = self.store.begin(delivery).await?;
        tx.refuse(id, refusal).await?;
        tx.send(&RunFailed::new(id)).await?;
        Ok(tx.commit().await?)
    }

    async fn decode(&self, video: &Video, run: &Execution) -> Result<Cut, Error> {
        let url = self
            .objects
            .presign_get(&video.object_key, SOURCE_EXPIRES)
            .await?;
        let source = Source {
            url,
            size: video.size_bytes,
            etag: video.etag.clone(),
        };
        let probe = self.media.probe(&source).await?;
        self.say(run.execution_id, 1.0, None).await;
        let (pieces, arriving) = mpsc::channel(WAITING);
        let (share, progress) = watch::channel(0.0);
        let (extraction, sha256, (), ()) = tokio::try_join!(
            self.cut(&source, &probe, share, pieces),
            self.checksum(video, &source),
            async {
                self.keep(video.video_id, arriving)
                    .await
                    .map_err(Error::from)
            },
            async {
                self.tell(run.execution_id, progress).await;
                Ok(())
            },
        )?;
        Ok(Cut {
            probe,
            extraction,
            sha256,
        })
    }

    /// The checksum that the report names is that of the stored bytes, whatever was announced.
    async fn checksum(&self, video: &Video, source: &Source) -> Result<String, Error> {
        let stored = self.media.sha256(source).await?;
        match &video.checksum_sha256 {
            Some(announced) if !announced.eq_ignore_ascii_case(&stored) => {
                Err(MediaError::Refused(Refusal::ChecksumDiffers).into())
            }
            _ => Ok(stored),
        }
    }

    async fn cut(
        &self,
        source: &Source,
        probe: &Probe,
        share: watch::Sender<f64>,
        pieces: mpsc::Sender<Piece>,
    ) -> Result<Extraction, Error> {
        // The plan, and with it the sender of progress, goes when the pass ends: `tell` ends too.
        let plan = DecodePlan {
            progress: Some(share),
            ..self.media.plan()
        };
        Ok(self.media.extract(source, probe, &plan, pieces).await?)
    }

    /// Stores pieces as they come, a few at once.
    async fn keep(&self, id: VideoId, arriving: mpsc::Receiver<Piece>) -> Result<(), ObjectsError> {
        let arriving = stream::unfold(arriving, |mut pieces| async {
            let piece = pieces.recv().await?;
            Some((Ok::<_, ObjectsError>(piece), pieces))
        });
        arriving
            .try_for_each_concurrent(AT_ONCE, |piece| self.keep_one(id, piece))
            .await
    }

    async fn keep_one(&self, id: VideoId, piece: Piece) -> Result<(), ObjectsError> {
        let (key, bytes, kind) = match piece {
            Piece::Frame { at_ms, jpeg, .. } => (frame_key(id, at_ms), jpeg, "image/jpeg"),
            Piece::Audio { index, wav, .. } => (keys::audio(id, index), wav, "audio/wav"),
            Piece::Strip { jpeg, .. } => (keys::strip(id), jpeg, "image/jpeg"),
            Piece::Likeness { json } => (keys::likeness(id), json, "application/json"),
            Piece::Waveform { json, .. } => (keys::waveform(id), json, "application/json"),
        };
        self.objects.put(&key, bytes, kind).await.map(drop)
    }

    /// Tells the record how far the decoder is, about once a second.
    async fn tell(&self, id: ExecutionId, mut share: watch::Receiver<f64>) {
        let started = Instant::now();
        let mut told = Instant::now();
        while share.changed().await.is_ok() {
            if told.elapsed() < Duration::from_secs(1) {
                continue;
            }
            told = Instant::now();
            let done = *share.borrow_and_update();
            let left = (done > 0.02).then(|| started.elapsed().as_secs_f64() * (1.0 - done) / done);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "seconds of a day, a share of a hundred"
            )]
            let (eta, percent) = (left.map(|s| s as i64), (1.0 + done * (SHARE - 1.0)) as f32);
            self.say(id, percent, eta).await;
        }
    }

    /// A bar that stands still is no reason to throw a decoded hour away.
    async fn say(&self, id: ExecutionId, percent: f32, eta: Option<i64>) {
        let told = self
            .store
            .report_progress(id, "extract", percent, eta)
            .await;
        if let Err(error) = told {
            warn!(%error, "progress could not be written");
        }
    }

    /// Writes everything down in one transaction, a few hundred frames at a time: two hours of cuts
    /// are more questions than fit into memory at once.
    async fn plan(
        &self,
        delivery: &Delivery,
        video: &Video,
        run: &Execution,
        cut: Cut,
    ) -> Result<(), Error> {
        let id = video.video_id;
        let mut tx = self.store.begin(delivery).await?;
        tx.set_probe(id, cut.extraction.duration_ms, &json!(cut.probe))
            .await?;
        tx.set_checksum(id, &cut.sha256).await?;
        let (mut record, mut models) = (record(id, &cut.extraction), self.models());
        let (mut asked, mut usd) = (0, 0.0);
        let frames = cut.extraction.frames.len();
        for targets in batches(id, cut.extraction) {
            usd += self.estimate_usd(&targets);
            let plan = Plan {
                predictions: self.questions(&targets),
                targets,
                extraction: record.take(),
                models: models.take(),
            };
            tx.plan(run.execution_id, &plan).await?;
            let due = plan
                .predictions
                .iter()
                .map(|p| PredictionDue::new(p.prediction_id));
            tx.send_all(&due.collect::<Vec<_>>()).await?;
            asked += plan.predictions.len();
        }
        tx.add_estimate(run.execution_id, usd).await?;
        tx.advance(id, Step::Extracting, Step::Analysing).await?;
        if asked == 0 {
            tx.advance(id, Step::Analysing, Step::Judging).await?;
            tx.send(&EvidenceComplete::new(run.execution_id)).await?;
        }
        tx.send(&PlaybackDue::new(id)).await?;
        tx.commit().await?;
        info!(video.id = %id, frames, predictions = asked, "extracted {frames} frames of video {id}");
        Ok(())
    }

    /// What the report says of the models.
    fn models(&self) -> Value {
        let entry = |model: &ModelEntry| {
            json!({
                "task": model.task,
                "provider": model.provider.as_str(),
                "model": model.model,
                "version": model.version,
                "limits": model.limits,
            })
        };
        self.registry.entries().map(entry).collect()
    }

    /// What the questions about these targets will cost if none is answered from the cache.
    fn estimate_usd(&self, targets: &[Target]) -> f64 {
        let of = |target: &Target| {
            let models = tasks_about(target).iter().copied();
            let models = models.filter_map(|task| self.registry.find(task));
            models.map(|model| model.estimate_usd(target)).sum::<f64>()
        };
        targets.iter().map(of).sum()
    }

    /// Each configured task is asked about each target of its kind.
    fn questions(&self, targets: &[Target]) -> Vec<NewPrediction> {
        let ask = |target: &Target, task: Task| {
            let model = self.registry.find(task)?;
            Some(NewPrediction {
                prediction_id: self.store.fresh(),
                task,
                content_hash: target.content_hash.clone(),
                object_key: target.object_key.clone(),
                provider: model.provider.as_str().to_owned(),
                model: model.model.clone(),
                version: model.version.clone(),
            })
        };
        let asked = |target: &Target| {
            let tasks = tasks_about(target).iter();
            tasks
                .filter_map(|task| ask(target, *task))
                .collect::<Vec<_>>()
        };
        targets.iter().flat_map(asked).collect()
    }
}

/// The tasks that look at a target of this kind.
fn tasks_about(target: &Target) -> &'static [Task] {
    match target.media {
        MediaKind::Audio => &[Task::Speech],
        MediaKind::Frame => &Task::PER_FRAME,
    }
}

/// The first frame is at 0: no frame is before it.
pub(crate) fn frame_key(id: VideoId, at_ms: i64) -> String {
    keys::frame(id, at_ms.unsigned_abs())
}

/// What is kept of the extraction beside its targets, which have a table of their own.
fn record(id: VideoId, cut: &Extraction) -> Value {
    json!({
        "frames": cut.frames.len(),
        "audio": cut.audio.len(),
        "silences": cut.silences,
        "gaps": cut.gaps,
        "hurried": cut.hurried,
        "duration_ms": cut.duration_ms,
        "candidates": cut.candidates,
        "dropped": cut.dropped,
        "damaged": cut.damaged,
        "codes": codes(id, &cut.frames),
        "strip": cut.strip,
        "waveform_per_second": cut.waveform_per_second,
    })
}

/// Everything that the models are shown. All sound comes in the first batch: chunks of equal bytes
/// become one target, and only within a batch. Frames are unique already.
fn batches(id: VideoId, cut: Extraction) -> impl Iterator<Item = Vec<Target>> {
    let audio = cut.audio.into_iter().map(move |chunk| Target {
        media: MediaKind::Audio,
        object_key: keys::audio(id, chunk.index),
        content_hash: chunk.sha256,
        spans: vec![Span {
            start_ms: chunk.start_ms,
            end_ms: chunk.end_ms,
        }],
        width: 0,
        height: 0,
    });
    let mut frames = cut.frames.into_iter().map(move |frame| Target {
        media: MediaKind::Frame,
        object_key: frame_key(id, frame.at_ms),
        content_hash: frame.sha256,
        spans: frame.spans,
        width: frame.width,
        height: frame.height,
    });
    // Sound first: it takes longest, and words are what most risks are made of.
    let mut first: Option<Vec<Target>> = Some(audio.collect());
    std::iter::from_fn(move || {
        let mut batch = first.take().unwrap_or_default();
        batch.extend(frames.by_ref().take(BATCH));
        (!batch.is_empty()).then_some(batch)
    })
}
