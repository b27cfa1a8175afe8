use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use serde_json::{Value, json};
use shared_domain::{
    EvidenceComplete, PredictionDue, PredictionFinished, PredictionId, Step, Task,
};
use shared_runtime::{AnyHandler, Verdict, boxed};
use shared_store::{Prediction, PredictionStatus, Project, Role};
use shared_testing::{Answer, Call, FakeReplicate, Run, Webhook, World};

use crate::ReplicateWebhook;

mod doubt;
mod hosted;

struct Stage {
    world: World,
    door: Router,
    project: Project,
}

async fn function(world: &World) -> Result<ReplicateWebhook> {
    ReplicateWebhook::connect(world.shared())
        .await
        .map_err(anyhow::Error::from_boxed)
}

impl Stage {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        let door = world.door(function(&world).await?);
        let project = world.project(&world.user(Role::Client).await?).await?;
        Ok(Self {
            world,
            door,
            project,
        })
    }

    /// A run whose questions are with the provider, and the provider's ids.
    async fn asked(&self, tasks: &[Task]) -> Result<(Run, Vec<String>)> {
        let run = self.world.run(&self.project, tasks).await?;
        let ids = self.world.asked(&run).await?;
        Ok((run, ids))
    }

    async fn deliver(&self, id: &str) -> Result<Answer> {
        self.world
            .replicate
            .webhook(id)?
            .call()
            .at(&self.door)
            .await
    }

    async fn question(&self, run: &Run) -> Result<Prediction> {
        Ok(self.world.store.prediction(run.questions[0]).await?)
    }

    async fn step(&self, run: &Run) -> Result<Step> {
        Ok(self.world.store.video(run.video.video_id).await?.step)
    }

    async fn complete(&self) -> Result<Vec<EvidenceComplete>> {
        self.world.messages().await
    }
}

fn nsfw() -> Value {
    json!({ "nsfw": 0.91, "sfw": 0.09 })
}

fn speech() -> Value {
    json!({ "language": "en", "segments": [{ "start": 0.1, "end": 0.6, "text": "damn it",
        "words": [{ "word": "damn", "start": 0.1, "end": 0.3, "probability": 0.9 },
                  { "word": "it", "start": 0.4, "end": 0.6, "probability": 0.8 }] }] })
}

#[tokio::test]
async fn a_signed_answer_is_kept_and_placed_in_the_video() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity, Task::Speech]).await?;
    stage.world.replicate.succeed(&ids[1], speech())?;
    assert_eq!(stage.deliver(&ids[1]).await?.code(), 200);
    let found = stage
        .world
        .store
        .detections(run.execution.execution_id)
        .await?;
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].task, found[0].label.as_str()),
        (Task::Speech, "en")
    );
    // It is the second second of the video.
    assert_eq!((found[0].start_ms, found[0].end_ms), (1100, 1600));
    assert_eq!(
        (found[0].words[0].text.as_str(), found[0].words[0].start_ms),
        ("damn", 1100)
    );
    let answered = stage.world.store.prediction(run.questions[1]).await?;
    assert_eq!(
        (answered.status, answered.answer),
        (PredictionStatus::Succeeded, Some(speech()))
    );
    assert_eq!(
        stage.step(&run).await?,
        Step::Analysing,
        "another answer is missing"
    );
    let execution = stage
        .world
        .store
        .execution(run.execution.execution_id)
        .await?;
    assert_eq!(
        (execution.done, execution.planned, execution.api_calls_count),
        (1, 2, 1)
    );
    Ok(())
}

#[tokio::test]
async fn a_nul_in_an_answer_is_no_obstacle() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Speech]).await?;
    let mut answer = speech();
    answer["segments"][0]["text"] = "damn\u{0} it".into();
    answer["segments"][0]["words"][0]["word"] = "damn\u{0}".into();
    stage.world.replicate.succeed(&ids[0], answer)?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    let found = stage
        .world
        .store
        .detections(run.execution.execution_id)
        .await?;
    assert_eq!(found[0].words[0].text, "damn\u{fffd}");
    assert_eq!(stage.step(&run).await?, Step::Judging);
    Ok(())
}

