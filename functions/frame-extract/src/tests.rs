use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use serde_json::json;
use shared_domain::{
    EvidenceComplete, Lang, PredictionDue, Refusal, RunFailed, Step, Task, VideoUploaded,
};
use shared_objects::keys;
use shared_runtime::{AnyHandler, Verdict, boxed};
use shared_store::{Closing, PredictionStatus, Project, Role, Video};
use shared_testing::{Mishap, Run, World};
use tempfile::TempDir;

use crate::FrameExtract;

/// Three seconds of moving picture and a tone.
const CLIP: &str = "-f lavfi -i testsrc2=size=320x180:rate=10:duration=3 \
    -f lavfi -i sine=frequency=440:duration=3 -c:v libx264 -preset ultrafast -pix_fmt yuv420p \
    -c:a aac -shortest";

mod hosted;
mod playback;

struct Stage {
    world: World,
    project: Project,
    folder: TempDir,
}

impl Stage {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        let project = world.project(&world.user(Role::Client).await?).await?;
        Ok(Self {
            world,
            project,
            folder: tempfile::tempdir()?,
        })
    }

    /// The function, as a process that has just started.
    async fn function(&self) -> Result<Arc<dyn AnyHandler>> {
        let function = FrameExtract::connect(self.world.shared()).await;
        Ok(boxed(function.map_err(anyhow::Error::from_boxed)?))
    }

    fn clip(&self, name: &str, args: &str) -> Result<Bytes> {
        let path = self.folder.path().join(name);
        make(&path, args)?;
        Ok(std::fs::read(path)?.into())
    }

    /// Brings `VideoUploaded` and answers the verdict.
    async fn extract(&self, video: &Video) -> Result<Verdict> {
        let event = self.world.event(&VideoUploaded::new(video.video_id))?;
        Ok(self
            .world
            .bring(self.function().await?.as_ref(), &event)
            .await
            .verdict)
    }

    /// A run with one question for each task.
    async fn run(&self, tasks: &[Task]) -> Result<Run> {
        self.world.run(&self.project, tasks).await
    }

    /// Brings `PredictionDue` for the first question of a run to a fresh process.
    async fn submit(&self, run: &Run) -> Result<Verdict> {
        let event = self.world.event(&PredictionDue::new(run.questions[0]))?;
        Ok(self
            .world
            .bring(self.function().await?.as_ref(), &event)
            .await
            .verdict)
    }

    async fn status(&self, run: &Run) -> Result<PredictionStatus> {
        Ok(self.world.store.prediction(run.questions[0]).await?.status)
    }
}

fn make(path: &Path, args: &str) -> Result<()> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg
        .args(["-nostdin", "-v", "error", "-y"])
        .args(args.split_whitespace());
    let made = ffmpeg.arg(path).output().context("ffmpeg does not start")?;
    ensure!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    Ok(())
}

#[tokio::test]
async fn a_video_becomes_frames_sound_and_questions() -> Result<()> {
    let stage = Stage::open().await?;
    let (world, store) = (&stage.world, &stage.world.store);
    let video = world
        .uploaded(&stage.project, stage.clip("clip.mp4", CLIP)?)
        .await?;
    let event = world.event(&VideoUploaded::new(video.video_id))?;
    let function = stage.function().await?;
    let outcome = world.bring(function.as_ref(), &event).await;
    assert_eq!((outcome.verdict, outcome.error), (Verdict::Done, None));

    let found = store.video(video.video_id).await?;
    assert_eq!(found.step, Step::Analysing);
    let duration = found.duration_ms.context("a duration")?;
    assert!((2900..=3100).contains(&duration), "{duration} ms");
    assert!(found.probe.is_some_and(|probe| probe.is_object()));

    let run = store
        .live_execution(video.video_id)
        .await?
        .context("a run")?;
    let targets = store.targets(run.execution_id).await?;
    let stored = world
        .objects()
        .list(&keys::video_prefix(video.video_id))
        .await?;
    let is_stored = |key: &str| stored.iter().any(|object| object.key == key);
    assert!(targets.len() > 1 && targets.iter().all(|target| is_stored(&target.object_key)));
    assert!(
        is_stored(&keys::audio(video.video_id, 0)),
        "the sound is stored"
    );
    assert!(is_stored(&keys::strip(video.video_id)) && is_stored(&keys::waveform(video.video_id)));
    assert!(is_stored(&keys::likeness(video.video_id)));

    let due = world.messages::<PredictionDue>().await?;
    let counts = store.task_counts(run.execution_id).await?;
    let planned: Vec<_> = counts
        .iter()
        .map(|count| (count.task, count.planned))
        .collect();
    let frames = i64::try_from(targets.len())? - 1;
    assert_eq!(
        planned,
        [
            (Task::Nudity, frames),
            (Task::Speech, 1),
            (Task::Text, frames)
        ]
    );
    assert_eq!(
        (i64::try_from(due.len())?, run.planned),
        (2 * frames + 1, 2 * frames + 1)
    );
    let models = run.models.context("models")?;
    assert_eq!(models.as_array().map(Vec::len), Some(3));
    assert_eq!(models[0]["provider"], "local");
    let cut = run.extraction.context("what was cut")?;
    assert_eq!(cut["strip"]["columns"], 4);
    assert_eq!(cut["waveform_per_second"], 10);
    assert_eq!(cut["gaps"], json!({ "picture": [], "sound": [] }));
    Ok(())
}

