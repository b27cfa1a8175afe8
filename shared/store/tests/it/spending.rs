//! Money: what is reserved, what is spent, and the caps.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use shared_domain::{PredictionId, VideoId};
use shared_store::{Caps, Closing, Funds, Hold, PredictionStatus, Spending, Store, StoreError};
use tokio::task::JoinSet;

use crate::world::World;

const FREE: Caps = Caps {
    video_usd: None,
    month_usd: None,
};

fn video_cap(usd: f64) -> Caps {
    Caps {
        video_usd: Some(usd),
        ..FREE
    }
}

/// As `frame-extract` does: what cannot be paid leaves nothing behind.
async fn begin(
    store: &Store,
    id: PredictionId,
    video: VideoId,
    caps: Caps,
) -> Result<Funds, StoreError> {
    let mut tx = store.transaction().await?;
    tx.begin_submission(id).await?;
    let funds = tx.reserve(id, video, 1.0, caps).await?;
    if funds == Funds::Reserved {
        tx.commit().await?;
    }
    Ok(funds)
}

fn cost(usd: f64) -> Closing {
    Closing {
        answer: Some(json!(1)),
        predict_seconds: Some(2.0),
        cost_usd: usd,
        ..Closing::of(PredictionStatus::Succeeded)
    }
}

fn money(spent_usd: f64, reserved_usd: f64) -> Spending {
    Spending {
        spent_usd,
        reserved_usd,
    }
}

#[tokio::test]
async fn what_is_reserved_becomes_what_was_spent() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(3).await?;
    let ids: Vec<_> = plan.predictions.iter().map(|p| p.prediction_id).collect();
    for id in &ids {
        let funds = begin(&world.store, *id, run.video_id, FREE).await?;
        assert_eq!(funds, Funds::Reserved);
    }
    // Put again after a lost answer: reserved once.
    begin(&world.store, ids[0], run.video_id, FREE).await?;
    assert_eq!(world.store.month_spending().await?, money(0.0, 3.0));

    let mut tx = world.store.transaction().await?;
    tx.close_prediction(ids[0], &cost(0.25), &[]).await?;
    tx.close_prediction(ids[0], &cost(0.25), &[]).await?;
    // One never arrived; one was lost after it had been paid for.
    tx.withdraw_submission(ids[1], PredictionStatus::Planned)
        .await?;
    assert!(tx.resubmit(ids[2]).await?);
    tx.charge(ids[2], 0.5).await?;
    tx.commit().await?;
    let expected = money(0.75, 0.0);
    assert_eq!(world.store.month_spending().await?, expected);
    assert_eq!(world.store.video_spending(run.video_id).await?, expected);

    begin(&world.store, ids[2], run.video_id, FREE).await?;
    let mut tx = world.store.transaction().await?;
    tx.close_prediction(ids[2], &cost(0.125), &[]).await?;
    tx.commit().await?;
    let run = world.store.execution(run.execution_id).await?;
    assert!((run.cost_actual_usd - 0.875).abs() < 1e-9);
    assert_eq!(world.store.month_spending().await?, money(0.875, 0.0));
    Ok(())
}

#[tokio::test]
async fn a_month_begins_with_nothing_spent() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(2).await?;
    let ids: Vec<_> = plan.predictions.iter().map(|p| p.prediction_id).collect();
    let caps = Caps {
        month_usd: Some(1.5),
        ..FREE
    };
    let store = &world.store;
    assert_eq!(
        begin(store, ids[0], run.video_id, caps).await?,
        Funds::Reserved
    );
    assert_eq!(
        begin(store, ids[1], run.video_id, caps).await?,
        Funds::MonthSpent
    );
    world.clock.advance(Duration::from_hours(24 * 31));
    assert_eq!(
        begin(store, ids[1], run.video_id, caps).await?,
        Funds::Reserved
    );
    // What was reserved in March is given back to March.
    let mut tx = store.transaction().await?;
    tx.close_prediction(ids[0], &cost(0.25), &[]).await?;
    tx.commit().await?;
    assert_eq!(store.month_spending().await?, money(0.25, 1.0));
    assert_eq!(store.video_spending(run.video_id).await?, money(0.25, 1.0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_cannot_spend_the_same_dollar() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(20).await?;
    let mut workers = JoinSet::new();
    for new in plan.predictions {
        let (store, video) = (world.store.clone(), run.video_id);
        workers.spawn(async move { begin(&store, new.prediction_id, video, video_cap(5.5)).await });
    }
    let funds: Vec<Funds> = workers
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let reserved = funds.iter().filter(|funds| **funds == Funds::Reserved);
    assert_eq!(reserved.count(), 5);
    let spending = world.store.video_spending(run.video_id).await?;
    assert_eq!(spending, money(0.0, 5.0));
    Ok(())
}

#[tokio::test]
async fn a_capped_video_waits_for_a_higher_cap_or_for_its_end() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(3).await?;
    let ids: Vec<_> = plan.predictions.iter().map(|p| p.prediction_id).collect();
    let (store, video) = (&world.store, run.video_id);
    begin(store, ids[0], video, video_cap(1.5)).await?;
    let mut tx = store.transaction().await?;
    for id in &ids[1..] {
        tx.hold(*id, Hold::VideoCap, 1.0).await?;
        tx.tell_video_cap(video, 1.5).await?;
    }
    assert_eq!(tx.release_capped(Some(1.5), 10).await?, 0);
    assert_eq!(tx.release_lane("replicate", 10).await?, 0);
    assert_eq!(tx.release_capped(Some(2.0), 1).await?, 1);
    tx.commit().await?;
    let told = store
        .claim("send-email", "reader", Duration::from_mins(1), 5)
        .await?;
    assert_eq!(
        told.map(|message| message.kind).as_deref(),
        Some("VideoCapped")
    );
    let again = store
        .claim("send-email", "reader", Duration::from_mins(1), 5)
        .await?;
    assert_eq!(again, None, "told once");

    let before = store.now();
    world.clock.advance(Duration::from_hours(1));
    let mut tx = store.transaction().await?;
    let early = before - Duration::from_secs(1);
    assert_eq!(tx.give_up_capped(early, 10).await?, 0);
    assert_eq!(tx.give_up_capped(before, 10).await?, 1);
    tx.commit().await?;
    let given_up = store.prediction(ids[2]).await?;
    assert_eq!(given_up.status, PredictionStatus::Failed);
    assert_eq!(given_up.error.as_deref(), Some("cost_cap"));
    Ok(())
}
