//! Questions to the hosted service, where each costs money and a share of the rate.

use shared_domain::{LanePaused, PauseReason, PredictionId, VideoCapped};
use shared_store::{Hold, Pace};

use super::*;

/// A minute's creates in these tests: a burst of three, then one a second.
const SLOW: (&str, &str) = ("REPLICATE_CREATES_PER_MINUTE", "60");

impl Stage {
    async fn hosted() -> Result<Self> {
        let stage = Self::open().await?;
        stage.world.replicate.become_hosted();
        Ok(stage)
    }

    /// A run that asks one question about each of so many frames.
    async fn frames(&self, count: usize) -> Result<Run> {
        self.run(&vec![Task::Nudity; count]).await
    }

    async fn process(&self, settings: &[(&str, &str)]) -> Result<Arc<dyn AnyHandler>> {
        let function = FrameExtract::connect(self.world.shared_with(settings)).await;
        Ok(boxed(function.map_err(anyhow::Error::from_boxed)?))
    }

    async fn put(&self, process: &Arc<dyn AnyHandler>, id: PredictionId) -> Result<Verdict> {
        let event = self.world.event(&PredictionDue::new(id))?;
        Ok(self.world.bring(process.as_ref(), &event).await.verdict)
    }

    /// What `cleanup` does when the way may be open again.
    async fn release(&self, limit: i64) -> Result<u64> {
        self.release_to("replicate", limit).await
    }

    async fn release_to(&self, lane: &str, limit: i64) -> Result<u64> {
        let mut tx = self.world.store.transaction().await?;
        let released = tx.release_lane(lane, limit).await?;
        tx.commit().await?;
        Ok(released)
    }

    async fn question(&self, id: PredictionId) -> Result<shared_store::Prediction> {
        Ok(self.world.store.prediction(id).await?)
    }

    async fn held(&self, reason: &str) -> Result<i64> {
        self.world
            .count("held", &format!("reason = '{reason}'"))
            .await
    }
}

#[tokio::test]
async fn a_small_picture_goes_within_the_question_and_everything_else_by_url() -> Result<()> {
    let stage = Stage::hosted().await?;
    let run = stage
        .run(&[Task::Nudity, Task::Objects, Task::Speech])
        .await?;
    let large = stage.question(run.questions[1]).await?.target.object_key;
    let bytes = Bytes::from(vec![7; 190_001]);
    stage
        .world
        .objects()
        .put(&large, bytes, "image/jpeg")
        .await?;
    let process = stage.process(&[("REPLICATE_TIMEOUT", "900")]).await?;
    for id in &run.questions {
        assert_eq!(stage.put(&process, *id).await?, Verdict::Done);
    }
    let creates = stage.world.replicate.creates();
    let sent = |number: usize, field: &str| {
        let text = creates[number].input[field].as_str();
        text.unwrap_or_default().to_owned()
    };
    assert!(sent(0, "image").starts_with("data:image/jpeg;base64,"));
    assert!(sent(1, "image").starts_with("http"));
    assert!(sent(2, "file_url").starts_with("http"));
    let mut deadlines = creates.iter().map(|c| c.cancel_after.as_deref());
    assert!(deadlines.all(|after| after == Some("900s")));
    Ok(())
}