#[tokio::test]
async fn the_checksum_of_the_stored_bytes_counts_and_another_announced_one_is_refused() -> Result<()>
{
    use sha2::{Digest, Sha256};
    let stage = Stage::open().await?;
    let (world, store) = (&stage.world, &stage.world.store);
    let clip = stage.clip("clip.mp4", CLIP)?;
    let video = world.uploaded(&stage.project, clip.clone()).await?;
    assert_eq!(stage.extract(&video).await?, Verdict::Done);
    let found = store.video(video.video_id).await?;
    let stored = hex::encode(Sha256::digest(&clip));
    assert_eq!(found.checksum_sha256, Some(stored));

    let other = world.uploaded(&stage.project, clip).await?;
    let event = world.event(&VideoUploaded::new(other.video_id))?;
    let mut tx = store.begin(&event.delivery("test")).await?;
    tx.set_checksum(other.video_id, &"0".repeat(64)).await?;
    tx.commit().await?;
    assert_eq!(stage.extract(&other).await?, Verdict::Done);
    let found = store.video(other.video_id).await?;
    assert_eq!(found.step, Step::Failed);
    assert_eq!(found.refusal, Some(Refusal::ChecksumDiffers));
    Ok(())
}

#[tokio::test]
async fn a_video_that_waits_for_the_decoder_holds_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let world = &stage.world;
    let function = stage.function().await?;
    let mut events = Vec::new();
    for _ in 0..2 {
        let clip = stage.clip("clip.mp4", CLIP)?;
        let video = world.uploaded(&stage.project, clip).await?;
        events.push(world.event(&VideoUploaded::new(video.video_id))?);
    }
    let (first, second) = tokio::join!(
        world.bring(function.as_ref(), &events[0]),
        world.bring(function.as_ref(), &events[1]),
    );
    let mut verdicts = [first.verdict, second.verdict];
    verdicts.sort_by_key(|verdict| *verdict == Verdict::Done);
    let after = Some(Duration::from_secs(5));
    assert_eq!(verdicts, [Verdict::Retry { after }, Verdict::Done]);
    for event in &events {
        let again = world.bring(function.as_ref(), event).await;
        assert_eq!(again.verdict, Verdict::Done);
    }
    Ok(())
}

#[tokio::test]
async fn a_second_delivery_cuts_and_plans_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let world = &stage.world;
    let video = world
        .uploaded(&stage.project, stage.clip("clip.mp4", CLIP)?)
        .await?;
    let event = world.event(&VideoUploaded::new(video.video_id))?;
    let function = stage.function().await?;
    let first = world.bring(function.as_ref(), &event).await;
    assert_eq!(first.verdict, Verdict::Done);
    let due = world.messages::<PredictionDue>().await?;
    // The same delivery again, and another one of the same fact.
    assert_eq!(
        world.bring(function.as_ref(), &event).await.verdict,
        Verdict::Done
    );
    assert_eq!(stage.extract(&video).await?, Verdict::Done);
    assert_eq!(world.messages::<PredictionDue>().await?.len(), due.len());
    assert_eq!(world.count("executions", "true").await?, 1);
    assert_eq!(
        world.replicate.creates().len(),
        0,
        "questions are put one by one, later"
    );
    Ok(())
}

