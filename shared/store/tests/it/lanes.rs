//! The way to a paid provider: tokens, rests, and what is held back meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use shared_domain::PauseReason;
use shared_store::{Closing, Entry, Hold, Pace, Pause, PredictionStatus, Store, StoreError};
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::world::World;

const LANE: &str = "replicate";

async fn enter(store: &Store, pace: Pace) -> Result<Entry, StoreError> {
    let mut tx = store.transaction().await?;
    let entry = tx.enter_lane(LANE, pace).await?;
    tx.commit().await?;
    Ok(entry)
}

/// How long one has to wait that finds no token.
async fn wait(store: &Store, pace: Pace) -> Result<Option<Duration>, StoreError> {
    match enter(store, pace).await? {
        Entry::NotYet => store.take_turn(LANE, pace).await.map(Some),
        _ => Ok(None),
    }
}

async fn pause(world: &World, reason: PauseReason, rest: Duration) -> Result<bool> {
    let until = world.store.now() + rest;
    let mut tx = world.store.transaction().await?;
    let told = tx.pause_lane(LANE, Pause { reason, until }, None).await?;
    tx.commit().await?;
    Ok(told)
}

async fn resume(world: &World) -> Result<bool> {
    let mut tx = world.store.transaction().await?;
    let resumed = tx.resume_lane(LANE).await?;
    tx.commit().await?;
    Ok(resumed)
}

/// How many messages of a kind wait.
async fn sent(world: &World, kind: &str) -> Result<usize> {
    let mut claimed = 0;
    let stream = match kind {
        "PredictionDue" => "frame-extract",
        _ => "send-email",
    };
    while let Some(message) = world
        .store
        .claim(stream, "reader", Duration::from_mins(1), 5)
        .await?
    {
        assert_eq!(message.kind, kind);
        claimed += 1;
        let (id, epoch) = (message.event_id, message.epoch);
        let done = shared_store::Outcome::Done;
        world.store.finish(id, epoch, done).await?;
    }
    Ok(claimed)
}