#[tokio::test]
async fn all_processes_together_ask_no_faster_than_they_may() -> Result<()> {
    let stage = Stage::hosted().await?;
    let world = &stage.world;
    world.replicate.set_limit(60);
    let run = stage.frames(80).await?;
    let due: Vec<_> = run
        .questions
        .iter()
        .map(|id| PredictionDue::new(*id))
        .collect();
    let mut tx = world.store.transaction().await?;
    tx.send_all(&due).await?;
    tx.commit().await?;
    let (one, other) = (stage.process(&[SLOW]).await?, stage.process(&[SLOW]).await?);
    let mut after_a_minute = 0;
    for second in 0..100 {
        if second == 59 {
            after_a_minute = world.replicate.creates().len();
        }
        let process = if second % 2 == 0 { &one } else { &other };
        world.drain(std::slice::from_ref(process)).await?;
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(world.replicate.creates().len(), 80);
    assert_eq!(world.replicate.tries(), 80, "none drew a 429");
    assert!((55..=60).contains(&after_a_minute), "{after_a_minute}");
    assert_eq!(world.count("outbox", "strikes > 0").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_throttle_of_one_process_slows_the_others() -> Result<()> {
    let stage = Stage::hosted().await?;
    let run = stage.frames(2).await?;
    let (one, other) = (stage.process(&[]).await?, stage.process(&[]).await?);
    let throttled = Mishap::Throttled { retry_after: 7 };
    stage.world.replicate.expect_mishaps([throttled]);
    let after = Some(Duration::from_secs(7));
    let verdict = stage.put(&one, run.questions[0]).await?;
    assert_eq!(verdict, Verdict::Retry { after });
    let verdict = stage.put(&other, run.questions[1]).await?;
    assert_eq!(verdict, Verdict::Retry { after });
    assert_eq!(stage.world.replicate.tries(), 1);
    for id in &run.questions {
        let question = stage.question(*id).await?;
        let untouched = (PredictionStatus::Planned, 0);
        assert_eq!((question.status, question.attempts), untouched);
    }
    stage.world.clock.advance(Duration::from_secs(7));
    assert_eq!(stage.put(&other, run.questions[1]).await?, Verdict::Done);
    let reserved = stage.world.store.month_spending().await?.reserved_usd;
    assert!(
        (reserved - 0.000_135).abs() < 1e-9,
        "one is with them: {reserved}"
    );
    Ok(())
}

#[tokio::test]
async fn an_empty_account_stops_everybody_and_costs_no_question() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(3).await?);
    world.replicate.set_credit(0.0);
    let (one, other) = (stage.process(&[]).await?, stage.process(&[]).await?);
    assert_eq!(stage.put(&one, run.questions[0]).await?, Verdict::Done);
    assert_eq!(stage.put(&other, run.questions[1]).await?, Verdict::Done);
    assert_eq!(stage.put(&one, run.questions[2]).await?, Verdict::Done);
    assert_eq!(world.replicate.tries(), 1, "one 402 is enough for all");
    let told = world.messages::<LanePaused>().await?;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].reason, PauseReason::NoCredit);
    assert_eq!(stage.held("lane").await?, 3);
    for id in &run.questions {
        let question = stage.question(*id).await?;
        let untouched = (PredictionStatus::Planned, 0);
        assert_eq!((question.status, question.attempts), untouched);
    }

    // Still empty: the one that tries the way is held back again, and nobody is told again.
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(stage.release(1).await?, 1);
    world.drain(std::slice::from_ref(&one)).await?;
    assert_eq!((world.replicate.tries(), stage.held("lane").await?), (2, 3));

    world.replicate.set_credit(100.0);
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(stage.release(1).await?, 1);
    world.drain(std::slice::from_ref(&other)).await?;
    assert_eq!(world.store.lane_pause("replicate").await?, None);
    assert_eq!(stage.release(600).await?, 2);
    world.drain(&[one]).await?;
    assert_eq!(world.replicate.creates().len(), 3);
    assert_eq!(world.messages::<LanePaused>().await?.len(), 1);
    assert_eq!(stage.held("lane").await?, 0);
    Ok(())
}

#[tokio::test]
async fn of_those_that_come_after_a_rest_one_tries_the_way() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(3).await?);
    let process = stage.process(&[]).await?;
    world
        .replicate
        .expect_mishaps([Mishap::NoCredit, Mishap::Broken { status: 500 }]);
    stage.put(&process, run.questions[0]).await?;
    world.clock.advance(Duration::from_mins(5));
    // What becomes of this one is not known: the way stays shut, and another one tries it later.
    assert_eq!(stage.put(&process, run.questions[1]).await?, Verdict::RETRY);
    assert_eq!(stage.put(&process, run.questions[2]).await?, Verdict::Done);
    assert_eq!((world.replicate.tries(), stage.held("lane").await?), (2, 2));
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(stage.put(&process, run.questions[1]).await?, Verdict::Done);
    assert_eq!(world.replicate.creates().len(), 1);
    assert_eq!(world.store.lane_pause("replicate").await?, None);
    Ok(())
}

