//! Plans, answers and the fan-in.

use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use shared_domain::{BBox, Detection, Span, Task, Word};
use shared_store::{Closing, NewPrediction, Plan, PredictionStatus, StoreError};

use crate::world::World;

fn answered(answer: Value) -> Closing {
    Closing {
        status: PredictionStatus::Succeeded,
        answer: Some(answer),
        predict_seconds: Some(0.25),
        cost_usd: 0.001,
        error: None,
    }
}

fn detection(start_ms: i64) -> Detection {
    Detection {
        task: Task::Nudity,
        label: "nsfw".into(),
        score: 0.75,
        start_ms,
        end_ms: start_ms + 500,
        bbox: Some(BBox {
            x: 0.25,
            y: 0.5,
            w: 0.125,
            h: 0.5,
        }),
        text: Some("слово".into()),
        words: vec![Word {
            text: "слово".into(),
            start_ms,
            end_ms: start_ms + 1,
            probability: None,
        }],
        object_key: "frames/0.jpg".into(),
    }
}

#[tokio::test]
async fn a_plan_of_twenty_thousand_questions_is_written_and_repeated_without_effect() -> Result<()>
{
    let world = World::new().await;
    let (run, plan) = world.planned(20_000).await?;
    assert_eq!((run.planned, run.done), (20_000, 0));
    assert_eq!(run.extraction, Some(json!({"frames": 20_000})));

    let mut tx = world.store.transaction().await?;
    assert_eq!(
        tx.plan(run.execution_id, &world.plan(20_000)).await?,
        20_000
    );
    tx.commit().await?;
    let first = plan.predictions[0].prediction_id;
    assert_eq!(world.store.prediction(first).await?.target, plan.targets[0]);
    assert_eq!(world.store.targets(run.execution_id).await?.len(), 20_000);
    Ok(())
}

#[tokio::test]
async fn codes_that_were_read_while_cutting_are_detections() -> Result<()> {
    let world = World::new().await;
    let (run, _) = world.planned(1).await?;
    assert!(world.store.detections(run.execution_id).await?.is_empty());
    let codes = [detection(7_000), detection(1_000)];
    let later = Plan {
        extraction: json!({"frames": 1, "codes": codes}),
        ..Plan::default()
    };
    let mut tx = world.store.transaction().await?;
    tx.plan(run.execution_id, &later).await?;
    tx.commit().await?;
    let found = world.store.detections(run.execution_id).await?;
    assert_eq!(found, [detection(1_000), detection(7_000)]);
    Ok(())
}

#[tokio::test]
async fn a_later_plan_adds_questions_and_keeps_the_facts_of_the_first() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(2).await?;
    let mut more = plan.predictions[0].clone();
    (more.prediction_id, more.task) = (world.store.fresh(), Task::Context);
    let later = Plan {
        predictions: vec![more],
        ..Plan::default()
    };
    let mut tx = world.store.transaction().await?;
    assert_eq!(tx.plan(run.execution_id, &later).await?, 3);
    tx.commit().await?;
    let run = world.store.execution(run.execution_id).await?;
    assert_eq!(
        (run.planned, run.extraction),
        (3, Some(json!({"frames": 2})))
    );
    Ok(())
}