#[tokio::test]
async fn in_any_minute_no_more_go_than_are_allowed_and_nearly_as_many() -> Result<()> {
    let world = World::new().await;
    let pace = Pace::per_minute(60);
    let mut gone: Vec<OffsetDateTime> = Vec::new();
    for _ in 0..260 {
        while enter(&world.store, pace).await? == Entry::Open {
            gone.push(world.store.now());
        }
        world.clock.advance(Duration::from_millis(500));
    }
    let in_minute_from = |first: &OffsetDateTime| {
        let minute =
            |at: &&OffsetDateTime| **at >= *first && **at - *first < Duration::from_mins(1);
        gone.iter().filter(minute).count()
    };
    let most = gone.iter().map(in_minute_from).max().context("none went")?;
    assert!((58..=60).contains(&most), "{most} in a minute");
    assert!(gone.len() >= 115, "{} in 130 s", gone.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_tokens() -> Result<()> {
    let world = World::new().await;
    let clock = std::sync::Arc::new(world.clock.clone());
    let other = world.database.store().await.with_clock(clock);
    let mut workers = JoinSet::new();
    for number in 0..80 {
        let store = match number % 2 {
            0 => world.store.clone(),
            _ => other.clone(),
        };
        workers.spawn(async move { wait(&store, Pace::per_minute(600)).await });
    }
    let waits: Vec<Option<Duration>> = workers
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let open = waits.iter().filter(|wait| wait.is_none());
    assert_eq!(open.count(), 30, "a twentieth of a minute's at once");
    // The others come one after the other, not all at the next token.
    let turns: BTreeSet<Duration> = waits.into_iter().flatten().collect();
    assert_eq!(turns.len(), 50);
    assert!(turns.last().context("a last one")? < &Duration::from_secs(6));
    Ok(())
}

#[tokio::test]
async fn what_the_provider_asks_for_holds_for_everybody() -> Result<()> {
    let world = World::new().await;
    let pace = Pace::per_minute(600);
    assert_eq!(enter(&world.store, pace).await?, Entry::Open);
    let mut tx = world.store.transaction().await?;
    tx.slow_lane(LANE, pace, Duration::from_secs(7)).await?;
    tx.commit().await?;
    let seven = Duration::from_secs(7);
    assert_eq!(wait(&world.store, pace).await?, Some(seven));
    world.clock.advance(Duration::from_secs(7));
    assert_eq!(enter(&world.store, pace).await?, Entry::Open);
    let next = enter(&world.store, pace).await?;
    assert_eq!(next, Entry::NotYet, "no burst after a throttle");
    Ok(())
}

#[tokio::test]
async fn a_rest_is_told_once_and_ended_by_one_that_tries_the_way() -> Result<()> {
    let (world, pace) = (World::new().await, Pace::per_minute(600));
    let rest = Duration::from_mins(5);
    assert!(pause(&world, PauseReason::NoCredit, rest).await?);
    assert!(!pause(&world, PauseReason::NoCredit, rest).await?);
    assert_eq!(sent(&world, "LanePaused").await?, 1);
    assert_eq!(enter(&world.store, pace).await?, Entry::Paused);
    let known = world.store.lane_pause(LANE).await?.context("a rest")?;
    assert_eq!(known.reason, PauseReason::NoCredit);

    world.clock.advance(rest);
    assert_eq!(enter(&world.store, pace).await?, Entry::Probe);
    assert_eq!(enter(&world.store, pace).await?, Entry::Paused, "one only");
    // The one that tried never came back: another may.
    world.clock.advance(Duration::from_mins(2));
    assert_eq!(enter(&world.store, pace).await?, Entry::Probe);
    assert!(resume(&world).await? && !resume(&world).await?);
    assert_eq!(enter(&world.store, pace).await?, Entry::Open);
    assert_eq!(world.store.lane_pause(LANE).await?, None);

    // It comes back at once: the same rest. Another reason, or a later day, is news.
    assert!(!pause(&world, PauseReason::NoCredit, rest).await?);
    assert!(pause(&world, PauseReason::Refused, rest).await?);
    resume(&world).await?;
    world.clock.advance(Duration::from_hours(2));
    assert!(pause(&world, PauseReason::Refused, rest).await?);
    assert_eq!(sent(&world, "LanePaused").await?, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_workers_that_let_it_rest_at_once_one_tells() -> Result<()> {
    let world = World::new().await;
    let mut workers = JoinSet::new();
    for _ in 0..8 {
        let store = world.store.clone();
        workers.spawn(async move {
            let until = store.now() + Duration::from_mins(5);
            let reason = PauseReason::LowCredit;
            let mut tx = store.transaction().await?;
            let told = tx.pause_lane(LANE, Pause { reason, until }, None).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(told)
        });
    }
    let told: Vec<bool> = workers
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    assert_eq!(told.iter().filter(|told| **told).count(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_held_back_waits_without_a_message_and_goes_in_order() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(4).await?;
    let ids: Vec<_> = plan.predictions.iter().map(|p| p.prediction_id).collect();
    let mut tx = world.store.transaction().await?;
    for (id, usd) in ids.iter().zip([0.4, 0.3, 0.2, 0.1]) {
        tx.hold(*id, Hold::Lane(LANE), usd).await?;
        tx.hold(*id, Hold::Lane(LANE), usd).await?;
    }
    let answered = Closing::of(PredictionStatus::Failed);
    tx.close_prediction(ids[3], &answered, &[]).await?;
    tx.hold(ids[3], Hold::Lane(LANE), 9.0).await?;
    tx.commit().await?;
    assert_eq!(world.store.cheapest_held(LANE).await?, Some(0.1));
    world.clock.advance(Duration::from_hours(1));
    let stranded = world.store.stranded_questions(Duration::ZERO, 10).await?;
    assert_eq!(stranded, [], "nobody leads on what is held back");

    let mut tx = world.store.transaction().await?;
    assert_eq!(tx.release_lane(LANE, 0).await?, 0);
    assert_eq!(tx.release_capped(None, 10).await?, 0);
    assert_eq!(tx.release_lane(LANE, 1).await?, 1);
    assert_eq!(tx.release_lane(LANE, 10).await?, 3);
    tx.commit().await?;
    assert_eq!(sent(&world, "PredictionDue").await?, 4);
    assert_eq!(world.store.cheapest_held(LANE).await?, None);
    assert_eq!(world.store.execution(run.execution_id).await?.done, 1);
    Ok(())
}

#[tokio::test]
async fn many_slow_questions_hide_no_answer_from_the_poller() -> Result<()> {
    let world = World::new().await;
    let (_, plan) = world.planned(5).await?;
    let mut tx = world.store.transaction().await?;
    for new in &plan.predictions {
        assert!(tx.begin_submission(new.prediction_id).await?);
        tx.submitted(new.prediction_id, "p").await?;
    }
    tx.commit().await?;
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        world.clock.advance(Duration::from_mins(2));
        for late in world.store.submitted_before(world.store.now(), 2).await? {
            world.store.mark_polled(late.prediction_id).await?;
            seen.insert(late.prediction_id.to_string());
        }
    }
    assert_eq!(seen.len(), 5);
    Ok(())
}
