use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use shared_domain::{
    EvidenceComplete, ExecutionId, Lang, Message, PredictionDue, PredictionFinished, Refusal,
    RunFailed, Step, Task, UploadCompleted, VideoUploaded,
};
use shared_runtime::{AnyHandler, Verdict, boxed};
use shared_store::{PredictionStatus, Project, Role, Video};
use shared_testing::World;

use crate::Cleanup;

/// Later than every wait of the sweeps, earlier than every expiry.
const LATER: Duration = Duration::from_mins(5);

mod hosted;
mod purges;
mod strays;

struct Stage {
    world: World,
    handler: Arc<dyn AnyHandler>,
    project: Project,
}

impl Stage {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        let function = Cleanup::connect(world.shared()).await;
        let handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
        let project = world.project(&world.user(Role::Client).await?).await?;
        Ok(Self {
            world,
            handler,
            project,
        })
    }

    /// An upload that is there, behind this many older ones that never come.
    async fn upload_behind(&self, absent: i64) -> Result<Video> {
        for _ in 0..absent {
            let announced = self.world.announced(&self.project, "never.mp4", 4);
            announced.await?;
        }
        let there = self.world.announced(&self.project, "clip.mp4", 4).await?;
        self.world.upload(&there, "clip").await?;
        self.world.clock.advance(LATER);
        Ok(there)
    }

    /// Sweeps twice: a sweep may be repeated at any time.
    async fn sweep(&self) -> Result<()> {
        for _ in 0..2 {
            let outcome = self.world.tick(self.handler.as_ref()).await?;
            assert_eq!((outcome.verdict, outcome.error), (Verdict::Done, None));
        }
        Ok(())
    }

    /// A message that every worker gave up.
    async fn given_up<M: Message>(&self, message: &M) -> Result<()> {
        let mut tx = self.world.store.transaction().await?;
        let id = tx.send(message).await?;
        tx.commit().await?;
        let lease = Duration::from_mins(1);
        let claimed = self
            .world
            .store
            .claim(M::STREAM, "worker", lease, 5)
            .await?;
        let claimed = claimed.context("a message")?;
        assert_eq!(claimed.event_id, id);
        Ok(self
            .world
            .store
            .bury(id, claimed.epoch, M::STREAM, "it never worked")
            .await?)
    }
}

#[tokio::test]
async fn an_upload_whose_notification_was_lost_is_found() -> Result<()> {
    let stage = Stage::open().await?;
    let there = stage.world.announced(&stage.project, "clip.mp4", 4).await?;
    stage.world.upload(&there, "clip").await?;
    stage
        .world
        .announced(&stage.project, "never.mp4", 4)
        .await?;
    stage.sweep().await?;
    assert_eq!(
        stage.world.messages::<UploadCompleted>().await?,
        [],
        "it is too early to ask"
    );
    stage.world.clock.advance(LATER);
    stage.sweep().await?;
    stage.sweep().await?;
    let found = stage.world.messages::<UploadCompleted>().await?;
    assert_eq!(found, [UploadCompleted::new(there.video_id)]);
    Ok(())
}

#[tokio::test]
async fn an_upload_that_never_came_expires() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage
        .world
        .announced(&stage.project, "never.mp4", 4)
        .await?;
    stage.world.clock.advance(Duration::from_hours(23));
    stage.sweep().await?;
    let waiting = stage.world.store.video(video.video_id).await?;
    assert_eq!(waiting.step, Step::AwaitingUpload);
    stage.world.clock.advance(Duration::from_hours(2));
    stage.sweep().await?;
    assert_eq!(
        stage.world.store.video(video.video_id).await?.step,
        Step::Expired
    );
    assert_eq!(stage.world.messages::<UploadCompleted>().await?, []);
    Ok(())
}