#[tokio::test]
async fn targets_of_equal_bytes_are_one_with_all_their_places() -> Result<()> {
    let world = World::new().await;
    let run = world.execution().await?;
    let mut plan = world.plan(2);
    plan.targets[1].content_hash = plan.targets[0].content_hash.clone();
    plan.predictions[1].content_hash = plan.predictions[0].content_hash.clone();
    let mut tx = world.store.transaction().await?;
    assert_eq!(tx.plan(run.execution_id, &plan).await?, 1);
    tx.commit().await?;
    let targets = world.store.targets(run.execution_id).await?;
    let spans = [
        Span {
            start_ms: 0,
            end_ms: 500,
        },
        Span {
            start_ms: 500,
            end_ms: 1000,
        },
    ];
    assert_eq!(
        (targets.len(), targets[0].spans.as_slice()),
        (1, spans.as_slice())
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_is_stored_once_with_what_it_says() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(2).await?;
    let asked = plan.predictions[0].prediction_id;

    let mut tx = world.store.transaction().await?;
    assert!(tx.begin_submission(asked).await?);
    tx.submitted(asked, "provider-1").await?;
    assert!(!tx.begin_submission(asked).await?);
    let found = [detection(500), detection(0)];
    let fan = tx
        .close_prediction(asked, &answered(json!([1])), &found)
        .await?;
    let fan = fan.expect("it was open");
    assert_eq!(
        (fan.execution_id, fan.video_id),
        (run.execution_id, run.video_id)
    );
    assert_eq!((fan.planned, fan.done, fan.is_complete()), (2, 1, false));
    let again = tx
        .close_prediction(asked, &answered(json!([2])), &found)
        .await?;
    assert_eq!(again, None);
    tx.submitted(asked, "provider-1").await?;
    assert!(!tx.resubmit(asked).await?);
    tx.commit().await?;

    let stored = world.store.prediction(asked).await?;
    assert_eq!(
        (stored.status, stored.attempts),
        (PredictionStatus::Succeeded, 1)
    );
    assert_eq!(
        (stored.answer, stored.provider_id),
        (Some(json!([1])), Some("provider-1".into()))
    );
    let detections = world.store.detections(run.execution_id).await?;
    assert_eq!(detections, [detection(0), detection(500)]);
    let run = world.store.execution(run.execution_id).await?;
    assert_eq!((run.done, run.api_calls_count), (1, 1));
    assert!((run.cost_actual_usd - 0.001).abs() < 1e-9);
    Ok(())
}

#[tokio::test]
async fn an_open_status_closes_nothing() -> Result<()> {
    let world = World::new().await;
    let (_, plan) = world.planned(1).await?;
    let closing = Closing {
        status: PredictionStatus::Submitted,
        ..answered(json!(1))
    };
    let mut tx = world.store.transaction().await?;
    let refused = tx
        .close_prediction(plan.predictions[0].prediction_id, &closing, &[])
        .await;
    assert!(
        matches!(refused, Err(StoreError::Conflict { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_succeeded_answer_is_found_for_the_same_bytes_model_and_version() -> Result<()> {
    let world = World::new().await;
    let (_, plan) = world.planned(2).await?;
    let failed = Closing {
        status: PredictionStatus::Failed,
        ..answered(json!("bad"))
    };
    let mut tx = world.store.transaction().await?;
    tx.close_prediction(
        plan.predictions[0].prediction_id,
        &answered(json!("good")),
        &[],
    )
    .await?;
    tx.close_prediction(plan.predictions[1].prediction_id, &failed, &[])
        .await?;
    tx.commit().await?;

    let ask = async |n: usize, version: &'static str| {
        let hash = &plan.predictions[n].content_hash;
        world.store.cached_answer(hash, "nsfw", version).await
    };
    assert_eq!(ask(0, "v1").await?, Some(json!("good")));
    assert_eq!(ask(0, "v2").await?, None);
    assert_eq!(ask(1, "v1").await?, None);
    Ok(())
}

#[tokio::test]
async fn the_poller_finds_what_was_submitted_long_ago_and_may_take_it_back() -> Result<()> {
    let world = World::new().await;
    let (_, plan) = world.planned(3).await?;
    let ids: Vec<_> = plan
        .predictions
        .iter()
        .map(|new| new.prediction_id)
        .collect();
    let mut tx = world.store.transaction().await?;
    tx.begin_submission(ids[0]).await?;
    tx.submitted(ids[0], "provider-0").await?;
    tx.begin_submission(ids[1]).await?;
    tx.commit().await?;

    assert_eq!(
        world.store.submitted_before(world.store.now(), 10).await?,
        []
    );
    world.clock.advance(Duration::from_mins(1));
    let late = world.store.submitted_before(world.store.now(), 10).await?;
    let late: Vec<_> = late.iter().map(|p| (p.prediction_id, p.status)).collect();
    assert_eq!(late.len(), 2);
    assert!(late.contains(&(ids[0], PredictionStatus::Submitted)));
    assert!(late.contains(&(ids[1], PredictionStatus::Submitting)));

    let mut tx = world.store.transaction().await?;
    assert!(tx.resubmit(ids[0]).await?);
    assert!(!tx.resubmit(ids[2]).await?);
    assert!(tx.begin_submission(ids[0]).await?);
    tx.commit().await?;
    assert_eq!(world.store.prediction(ids[0]).await?.attempts, 2);
    Ok(())
}

#[tokio::test]
async fn a_submission_that_made_nothing_is_withdrawn_with_its_attempt() -> Result<()> {
    let world = World::new().await;
    let (_, plan) = world.planned(2).await?;
    let (asked, answered_first) = (
        plan.predictions[0].prediction_id,
        plan.predictions[1].prediction_id,
    );
    let mut tx = world.store.transaction().await?;
    assert!(tx.begin_submission(asked).await?);
    tx.withdraw_submission(asked, PredictionStatus::Planned)
        .await?;
    assert!(tx.begin_submission(answered_first).await?);
    tx.submitted(answered_first, "provider-1").await?;
    tx.withdraw_submission(answered_first, PredictionStatus::Planned)
        .await?;
    tx.commit().await?;
    let at = async |id| {
        let question = world.store.prediction(id).await?;
        Ok::<_, StoreError>((question.status, question.attempts))
    };
    assert_eq!(at(asked).await?, (PredictionStatus::Planned, 0));
    assert_eq!(at(answered_first).await?, (PredictionStatus::Submitted, 1));
    Ok(())
}

#[tokio::test]
async fn counts_and_rows_tell_how_every_task_stands() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(5).await?;
    let closings = [
        PredictionStatus::Succeeded,
        PredictionStatus::Cached,
        PredictionStatus::Undecided,
        PredictionStatus::Failed,
    ];
    let mut tx = world.store.transaction().await?;
    for (new, status) in plan.predictions.iter().zip(closings) {
        let error = Some("why".to_owned());
        let closing = Closing {
            status,
            error,
            ..answered(json!(1))
        };
        tx.close_prediction(new.prediction_id, &closing, &[])
            .await?;
    }
    tx.commit().await?;

    let counts = world.store.task_counts(run.execution_id).await?;
    assert_eq!(counts.len(), 1);
    let count = &counts[0];
    assert_eq!(
        (count.task, count.planned, count.done),
        (Task::Nudity, 5, 4)
    );
    assert_eq!((count.cached, count.undecided, count.failed), (1, 1, 1));
    let rows = world.store.evidence_rows(run.execution_id).await?;
    assert_eq!(rows.len(), 5);
    assert_eq!(
        rows.iter()
            .filter(|row| row.error.as_deref() == Some("why"))
            .count(),
        4
    );
    assert!(rows.iter().all(|row| row.spans.len() == 1));
    assert_eq!(
        world
            .store
            .execution(run.execution_id)
            .await?
            .api_calls_count,
        3
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_answers_that_come_at_once_exactly_one_sees_the_end() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(40).await?;
    let mut workers = tokio::task::JoinSet::new();
    // each answer comes twice, as webhooks do
    for new in plan.predictions.iter().chain(&plan.predictions) {
        let (store, asked) = (world.store.clone(), new.prediction_id);
        workers.spawn(async move {
            let mut tx = store.transaction().await?;
            let fan = tx
                .close_prediction(asked, &answered(json!(1)), &[detection(0)])
                .await?;
            tx.commit().await?;
            Ok::<_, StoreError>(fan)
        });
    }
    let fans: Vec<_> = workers
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let closed: Vec<_> = fans.into_iter().flatten().collect();
    assert_eq!(closed.len(), 40);
    assert_eq!(closed.iter().filter(|fan| fan.is_complete()).count(), 1);
    assert_eq!(world.store.execution(run.execution_id).await?.done, 40);
    assert_eq!(world.store.detections(run.execution_id).await?.len(), 40);
    Ok(())
}

#[tokio::test]
async fn a_run_under_way_asks_one_thing_more_and_only_once() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(1).await?;
    let second = |world: &World| NewPrediction {
        prediction_id: world.store.fresh(),
        task: Task::Context,
        ..plan.predictions[0].clone()
    };
    let mut tx = world.store.transaction().await?;
    assert!(tx.ask_also(run.execution_id, &second(&world)).await?);
    assert!(!tx.ask_also(run.execution_id, &second(&world)).await?);
    let closing = Closing::of(PredictionStatus::Failed);
    let first = plan.predictions[0].prediction_id;
    let fan = tx.close_prediction(first, &closing, &[]).await?;
    tx.commit().await?;
    let fan = fan.expect("it was open");
    assert_eq!((fan.planned, fan.done), (2, 1));
    assert!(!fan.is_complete(), "the run waits for the second opinion");
    Ok(())
}