#[tokio::test]
async fn the_last_answer_closes_the_run_whatever_the_order() -> Result<()> {
    for order in [[0, 1], [1, 0]] {
        let stage = Stage::open().await?;
        let (run, ids) = stage.asked(&[Task::Nudity, Task::Speech]).await?;
        stage.world.replicate.succeed(&ids[0], nsfw())?;
        stage.world.replicate.succeed(&ids[1], speech())?;
        assert_eq!(stage.deliver(&ids[order[0]]).await?.code(), 200);
        assert_eq!(stage.complete().await?, []);
        assert_eq!(stage.deliver(&ids[order[1]]).await?.code(), 200);
        let complete = EvidenceComplete::new(run.execution.execution_id);
        assert_eq!(stage.complete().await?, [complete]);
        assert_eq!(stage.step(&run).await?, Step::Judging);
    }
    Ok(())
}

#[tokio::test]
async fn two_last_answers_at_once_close_the_run_once() -> Result<()> {
    let stage = Stage::open().await?;
    for _ in 0..5 {
        let before = stage.complete().await?.len();
        let (run, ids) = stage.asked(&[Task::Nudity, Task::Speech]).await?;
        stage.world.replicate.succeed(&ids[0], nsfw())?;
        stage.world.replicate.succeed(&ids[1], speech())?;
        let (one, other) = tokio::join!(stage.deliver(&ids[0]), stage.deliver(&ids[1]));
        assert_eq!((one?.code(), other?.code()), (200, 200));
        assert_eq!(stage.complete().await?.len(), before + 1);
        assert_eq!(stage.step(&run).await?, Step::Judging);
    }
    Ok(())
}

#[tokio::test]
async fn repeated_deliveries_change_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage.world.replicate.succeed(&ids[0], nsfw())?;
    let first = stage.world.replicate.webhook(&ids[0])?;
    stage.world.clock.advance(Duration::from_secs(30));
    let resent = stage.world.replicate.webhook(&ids[0])?;
    assert_eq!(first.id, resent.id);
    let (one, other) = tokio::join!(first.call().at(&stage.door), resent.call().at(&stage.door));
    assert_eq!((one?.code(), other?.code()), (200, 200));
    let path = &first.path;
    let now = stage.world.store.now().unix_timestamp().to_string();
    let body = String::from_utf8(first.body.to_vec())?;
    let renamed = FakeReplicate::signed("msg_another", path, body, &now)?;
    assert_eq!(renamed.call().at(&stage.door).await?.code(), 200);
    assert_eq!(
        stage
            .world
            .store
            .detections(run.execution.execution_id)
            .await?
            .len(),
        1
    );
    assert_eq!(stage.complete().await?.len(), 1);
    assert_eq!(
        stage
            .world
            .store
            .execution(run.execution.execution_id)
            .await?
            .done,
        1
    );
    Ok(())
}

#[tokio::test]
async fn forged_answers_are_refused() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage
        .world
        .replicate
        .succeed(&ids[0], json!({ "sfw": 1.0 }))?;
    let genuine = stage.world.replicate.webhook(&ids[0])?;
    let other = Webhook {
        body: genuine.body.iter().copied().chain(*b" ").collect(),
        ..genuine.clone()
    };
    let renamed = Webhook {
        id: "msg_another".into(),
        ..genuine.clone()
    };
    let unsigned = Webhook {
        signature: String::new(),
        ..genuine.clone()
    };
    let versions = Webhook {
        signature: genuine.signature.replace("v1,", "v1a,"),
        ..genuine.clone()
    };
    for forged in [&other, &renamed, &unsigned, &versions] {
        let answer = forged.call().at(&stage.door).await?;
        assert_eq!(
            (answer.code(), answer.json()["code"].as_str()),
            (401, Some("forged"))
        );
    }
    let bare = Call::post(&genuine.path)
        .body(genuine.body.clone())
        .at(&stage.door)
        .await?;
    assert_eq!(bare.code(), 401);
    stage.world.clock.advance(Duration::from_secs(301));
    assert_eq!(genuine.call().at(&stage.door).await?.code(), 401, "too old");
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Submitted
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_to_another_question_is_refused() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity, Task::Speech]).await?;
    stage.world.replicate.succeed(&ids[0], nsfw())?;
    stage
        .world
        .replicate
        .succeed(&ids[1], json!({ "segments": [] }))?;
    let (mine, other) = (
        stage.world.replicate.webhook(&ids[0])?,
        stage.world.replicate.webhook(&ids[1])?,
    );
    let swapped = Webhook {
        path: mine.path.clone(),
        ..other
    };
    assert_eq!(swapped.call().at(&stage.door).await?.code(), 400);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Submitted
    );
    let execution = stage
        .world
        .store
        .execution(run.execution.execution_id)
        .await?;
    assert_eq!(execution.done, 0);
    Ok(())
}