#[tokio::test]
async fn an_upload_in_parts_that_expires_leaves_no_part() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.world.announced_in_parts(&stage.project).await?;
    assert_eq!(
        stage
            .world
            .objects()
            .list_multipart_uploads("")
            .await?
            .len(),
        1
    );
    stage.world.clock.advance(Duration::from_hours(25));
    stage.sweep().await?;
    assert_eq!(
        stage
            .world
            .objects()
            .list_multipart_uploads("")
            .await?
            .len(),
        0
    );
    assert_eq!(
        stage.world.store.video(video.video_id).await?.step,
        Step::Expired
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_whose_webhook_was_lost_is_fetched() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage
        .world
        .run(&stage.project, &[Task::Nudity, Task::Speech])
        .await?;
    let ids = stage.world.asked(&run).await?;
    stage
        .world
        .replicate
        .succeed(&ids[0], json!({ "nsfw": 0.9 }))?;
    stage.sweep().await?;
    assert_eq!(
        stage.world.messages::<PredictionFinished>().await?,
        [],
        "the webhook may come"
    );
    stage.world.clock.advance(LATER);
    stage.sweep().await?;
    stage.sweep().await?;
    let fetched = stage.world.messages::<PredictionFinished>().await?;
    assert_eq!(
        (fetched.len(), fetched[0].prediction_id),
        (1, run.questions[0])
    );
    assert_eq!(fetched[0].body["id"], ids[0].as_str());
    assert_eq!(fetched[0].body["output"], json!({ "nsfw": 0.9 }));
    assert_eq!(
        stage.world.messages::<PredictionDue>().await?,
        [],
        "the other one is at work"
    );
    Ok(())
}

#[tokio::test]
async fn a_question_that_the_provider_lost_is_put_again_at_most_three_times() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let mut id = stage.world.asked(&run).await?.remove(0);
    for again in 1..=2 {
        stage.world.replicate.forget(&id);
        stage.world.clock.advance(LATER);
        stage.sweep().await?;
        let question = stage.world.store.prediction(run.questions[0]).await?;
        assert_eq!(
            (question.status, question.provider_id),
            (PredictionStatus::Planned, None)
        );
        assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), again);
        id = stage.world.ask(run.questions[0]).await?;
    }
    stage.world.replicate.forget(&id);
    stage.world.clock.advance(LATER);
    stage.sweep().await?;
    let question = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(question.status, PredictionStatus::Failed);
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 2);
    assert_eq!(
        stage.world.messages::<EvidenceComplete>().await?.len(),
        1,
        "the run goes on"
    );
    Ok(())
}

#[tokio::test]
async fn a_video_whose_run_was_given_up_fails_and_its_owner_is_told() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.world.announced(&stage.project, "clip.mp4", 4).await?;
    stage
        .world
        .lead(&video, &[Step::Uploaded, Step::Extracting])
        .await?;
    stage.given_up(&VideoUploaded::new(video.video_id)).await?;
    stage.sweep().await?;
    let failed = stage.world.store.video(video.video_id).await?;
    assert_eq!(
        (failed.step, failed.refusal.as_ref()),
        (Step::Failed, Some(&Refusal::Internal))
    );
    assert!(
        failed
            .refusal
            .is_some_and(|why| why.text(Lang::Ru).contains("по нашей вине"))
    );
    let mails = stage.world.messages::<RunFailed>().await?;
    assert_eq!(mails, [RunFailed::new(video.video_id)]);

    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    stage
        .given_up(&EvidenceComplete::new(run.execution.execution_id))
        .await?;
    stage.sweep().await?;
    assert_eq!(
        stage.world.store.video(run.video.video_id).await?.step,
        Step::Failed
    );
    assert_eq!(stage.world.messages::<RunFailed>().await?.len(), 2);
    assert_eq!(
        stage.world.count("executions", "status = 'failed'").await?,
        1
    );
    Ok(())
}

#[tokio::test]
async fn a_question_that_was_given_up_leaves_a_gap_with_its_reason() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage
        .world
        .run(&stage.project, &[Task::Nudity, Task::Speech])
        .await?;
    stage
        .given_up(&PredictionDue::new(run.questions[0]))
        .await?;
    stage.sweep().await?;
    let question = stage.world.store.prediction(run.questions[0]).await?;
    let reason = Some("it never worked".to_owned());
    assert_eq!(
        (question.status, question.error),
        (PredictionStatus::Failed, reason)
    );
    assert_eq!(stage.world.messages::<EvidenceComplete>().await?, []);
    let finished = PredictionFinished::new(run.questions[1], json!({}));
    stage.given_up(&finished).await?;
    stage.sweep().await?;
    let complete = stage.world.messages::<EvidenceComplete>().await?;
    assert_eq!(
        complete,
        [EvidenceComplete::new(run.execution.execution_id)]
    );
    assert_eq!(
        stage.world.messages::<RunFailed>().await?,
        [],
        "the others are still worth it"
    );
    Ok(())
}