#[tokio::test]
async fn low_credit_and_a_refused_token_rest_for_their_own_reasons() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(2).await?);
    world.replicate.set_credit(3.0);
    let process = stage.process(&[]).await?;
    for id in &run.questions {
        assert_eq!(stage.put(&process, *id).await?, Verdict::Done);
    }
    assert_eq!(world.replicate.creates().len(), 1);
    let pause = world
        .store
        .lane_pause("replicate")
        .await?
        .context("a rest")?;
    assert_eq!(pause.reason, PauseReason::LowCredit);
    assert_eq!(stage.held("lane").await?, 1);

    let stage = Stage::hosted().await?;
    let run = stage.frames(1).await?;
    let process = stage.process(&[]).await?;
    stage.world.replicate.expect_mishaps([Mishap::Forbidden]);
    assert_eq!(stage.put(&process, run.questions[0]).await?, Verdict::Done);
    let told = stage.world.messages::<LanePaused>().await?;
    assert_eq!(told[0].reason, PauseReason::Refused);
    Ok(())
}

const MODEL: &str = "replicate/nudity";

#[tokio::test]
async fn a_model_that_is_gone_holds_back_its_own_questions_until_it_is_there_again() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, tasks) = (&stage.world, [Task::Nudity, Task::Nudity, Task::Objects]);
    let run = stage.run(&tasks).await?;
    let process = stage.process(&[]).await?;
    world.replicate.withdraw(Task::Nudity);
    for id in &run.questions {
        assert_eq!(stage.put(&process, *id).await?, Verdict::Done);
    }
    let replicate = &world.replicate;
    assert_eq!((replicate.tries(), replicate.creates().len()), (2, 1));
    assert_eq!(world.store.lane_pause("replicate").await?, None);
    let told = world.messages::<LanePaused>().await?;
    let paused: Vec<_> = told.iter().map(|t| (t.lane.as_str(), t.reason)).collect();
    assert_eq!(paused, [(MODEL, PauseReason::Refused)]);
    for id in &run.questions[..2] {
        let question = stage.question(*id).await?;
        let untouched = (PredictionStatus::Planned, 0);
        assert_eq!((question.status, question.attempts), untouched);
    }

    // Still gone: one tries, and nobody is told again.
    assert_eq!(stage.release(600).await?, 0, "they wait for their own way");
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(stage.release_to(MODEL, 1).await?, 1);
    world.drain(std::slice::from_ref(&process)).await?;
    assert_eq!((replicate.tries(), stage.held("lane").await?), (3, 2));

    replicate.bring_back();
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(stage.release_to(MODEL, 1).await?, 1);
    world.drain(std::slice::from_ref(&process)).await?;
    assert_eq!(world.store.lane_pause(MODEL).await?, None);
    assert_eq!(stage.release_to(MODEL, 600).await?, 1);
    world.drain(&[process]).await?;
    assert_eq!((replicate.tries(), replicate.creates().len()), (5, 3));
    assert_eq!(world.messages::<LanePaused>().await?.len(), 1);
    let unhurt = "attempts <> 1 or status <> 'submitted'";
    assert_eq!(world.count("predictions", unhurt).await?, 0);
    assert_eq!(world.count("dead_letters", "true").await?, 0);
    Ok(())
}