#[tokio::test]
async fn an_answer_to_another_question_is_refused_before_ids_are_noted() -> Result<()> {
    let stage = Stage::open().await?;
    let tasks = [Task::Nudity, Task::Speech];
    let run = stage.world.run(&stage.project, &tasks).await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.begin_submission(run.questions[0]).await?;
    tx.begin_submission(run.questions[1]).await?;
    tx.commit().await?;
    let mine = stage.world.ask_unnoticed(run.questions[0]).await?;
    let other = stage.world.ask_unnoticed(run.questions[1]).await?;
    stage.world.replicate.succeed(&mine, nsfw())?;
    stage
        .world
        .replicate
        .succeed(&other, json!({ "segments": [] }))?;
    let path = stage.world.replicate.webhook(&mine)?.path;
    let swapped = Webhook {
        path,
        ..stage.world.replicate.webhook(&other)?
    };
    assert_eq!(swapped.call().at(&stage.door).await?.code(), 400);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Submitting
    );
    assert_eq!(stage.deliver(&mine).await?.code(), 200);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_outruns_our_note_of_its_id_counts() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.begin_submission(run.questions[0]).await?;
    tx.commit().await?;
    let id = stage.world.ask_unnoticed(run.questions[0]).await?;
    stage.world.replicate.succeed(&id, nsfw())?;
    assert_eq!(stage.deliver(&id).await?.code(), 200);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Succeeded
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_that_nobody_can_read_is_undecided_and_never_clean() -> Result<()> {
    let stage = Stage::open().await?;
    for (number, output) in [
        json!("perhaps"),
        json!({ "nsfw": "high" }),
        json!({}),
        Value::Null,
    ]
    .into_iter()
    .enumerate()
    {
        let (run, ids) = stage.asked(&[Task::Nudity]).await?;
        stage.world.replicate.succeed(&ids[0], output.clone())?;
        assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
        let question = stage.question(&run).await?;
        assert_eq!(question.status, PredictionStatus::Undecided, "{output}");
        assert!(question.error.is_some());
        let counts = stage
            .world
            .store
            .task_counts(run.execution.execution_id)
            .await?;
        assert_eq!((counts[0].done, counts[0].undecided), (1, 1));
        assert_eq!(stage.complete().await?.len(), number + 1, "the run goes on");
    }
    Ok(())
}

#[tokio::test]
async fn a_failure_that_may_pass_is_asked_again_and_then_left_as_a_gap() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, mut ids) = stage.asked(&[Task::Nudity]).await?;
    let busy = "Prediction interrupted; please retry (code: PA)";
    for again in 1..=2 {
        let id = ids.pop().context("an id")?;
        stage.world.replicate.fail(&id, busy)?;
        for _ in 0..2 {
            assert_eq!(stage.deliver(&id).await?.code(), 200);
        }
        let due: Vec<PredictionDue> = stage.world.messages().await?;
        assert_eq!((due.len(), due[0].prediction_id), (again, run.questions[0]));
        let question = stage.question(&run).await?;
        assert_eq!(
            (question.status, question.provider_id),
            (PredictionStatus::Planned, None)
        );
        ids.push(stage.world.ask(run.questions[0]).await?);
    }
    stage.world.replicate.fail(&ids[0], busy)?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    let question = stage.question(&run).await?;
    assert_eq!(
        (question.status, question.error.as_deref()),
        (PredictionStatus::Failed, Some(busy))
    );
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 2);
    assert_eq!(
        (stage.complete().await?.len(), stage.step(&run).await?),
        (1, Step::Judging)
    );
    Ok(())
}