#[tokio::test]
async fn a_start_that_died_half_way_is_finished_by_the_next() -> Result<()> {
    let stage = Stage::open().await?;
    let (world, store) = (&stage.world, &stage.world.store);
    let video = world
        .uploaded(&stage.project, stage.clip("clip.mp4", CLIP)?)
        .await?;
    let mut tx = store.transaction().await?;
    let begun = tx.start_execution(video.video_id).await?;
    tx.advance(video.video_id, Step::Uploaded, Step::Extracting)
        .await?;
    tx.commit().await?;
    assert_eq!(stage.extract(&video).await?, Verdict::Done);
    let run = store
        .live_execution(video.video_id)
        .await?
        .context("a run")?;
    assert_eq!(run.execution_id, begun.execution_id);
    assert_eq!(store.video(video.video_id).await?.step, Step::Analysing);
    Ok(())
}

#[tokio::test]
async fn without_models_the_evidence_is_complete_at_once() -> Result<()> {
    let stage = Stage::open().await?;
    stage.world.replicate.offer([]);
    let video = stage
        .world
        .uploaded(&stage.project, stage.clip("clip.mp4", CLIP)?)
        .await?;
    assert_eq!(stage.extract(&video).await?, Verdict::Done);
    let found = stage.world.store.video(video.video_id).await?;
    assert_eq!(found.step, Step::Judging);
    assert_eq!(stage.world.messages::<EvidenceComplete>().await?.len(), 1);
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_file_that_cannot_be_checked_fails_with_its_reason() -> Result<()> {
    let stage = Stage::open().await?;
    let world = &stage.world;
    let sound = "-f lavfi -i sine=frequency=440:duration=1 -c:a aac";
    let whole = stage.clip("clip.mp4", CLIP)?;
    let mut noise = whole.to_vec();
    noise[40..].fill(0x5a);
    for (number, (bytes, refusal)) in [
        (stage.clip("sound.mp4", sound)?, Some(Refusal::NoPicture)),
        (whole.slice(..whole.len() / 2), Some(Refusal::Damaged)),
        (noise.into(), None),
    ]
    .into_iter()
    .enumerate()
    {
        let video = world.uploaded(&stage.project, bytes).await?;
        assert_eq!(stage.extract(&video).await?, Verdict::Done);
        assert_eq!(stage.extract(&video).await?, Verdict::Done);
        let failed = world.store.video(video.video_id).await?;
        assert_eq!(failed.step, Step::Failed, "case {number}");
        let said = failed.refusal.context("a refusal")?;
        if let Some(refusal) = refusal {
            assert_eq!(said, refusal);
        }
        assert!(said != Refusal::Internal && said.text(Lang::Ru) != said.text(Lang::En));
        assert_eq!(world.messages::<RunFailed>().await?.len(), number + 1);
    }
    assert_eq!(world.count("executions", "status = 'failed'").await?, 3);
    assert_eq!(world.messages::<PredictionDue>().await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_video_whose_object_is_gone_is_tried_again() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage
        .world
        .announced(&stage.project, "clip.mp4", 1000)
        .await?;
    stage.world.lead(&video, &[Step::Uploaded]).await?;
    assert_eq!(stage.extract(&video).await?, Verdict::RETRY);
    assert_eq!(
        stage.world.store.video(video.video_id).await?.step,
        Step::Extracting
    );
    Ok(())
}

#[tokio::test]
async fn a_question_is_put_once_with_our_own_id_in_its_callback() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    let question = stage.world.store.prediction(run.questions[0]).await?;
    let bytes = Bytes::from_static(b"a picture");
    stage
        .world
        .objects()
        .put(&question.target.object_key, bytes, "image/jpeg")
        .await?;
    let mut event = stage.world.event(&PredictionDue::new(run.questions[0]))?;
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    event.trace = Some(trace.to_owned());
    let function = stage.function().await?;
    for _ in 0..2 {
        let outcome = stage.world.bring(function.as_ref(), &event).await;
        assert_eq!(outcome.verdict, Verdict::Done, "{:?}", outcome.error);
    }
    assert_eq!(
        stage.submit(&run).await?,
        Verdict::Done,
        "another message about the same question"
    );

    let creates = stage.world.replicate.creates();
    assert_eq!(creates.len(), 1);
    let callback = format!(
        "https://compliance.example/functions/replicate-webhook?prediction={}&traceparent={trace}",
        run.questions[0]
    );
    assert_eq!(creates[0].webhook.as_deref(), Some(callback.as_str()));
    assert_eq!(creates[0].version, question.version);
    assert!(creates[0].cancel_after.is_some());
    let url = creates[0].input["image"].as_str().context("a URL")?;
    assert_eq!(
        shared_testing::get_signed(url).await?,
        Bytes::from_static(b"a picture")
    );
    let asked = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(asked.status, PredictionStatus::Submitted);
    assert_eq!(
        (asked.provider_id.as_deref(), asked.attempts),
        (Some(creates[0].id.as_str()), 1)
    );
    Ok(())
}

#[tokio::test]
async fn a_question_whose_answer_was_lost_is_adopted_and_not_repeated() -> Result<()> {
    for hides_webhooks in [false, true] {
        let stage = Stage::open().await?;
        if hides_webhooks {
            stage.world.replicate.hide_webhooks();
        }
        let run = stage.run(&[Task::Nudity]).await?;
        stage.world.replicate.expect_mishaps([Mishap::LostAnswer]);
        assert_eq!(stage.submit(&run).await?, Verdict::Done);
        let creates = stage.world.replicate.creates();
        let asked = stage.world.store.prediction(run.questions[0]).await?;
        assert_eq!(
            (creates.len(), asked.provider_id),
            (1, Some(creates[0].id.clone()))
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_question_that_never_arrived_is_put_again() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    stage.world.replicate.expect_mishaps([Mishap::LostQuestion]);
    assert_eq!(stage.submit(&run).await?, Verdict::RETRY);
    assert_eq!(stage.status(&run).await?, PredictionStatus::Submitting);
    assert_eq!(stage.submit(&run).await?, Verdict::Done);
    assert_eq!(stage.world.replicate.creates().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_start_that_died_after_the_call_left_a_question_to_adopt() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    let mut tx = stage.world.store.transaction().await?;
    assert!(tx.begin_submission(run.questions[0]).await?);
    tx.commit().await?;
    let made = stage.world.ask_unnoticed(run.questions[0]).await?;
    assert_eq!(stage.submit(&run).await?, Verdict::Done);
    let asked = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(
        (asked.provider_id, asked.status),
        (Some(made), PredictionStatus::Submitted)
    );
    assert_eq!(stage.world.replicate.creates().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_provider_that_is_busy_or_unpaid_is_asked_later() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    let throttled = Mishap::Throttled { retry_after: 7 };
    stage
        .world
        .replicate
        .expect_mishaps([throttled, Mishap::NoCredit]);
    let after = Some(Duration::from_secs(7));
    assert_eq!(stage.submit(&run).await?, Verdict::Retry { after });
    assert_eq!(stage.submit(&run).await?, Verdict::RETRY);
    assert_eq!(stage.world.replicate.creates().len(), 0);
    assert_eq!(stage.submit(&run).await?, Verdict::Done);
    assert_eq!(stage.world.replicate.creates().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_question_that_never_left_has_used_no_try() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    let throttled = Mishap::Throttled { retry_after: 7 };
    stage.world.replicate.expect_mishaps([throttled; 10]);
    for _ in 0..10 {
        assert!(matches!(stage.submit(&run).await?, Verdict::Retry { .. }));
        let question = stage.world.store.prediction(run.questions[0]).await?;
        assert_eq!(
            (question.status, question.attempts),
            (PredictionStatus::Planned, 0)
        );
    }
    // One that may have arrived counts, and a throttle after it does not hide that.
    stage
        .world
        .replicate
        .expect_mishaps([Mishap::LostQuestion, throttled]);
    for _ in 0..2 {
        assert!(matches!(stage.submit(&run).await?, Verdict::Retry { .. }));
        let question = stage.world.store.prediction(run.questions[0]).await?;
        assert_eq!(
            (question.status, question.attempts),
            (PredictionStatus::Submitting, 1)
        );
    }
    assert_eq!(stage.submit(&run).await?, Verdict::Done);
    let asked = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(
        (asked.status, asked.attempts),
        (PredictionStatus::Submitted, 2)
    );
    Ok(())
}

#[tokio::test]
async fn a_question_that_is_put_again_does_not_adopt_what_its_first_try_came_to() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    assert_eq!(stage.submit(&run).await?, Verdict::Done);
    let first = stage.world.replicate.creates()[0].id.clone();
    stage.world.replicate.abort(&first)?;
    let mut tx = stage.world.store.transaction().await?;
    assert!(tx.resubmit(run.questions[0]).await?);
    tx.commit().await?;

    stage.world.replicate.expect_mishaps([Mishap::LostQuestion]);
    assert_eq!(stage.submit(&run).await?, Verdict::RETRY);
    assert_eq!(stage.submit(&run).await?, Verdict::Done);
    let asked = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(stage.world.replicate.creates().len(), 2);
    assert_ne!(asked.provider_id, Some(first));
    Ok(())
}

#[tokio::test]
async fn an_input_can_be_read_for_as_long_as_the_question_may_wait() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    assert_eq!(stage.submit(&run).await?, Verdict::Done);
    let create = stage.world.replicate.creates().remove(0);
    let waits = create.cancel_after.context("a deadline")?;
    let waits: u64 = waits.trim_end_matches('s').parse()?;
    let url: url::Url = create.input["image"].as_str().context("a URL")?.parse()?;
    let expires = url.query_pairs().find(|(name, _)| name == "X-Amz-Expires");
    let (_, expires) = expires.context("an end")?;
    assert!(expires.parse::<u64>()? > waits, "{expires} s for {waits} s");
    Ok(())
}

#[tokio::test]
async fn a_question_that_is_refused_or_has_no_model_is_given_up() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.run(&[Task::Nudity]).await?;
    stage.world.replicate.expect_mishaps([Mishap::Refused]);
    assert_eq!(stage.submit(&run).await?, Verdict::Reject);
    let unknown = stage.run(&[Task::Violence]).await?;
    assert_eq!(stage.submit(&unknown).await?, Verdict::Reject);
    assert_eq!(stage.world.replicate.creates().len(), 0);
    Ok(())
}

#[tokio::test]
async fn what_was_answered_before_is_not_asked_again() -> Result<()> {
    let stage = Stage::open().await?;
    let (world, store) = (&stage.world, &stage.world.store);
    let first = stage.run(&[Task::Nudity]).await?;
    let mut tx = store.transaction().await?;
    let closing = Closing {
        answer: Some(json!({ "nsfw": 0.9, "sfw": 0.1 })),
        ..Closing::of(PredictionStatus::Succeeded)
    };
    tx.conclude(first.questions[0], &closing, &[]).await?;
    tx.commit().await?;
    assert_eq!(world.messages::<EvidenceComplete>().await?.len(), 1);

    let again = stage.run(&[Task::Nudity]).await?;
    assert_eq!(stage.submit(&again).await?, Verdict::Done);
    assert_eq!(stage.submit(&again).await?, Verdict::Done);
    assert_eq!(world.replicate.creates().len(), 0);
    assert_eq!(stage.status(&again).await?, PredictionStatus::Cached);
    let found = store.detections(again.execution.execution_id).await?;
    assert_eq!((found.len(), found[0].label.as_str()), (1, "nsfw"));
    assert_eq!((found[0].start_ms, found[0].end_ms), (0, 1000));
    // It was the last open question: the run goes on.
    assert_eq!(store.video(again.video.video_id).await?.step, Step::Judging);
    let complete = world.messages::<EvidenceComplete>().await?;
    assert_eq!(
        complete[1..],
        [EvidenceComplete::new(again.execution.execution_id)]
    );
    let run = store.execution(again.execution.execution_id).await?;
    assert_eq!(run.api_calls_count, 0, "nothing was called");
    Ok(())
}

#[tokio::test]
async fn a_doubtful_finding_of_a_cached_answer_asks_a_second_model_too() -> Result<()> {
    let stage = Stage::open().await?;
    stage.world.replicate.offer([
        (Task::Violence, "scores", "image"),
        (Task::Context, "scores", "image"),
    ]);
    let first = stage.run(&[Task::Violence]).await?;
    let closing = Closing {
        answer: Some(json!({ "violence": 0.6 })),
        ..Closing::of(PredictionStatus::Succeeded)
    };
    let mut tx = stage.world.store.transaction().await?;
    tx.conclude(first.questions[0], &closing, &[]).await?;
    tx.commit().await?;

    let again = stage.run(&[Task::Violence]).await?;
    assert_eq!(stage.submit(&again).await?, Verdict::Done);
    assert_eq!(stage.status(&again).await?, PredictionStatus::Cached);
    let video = stage.world.store.video(again.video.video_id).await?;
    assert_eq!(video.step, Step::Analysing, "the run waits");
    let due = stage.world.messages::<PredictionDue>().await?;
    assert_eq!(due.len(), 1, "{due:?}");
    let second = stage.world.store.prediction(due[0].prediction_id).await?;
    assert_eq!(
        (second.task, second.execution_id),
        (Task::Context, again.execution.execution_id)
    );
    Ok(())
}