#[tokio::test]
async fn another_model_in_the_settings_takes_the_questions_that_wait() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(2).await?);
    let planned = stage.question(run.questions[0]).await?.version;
    let gone = format!("falcons-ai/nsfw_image_detection:{}", "d".repeat(64));
    let wrong = stage.process(&[("NSFW_MODEL_ID", &gone)]).await?;
    for id in &run.questions {
        assert_eq!(stage.put(&wrong, *id).await?, Verdict::Done);
    }
    assert_eq!((world.replicate.tries(), stage.held("lane").await?), (1, 2));
    let mended = stage.process(&[]).await?;
    world.clock.advance(Duration::from_mins(5));
    assert_eq!(stage.release_to(MODEL, 1).await?, 1);
    world.drain(std::slice::from_ref(&mended)).await?;
    assert_eq!(stage.release_to(MODEL, 600).await?, 1, "the way is open");
    world.drain(&[mended]).await?;
    for id in &run.questions {
        let question = stage.question(*id).await?;
        let asked = (question.status, question.version.as_str());
        assert_eq!(asked, (PredictionStatus::Submitted, planned.as_str()));
    }
    Ok(())
}

#[tokio::test]
async fn a_create_that_may_have_arrived_is_looked_for_before_it_is_paid_again() -> Result<()> {
    for hides_webhooks in [false, true] {
        let stage = Stage::hosted().await?;
        if hides_webhooks {
            stage.world.replicate.hide_webhooks();
        }
        let run = stage.frames(4).await?;
        let process = stage.process(&[]).await?;
        stage.world.replicate.expect_mishaps([
            Mishap::CutAnswer,
            Mishap::LostAnswer,
            Mishap::Broken { status: 503 },
            Mishap::LostQuestion,
        ]);
        let mut verdicts = Vec::new();
        for id in &run.questions {
            verdicts.push(stage.put(&process, *id).await?);
        }
        let [done, again] = [Verdict::Done, Verdict::RETRY];
        assert_eq!(verdicts, [done, done, again, again]);
        for id in &run.questions {
            assert_eq!(stage.put(&process, *id).await?, Verdict::Done);
        }
        let creates = stage.world.replicate.creates();
        assert_eq!(creates.len(), 4, "one for each");
        for id in &run.questions {
            let create = stage.world.replicate.create_for(*id)?;
            assert_eq!(stage.question(*id).await?.provider_id, Some(create.id));
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_the_provider_has_already_is_adopted_while_the_way_rests() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(2).await?);
    let mut tx = world.store.transaction().await?;
    assert!(tx.begin_submission(run.questions[0]).await?);
    tx.commit().await?;
    let made = world.ask_unnoticed(run.questions[0]).await?;
    let process = stage.process(&[]).await?;
    world.replicate.expect_mishaps([Mishap::NoCredit]);
    stage.put(&process, run.questions[1]).await?;
    assert_eq!(stage.put(&process, run.questions[0]).await?, Verdict::Done);
    let adopted = stage.question(run.questions[0]).await?;
    assert_eq!(adopted.provider_id, Some(made));
    Ok(())
}

/// Two questions of 0.000135 dollars fit, a third does not.
const CAP: &str = "0.0003";

#[tokio::test]
async fn a_video_that_has_cost_what_it_may_waits_and_goes_on_under_a_higher_cap() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(4).await?);
    let capped = stage.process(&[("MAX_COST_PER_VIDEO_USD", CAP)]).await?;
    for id in &run.questions {
        assert_eq!(stage.put(&capped, *id).await?, Verdict::Done);
    }
    assert_eq!(world.replicate.tries(), 2);
    assert_eq!(stage.held("video_cap").await?, 2);
    let told = world.messages::<VideoCapped>().await?;
    assert_eq!(told, [VideoCapped::new(run.video.video_id, 0.0003)]);
    // Another video has a cap of its own.
    let other = stage.frames(1).await?;
    assert_eq!(stage.put(&capped, other.questions[0]).await?, Verdict::Done);
    assert_eq!(world.replicate.tries(), 3);

    let mut tx = world.store.transaction().await?;
    assert_eq!(tx.release_capped(Some(0.0003), 10).await?, 0);
    assert_eq!(tx.release_capped(Some(1.0), 10).await?, 2);
    tx.commit().await?;
    let raised = stage.process(&[("MAX_COST_PER_VIDEO_USD", "1.0")]).await?;
    world.drain(&[raised]).await?;
    assert_eq!(world.replicate.creates().len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_spent_budget_rests_everybody_until_the_month_ends_or_it_is_raised() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(4).await?);
    let process = stage
        .process(&[("REPLICATE_MONTHLY_BUDGET_USD", CAP)])
        .await?;
    for id in &run.questions {
        assert_eq!(stage.put(&process, *id).await?, Verdict::Done);
    }
    assert_eq!((world.replicate.tries(), stage.held("lane").await?), (2, 2));
    let told = world.messages::<LanePaused>().await?;
    assert_eq!(told.len(), 1);
    let april = time::macros::datetime!(2026-04-01 0:00 UTC);
    assert_eq!(told[0].until_unix, april.unix_timestamp());

    let left = april - world.store.now();
    world.clock.advance(left.try_into()?);
    stage.release(1).await?;
    world.drain(std::slice::from_ref(&process)).await?;
    assert_eq!(world.store.lane_pause("replicate").await?, None);
    stage.release(600).await?;
    world.drain(&[process]).await?;
    assert_eq!(world.replicate.creates().len(), 4);
    Ok(())
}