#[tokio::test]
async fn an_old_failure_that_comes_late_asks_nothing_again() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage.world.replicate.fail(&ids[0], "(code: PA)")?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    // The poller fetched the same failure before the webhook came.
    let body: Value = serde_json::from_slice(&stage.world.replicate.webhook(&ids[0])?.body)?;
    let finished = stage
        .world
        .event(&PredictionFinished::new(run.questions[0], body))?;
    let handler: Arc<dyn AnyHandler> = boxed(function(&stage.world).await?);
    assert_eq!(
        stage.world.bring(handler.as_ref(), &finished).await.verdict,
        Verdict::Done
    );
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_final_failure_is_a_gap_at_once() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage
        .world
        .replicate
        .fail(&ids[0], "cannot identify image file")?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    assert_eq!(stage.question(&run).await?.status, PredictionStatus::Failed);
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 0);
    assert_eq!(stage.step(&run).await?, Step::Judging);
    Ok(())
}

#[tokio::test]
async fn an_answer_whose_data_is_gone_is_asked_for_again() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage.world.replicate.succeed(&ids[0], nsfw())?;
    stage.world.clock.advance(Duration::from_hours(2));
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Planned
    );
    assert_eq!(stage.world.messages::<PredictionDue>().await?.len(), 1);
    assert_eq!(stage.complete().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_deadline_that_passed_is_asked_again() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage.world.replicate.abort(&ids[0])?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200);
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Planned
    );
    Ok(())
}

#[tokio::test]
async fn what_is_not_ended_or_not_ours_has_no_effect() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    assert_eq!(stage.deliver(&ids[0]).await?.code(), 200, "still starting");
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Submitted
    );
    let now = stage.world.store.now().unix_timestamp().to_string();
    let signed = |path: &str, body: &str| FakeReplicate::signed("m", path, body.to_owned(), &now);
    let base = "/functions/replicate-webhook";
    let stranger: PredictionId = stage.world.store.fresh();
    let ended = r#"{"id":"x","status":"succeeded","output":{"sfw":1}}"#;
    let mine = format!("{base}?prediction={}", run.questions[0]);
    for (path, body, code) in [
        (format!("{base}?prediction={stranger}"), ended, 200),
        (mine.clone(), "{}", 400),
        (mine, "no json", 400),
        (base.to_owned(), ended, 400),
        (format!("{base}?prediction=1"), ended, 400),
    ] {
        let answer = signed(&path, body)?.call().at(&stage.door).await?;
        assert_eq!(answer.code(), code, "{path} {body}");
    }
    assert_eq!(
        stage.question(&run).await?.status,
        PredictionStatus::Submitted
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_that_was_fetched_counts_as_one_that_came() -> Result<()> {
    let stage = Stage::open().await?;
    let (run, ids) = stage.asked(&[Task::Nudity]).await?;
    stage.world.replicate.succeed(&ids[0], nsfw())?;
    let body: Value = serde_json::from_slice(&stage.world.replicate.webhook(&ids[0])?.body)?;
    let mut tx = stage.world.store.transaction().await?;
    for _ in 0..2 {
        tx.send(&PredictionFinished::new(run.questions[0], body.clone()))
            .await?;
    }
    tx.commit().await?;
    let handler: Arc<dyn AnyHandler> = boxed(function(&stage.world).await?);
    let outcomes = stage.world.drain(&[handler]).await?;
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.verdict == Verdict::Done)
    );
    assert_eq!(
        stage.deliver(&ids[0]).await?.code(),
        200,
        "and then the webhook comes after all"
    );
    assert_eq!(
        stage
            .world
            .store
            .detections(run.execution.execution_id)
            .await?
            .len(),
        1
    );
    assert_eq!(stage.complete().await?.len(), 1);
    Ok(())
}
