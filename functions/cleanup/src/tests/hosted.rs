//! The hosted service: deadlines, cold starts, and what is held back.

use shared_domain::{LanePaused, PauseReason, PredictionId, VideoCapped};
use shared_store::{Caps, Hold, Pause};

use super::*;

const LANE: &str = "replicate";

impl Stage {
    async fn hosted(settings: &[(&str, &str)]) -> Result<Self> {
        let world = World::new().await;
        world.replicate.become_hosted();
        let function = Cleanup::connect(world.shared_with(settings)).await;
        let handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
        let project = world.project(&world.user(Role::Client).await?).await?;
        Ok(Self {
            world,
            handler,
            project,
        })
    }

    /// Connects again, with other settings.
    async fn restart(&mut self, settings: &[(&str, &str)]) -> Result<()> {
        let function = Cleanup::connect(self.world.shared_with(settings)).await;
        self.handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
        Ok(())
    }

    async fn hold(&self, ids: &[PredictionId], hold: Hold<'_>) -> Result<()> {
        let mut tx = self.world.store.transaction().await?;
        for id in ids {
            tx.hold(*id, hold, 0.5).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn pause(&self, reason: PauseReason, rest: Duration, cap: Option<f64>) -> Result<()> {
        let until = self.world.store.now() + rest;
        let mut tx = self.world.store.transaction().await?;
        tx.pause_lane(LANE, Pause { reason, until }, cap).await?;
        Ok(tx.commit().await?)
    }

    async fn due(&self) -> Result<usize> {
        Ok(self.world.messages::<PredictionDue>().await?.len())
    }

    /// One sweep.
    async fn tick(&self) -> Result<()> {
        let outcome = self.world.tick(self.handler.as_ref()).await?;
        assert_eq!((outcome.verdict, outcome.error), (Verdict::Done, None));
        Ok(())
    }
}

#[tokio::test]
async fn a_cold_start_of_minutes_is_no_failure() -> Result<()> {
    let stage = Stage::hosted(&[]).await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let ids = stage.world.asked(&run).await?;
    for _ in 0..9 {
        stage.world.clock.advance(Duration::from_mins(1));
        stage.sweep().await?;
    }
    let waits = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(waits.status, PredictionStatus::Submitted);
    assert_eq!(stage.world.messages::<PredictionFinished>().await?, []);
    stage.world.replicate.succeed(&ids[0], json!("normal"))?;
    stage.sweep().await?;
    assert_eq!(stage.world.messages::<PredictionFinished>().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_prediction_that_never_ends_is_cancelled_at_the_provider() -> Result<()> {
    let stage = Stage::hosted(&[("REPLICATE_TIMEOUT", "600")]).await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let ids = stage.world.asked(&run).await?;
    stage.world.replicate.begin(&ids[0])?;
    stage.world.clock.advance(Duration::from_mins(10));
    stage.sweep().await?;
    assert_eq!(stage.world.messages::<PredictionFinished>().await?, []);
    stage.world.clock.advance(Duration::from_mins(2));
    stage.sweep().await?;
    let told = stage.world.messages::<PredictionFinished>().await?;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].body["status"], "canceled");
    Ok(())
}

#[tokio::test]
async fn a_provider_that_does_not_cancel_is_not_waited_for() -> Result<()> {
    let stage = Stage::hosted(&[("REPLICATE_TIMEOUT", "600")]).await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let ids = stage.world.asked(&run).await?;
    stage.world.replicate.begin(&ids[0])?;
    stage.world.replicate.ignore_cancel();
    stage.world.clock.advance(Duration::from_mins(12));
    stage.sweep().await?;
    let waits = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(waits.status, PredictionStatus::Submitted);
    stage.world.clock.advance(Duration::from_mins(5));
    stage.sweep().await?;
    let ended = stage.world.store.prediction(run.questions[0]).await?;
    assert_eq!(ended.status, PredictionStatus::Failed);
    assert_eq!(ended.error.as_deref(), Some("no_answer"));
    Ok(())
}

#[tokio::test]
async fn a_local_question_may_wait_in_its_queue_for_hours() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    stage.world.asked(&run).await?;
    stage.world.clock.advance(Duration::from_hours(5));
    stage.sweep().await?;
    assert_eq!(stage.world.messages::<PredictionFinished>().await?, []);
    Ok(())
}

#[tokio::test]
async fn after_a_rest_one_question_tries_the_way_and_then_all_go() -> Result<()> {
    let stage = Stage::hosted(&[]).await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity; 5]).await?;
    stage.hold(&run.questions, Hold::Lane(LANE)).await?;
    let rest = Duration::from_mins(5);
    stage.pause(PauseReason::NoCredit, rest, None).await?;
    stage.tick().await?;
    assert_eq!(stage.due().await?, 0, "a rest is kept");
    // Longer than anything stands still without being led on.
    stage.world.clock.advance(Duration::from_mins(20));
    stage.tick().await?;
    assert_eq!(stage.due().await?, 1);
    let mut tx = stage.world.store.transaction().await?;
    tx.resume_lane(LANE).await?;
    tx.commit().await?;
    stage.world.clock.advance(Duration::from_secs(1));
    stage.tick().await?;
    assert_eq!(stage.due().await?, 5);
    assert_eq!(stage.world.messages::<LanePaused>().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_way_to_one_model_is_tried_by_itself() -> Result<()> {
    const MODEL: &str = "replicate/nudity";
    let stage = Stage::hosted(&[]).await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity; 3]).await?;
    let store = &stage.world.store;
    let mut tx = store.transaction().await?;
    for id in &run.questions {
        tx.hold(*id, Hold::Lane(MODEL), 0.1).await?;
    }
    let (reason, rest) = (PauseReason::Refused, Duration::from_mins(5));
    let until = store.now() + rest;
    tx.pause_lane(MODEL, Pause { reason, until }, None).await?;
    tx.commit().await?;
    stage.tick().await?;
    assert_eq!(stage.due().await?, 0);
    stage.world.clock.advance(rest);
    stage.tick().await?;
    assert_eq!(stage.due().await?, 1);
    let mut tx = store.transaction().await?;
    tx.resume_lane(MODEL).await?;
    tx.commit().await?;
    stage.tick().await?;
    assert_eq!(stage.due().await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_raised_budget_ends_the_rest_of_the_month() -> Result<()> {
    let budget = |usd| [("REPLICATE_MONTHLY_BUDGET_USD", usd)];
    let mut stage = Stage::hosted(&budget("1")).await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity; 3]).await?;
    let store = stage.world.store.clone();
    let mut tx = store.transaction().await?;
    tx.begin_submission(run.questions[0]).await?;
    let (id, video) = (run.questions[0], run.video.video_id);
    tx.reserve(id, video, 1.0, Caps::default()).await?;
    tx.commit().await?;
    stage.hold(&run.questions[1..], Hold::Lane(LANE)).await?;
    let rest = Duration::from_hours(24 * 20);
    stage.pause(PauseReason::Budget, rest, Some(1.0)).await?;
    stage.tick().await?;
    stage.restart(&budget("1.4")).await?;
    stage.tick().await?;
    assert_eq!(stage.due().await?, 0, "there is no room for one");
    stage.restart(&budget("2")).await?;
    stage.tick().await?;
    assert_eq!(stage.due().await?, 2);
    assert_eq!(store.lane_pause(LANE).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_capped_video_goes_on_under_a_higher_cap_or_ends_with_the_reason() -> Result<()> {
    let cap = |usd| [("MAX_COST_PER_VIDEO_USD", usd)];
    let mut stage = Stage::hosted(&cap("0.4")).await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity; 3]).await?;
    let video = run.video.video_id;
    stage.hold(&run.questions, Hold::VideoCap).await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.tell_video_cap(video, 0.4).await?;
    tx.commit().await?;
    stage.world.clock.advance(Duration::from_hours(23));
    stage.tick().await?;
    assert_eq!(stage.due().await?, 0);
    assert_eq!(stage.world.messages::<EvidenceComplete>().await?, []);

    // Raised for one of them, whose answer then comes.
    stage.restart(&cap("0.5")).await?;
    let mut tx = stage.world.store.transaction().await?;
    assert_eq!(tx.release_capped(Some(0.5), 1).await?, 1);
    tx.commit().await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.begin_submission(run.questions[0]).await?;
    tx.reserve(run.questions[0], video, 0.5, Caps::default())
        .await?;
    tx.conclude(
        run.questions[0],
        &shared_store::Closing {
            cost_usd: 0.5,
            ..shared_store::Closing::of(PredictionStatus::Succeeded)
        },
        &[],
    )
    .await?;
    tx.commit().await?;
    stage.world.clock.advance(Duration::from_hours(2));
    stage.tick().await?;
    let last = stage.world.store.prediction(run.questions[2]).await?;
    assert_eq!(last.status, PredictionStatus::Failed);
    assert_eq!(last.error.as_deref(), Some("cost_cap"));
    let complete = stage.world.messages::<EvidenceComplete>().await?;
    assert_eq!(complete.len(), 1, "the report can be written");
    assert_eq!(stage.world.messages::<VideoCapped>().await?.len(), 1);
    Ok(())
}