#[tokio::test]
async fn an_embedded_model_costs_nothing_and_is_not_held_up() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.frames(5).await?;
    let settings = [
        ("REPLICATE_CREATES_PER_MINUTE", "1"),
        ("MAX_COST_PER_VIDEO_USD", "0"),
        ("REPLICATE_MONTHLY_BUDGET_USD", "0"),
    ];
    let process = stage.process(&settings).await?;
    for id in &run.questions {
        assert_eq!(stage.put(&process, *id).await?, Verdict::Done);
    }
    assert_eq!(stage.world.replicate.creates().len(), 5);
    assert_eq!(stage.world.count("spending", "true").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_run_is_estimated_before_the_first_question_is_put() -> Result<()> {
    let stage = Stage::hosted().await?;
    let clip = stage.clip("clip.mp4", CLIP)?;
    let video = stage.world.uploaded(&stage.project, clip).await?;
    assert_eq!(stage.extract(&video).await?, Verdict::Done);
    let run = stage.world.store.live_execution(video.video_id).await?;
    let run = run.context("a run")?;
    let frames = stage.world.count("predictions", "task = 'nudity'").await?;
    // Nudity, objects and text about each frame on a T4; ten seconds of sound at the least.
    let per_frame = 0.000_225 * (0.6 + 1.5 + 1.5);
    let sounds = stage.world.count("predictions", "task = 'speech'").await?;
    #[expect(clippy::cast_precision_loss, reason = "a few frames")]
    let expected = frames as f64 * per_frame + sounds as f64 * 0.000_225 * 0.1 * 10.0;
    ensure!(sounds > 0 && frames > 0);
    assert!(
        (run.cost_estimate_usd - expected).abs() < 1e-9,
        "{expected}"
    );
    assert_eq!(stage.world.replicate.tries(), 0);
    Ok(())
}

#[tokio::test]
async fn a_question_held_back_that_was_answered_meanwhile_is_not_put() -> Result<()> {
    let stage = Stage::hosted().await?;
    let (world, run) = (&stage.world, stage.frames(1).await?);
    let id = run.questions[0];
    let mut tx = world.store.transaction().await?;
    tx.hold(id, Hold::Lane("replicate"), 0.1).await?;
    tx.conclude(id, &Closing::of(PredictionStatus::Failed), &[])
        .await?;
    assert_eq!(tx.release_lane("replicate", 10).await?, 1);
    // Somebody else has every token.
    while tx.enter_lane("replicate", Pace::per_minute(60)).await? == shared_store::Entry::Open {}
    tx.commit().await?;
    let process = stage.process(&[SLOW]).await?;
    world.drain(&[process]).await?;
    assert_eq!(world.replicate.tries(), 0);
    assert_eq!(stage.question(id).await?.status, PredictionStatus::Failed);
    Ok(())
}