#[tokio::test]
async fn a_letter_about_nothing_holds_no_other_up() -> Result<()> {
    let stage = Stage::open().await?;
    let nowhere: ExecutionId = stage.world.store.fresh();
    stage.given_up(&EvidenceComplete::new(nowhere)).await?;
    stage
        .given_up(&VideoUploaded::new(stage.world.store.fresh()))
        .await?;
    stage
        .given_up(&PredictionDue::new(stage.world.store.fresh()))
        .await?;
    stage
        .given_up(&RunFailed::new(stage.world.store.fresh()))
        .await?;
    let video = stage.world.announced(&stage.project, "clip.mp4", 4).await?;
    stage
        .given_up(&UploadCompleted::new(video.video_id))
        .await?;
    stage.sweep().await?;
    assert_eq!(
        stage.world.store.video(video.video_id).await?.step,
        Step::Failed
    );
    assert!(stage.world.store.untold_dead_letters(10).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_provider_that_is_away_stops_no_other_duty() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    stage.world.asked(&run).await?;
    let video = stage.world.announced(&stage.project, "clip.mp4", 4).await?;
    stage.given_up(&VideoUploaded::new(video.video_id)).await?;
    stage.world.clock.advance(LATER);
    let away = [("REPLICATE_API_BASE_URL", "http://127.0.0.1:9/v1")];
    let function = Cleanup::connect(stage.world.shared_with(&away)).await;
    let handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
    let outcome = stage.world.tick(handler.as_ref()).await?;
    assert_eq!(outcome.verdict, Verdict::RETRY);
    assert_eq!(
        stage.world.store.video(video.video_id).await?.step,
        Step::Failed
    );
    Ok(())
}

#[tokio::test]
async fn finished_messages_are_forgotten_after_a_week() -> Result<()> {
    let stage = Stage::open().await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.send(&RunFailed::new(stage.world.store.fresh())).await?;
    tx.commit().await?;
    let lease = Duration::from_mins(1);
    let claimed = stage
        .world
        .store
        .claim(RunFailed::STREAM, "worker", lease, 5)
        .await?;
    let claimed = claimed.context("a message")?;
    let done = shared_store::Outcome::Done;
    stage
        .world
        .store
        .finish(claimed.event_id, claimed.epoch, done)
        .await?;
    stage.world.clock.advance(Duration::from_hours(6 * 24));
    stage.sweep().await?;
    assert_eq!(stage.world.count("outbox", "true").await?, 1);
    stage.world.clock.advance(Duration::from_hours(2 * 24));
    stage.sweep().await?;
    assert_eq!(stage.world.count("outbox", "true").await?, 0);
    Ok(())
}

#[tokio::test]
async fn the_oldest_uploads_do_not_hide_those_behind_them() -> Result<()> {
    let stage = Stage::open().await?;
    let there = stage.upload_behind(crate::handler::BATCH).await?;
    stage.sweep().await?;
    let found = stage.world.messages::<UploadCompleted>().await?;
    assert_eq!(found, [UploadCompleted::new(there.video_id)]);
    Ok(())
}

#[tokio::test]
async fn a_video_that_stands_still_is_led_on_from_every_step() -> Result<()> {
    let stage = Stage::open().await?;
    let uploaded = stage.world.uploaded(&stage.project, "clip").await?;
    let cutting = stage.world.uploaded(&stage.project, "clip").await?;
    stage.world.lead(&cutting, &[Step::Extracting]).await?;
    let tasks = [Task::Nudity, Task::Speech];
    let asking = stage.world.run(&stage.project, &tasks).await?;
    stage.world.ask(asking.questions[1]).await?;
    let judging = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    stage.world.lead(&judging.video, &[Step::Judging]).await?;
    stage.world.clock.advance(Duration::from_mins(14));
    stage.sweep().await?;
    assert_eq!(stage.world.messages::<VideoUploaded>().await?, []);
    stage.world.clock.advance(Duration::from_mins(2));
    stage.sweep().await?;
    stage.sweep().await?;
    let mut cut = stage.world.messages::<VideoUploaded>().await?;
    cut.sort_by_key(|message| message.video_id);
    let both = [uploaded.video_id, cutting.video_id].map(VideoUploaded::new);
    assert_eq!(cut, both);
    let asked = stage.world.messages::<PredictionDue>().await?;
    assert_eq!(
        asked,
        [PredictionDue::new(asking.questions[0])],
        "the other question is with the provider"
    );
    let judged = stage.world.messages::<EvidenceComplete>().await?;
    assert_eq!(
        judged,
        [EvidenceComplete::new(judging.execution.execution_id)]
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_that_can_never_be_kept_hides_no_other() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage
        .world
        .run(&stage.project, &[Task::Nudity, Task::Speech])
        .await?;
    let ids = stage.world.asked(&run).await?;
    let nul = json!({ "text": "a\u{0}b", "nsfw": 0.9 });
    stage.world.replicate.succeed(&ids[0], nul)?;
    stage.world.replicate.succeed(&ids[1], json!({}))?;
    stage.world.clock.advance(LATER);
    stage.sweep().await?;
    let fetched = stage.world.messages::<PredictionFinished>().await?;
    assert_eq!(fetched.len(), 2);
    let kept = fetched.iter().find(|one| one.body["id"] == ids[0].as_str());
    let kept = kept.context("the first answer")?;
    assert_eq!(kept.body["output"]["text"], "a\u{fffd}b");
    Ok(())
}

/// Whether an object is stored.
async fn is_stored(stage: &Stage, key: &str) -> Result<bool> {
    match stage.world.objects().head(key).await {
        Err(shared_objects::ObjectsError::NotFound { .. }) => Ok(false),
        head => Ok(head.map(|_| true)?),
    }
}

#[tokio::test]
async fn refused_and_expired_videos_leave_nothing_in_storage() -> Result<()> {
    let stage = Stage::open().await?;
    let [refused, broken, good, expired] = {
        let mut videos = Vec::new();
        for _ in 0..4 {
            videos.push(stage.world.uploaded(&stage.project, "clip").await?);
        }
        <[_; 4]>::try_from(videos).map_err(|_| anyhow::anyhow!("four videos"))?
    };
    let frame = |video: &shared_store::Video| shared_objects::keys::frame(video.video_id, 500);
    for video in [&refused, &broken, &good] {
        let bytes = "jpeg".into();
        stage
            .world
            .objects()
            .put(&frame(video), bytes, "image/jpeg")
            .await?;
    }
    let late = stage.world.announced(&stage.project, "late.mp4", 4).await?;
    stage.world.upload(&late, "clip").await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.refuse(refused.video_id, &Refusal::NoPicture).await?;
    tx.refuse(expired.video_id, &Refusal::Empty).await?;
    tx.refuse(broken.video_id, &Refusal::Internal).await?;
    tx.advance(late.video_id, Step::AwaitingUpload, Step::Expired)
        .await?;
    tx.commit().await?;
    stage.sweep().await?;
    for (video, raw, cut) in [
        (&refused, false, false),
        (&expired, false, false),
        (&late, false, false),
        (&broken, true, true),
        (&good, true, true),
    ] {
        assert_eq!(is_stored(&stage, &video.object_key).await?, raw);
        assert_eq!(is_stored(&stage, &frame(video)).await?, cut);
    }
    stage.world.clock.advance(Duration::from_hours(24));
    stage.sweep().await?;
    assert!(
        is_stored(&stage, &broken.object_key).await?,
        "it may be retried"
    );
    assert!(!is_stored(&stage, &frame(&broken)).await?);
    assert!(is_stored(&stage, &frame(&good)).await?);
    Ok(())
}
