//! Inbox, outbox, leases and dead letters.

use std::time::Duration;

use anyhow::Result;
use shared_domain::{EvidenceComplete, Message, PredictionDue, Step, VideoUploaded};
use shared_store::{
    Claim, Claimant, DeadEvent, Outcome, Release, Store, StoreConfig, StoreError, Taken,
};
use time::OffsetDateTime;

use crate::world::{LEASE, World, delivery, knock};

const STREAM: &str = VideoUploaded::STREAM;

#[tokio::test]
async fn a_second_delivery_is_already_handled() -> Result<()> {
    let world = World::new().await;
    world.store.begin(&knock("event-1")).await?.commit().await?;
    let again = world.store.begin(&knock("event-1")).await;
    assert!(
        matches!(again, Err(StoreError::AlreadyHandled)),
        "{again:?}"
    );
    world.store.begin(&knock("event-2")).await?.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing_behind() -> Result<()> {
    let world = World::new().await;
    let video = world.video().await?;
    let mut tx = world.store.begin(&knock("event-1")).await?;
    tx.advance(video.video_id, Step::AwaitingUpload, Step::Uploaded)
        .await?;
    tx.send(&VideoUploaded::new(video.video_id)).await?;
    drop(tx);

    assert_eq!(
        world.store.video(video.video_id).await?.step,
        Step::AwaitingUpload
    );
    assert_eq!(world.store.unsent(10).await?, []);
    world.store.begin(&knock("event-1")).await?.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_message_arrives_whole_with_the_trace_of_its_sender() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    let first = world.claim("a").await?.expect("it waits");
    let sent = EvidenceComplete::new(world.store.fresh());
    let mut tx = world.store.begin(&delivery(&first)).await?;
    let event_id = tx.send(&sent).await?;
    tx.commit().await?;

    let claimed = world
        .store
        .claim(EvidenceComplete::STREAM, "a", LEASE, 5)
        .await?;
    let claimed = claimed.expect("it was sent");
    assert_eq!((claimed.event_id, claimed.attempt), (event_id, 1));
    assert_eq!(claimed.kind, EvidenceComplete::KIND);
    assert_eq!(claimed.trace.as_deref(), Some("00-trace-01"));
    assert_eq!(
        serde_json::from_value::<EvidenceComplete>(claimed.body)?,
        sent
    );
    assert_eq!(world.claim("a").await?, None, "the first one is finished");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_eight_claimers_one_gets_the_message() -> Result<()> {
    let world = World::new().await;
    for _ in 0..5 {
        world.message().await?;
        let mut claimers = tokio::task::JoinSet::new();
        for n in 0..8 {
            let store = world.store.clone();
            let owner = format!("worker-{n}");
            claimers.spawn(async move { store.claim(STREAM, &owner, LEASE, 5).await });
        }
        let claims: Vec<_> = claimers
            .join_all()
            .await
            .into_iter()
            .collect::<Result<_, _>>()?;
        assert_eq!(claims.iter().flatten().count(), 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_claimers_share_many_messages_without_overlap() -> Result<()> {
    let world = World::new().await;
    let mut tx = world.store.transaction().await?;
    let messages: Vec<_> = (0..40)
        .map(|_| VideoUploaded::new(world.store.fresh()))
        .collect();
    tx.send_all(&messages).await?;
    tx.commit().await?;
    let mut claimers = tokio::task::JoinSet::new();
    for n in 0..4 {
        let store = world.store.clone();
        claimers.spawn(async move {
            let (owner, mut mine) = (format!("worker-{n}"), Vec::new());
            while let Some(claimed) = store.claim(STREAM, &owner, LEASE, 5).await? {
                mine.push(claimed.event_id);
            }
            Ok::<_, StoreError>(mine)
        });
    }
    let shares: Vec<Vec<_>> = claimers
        .join_all()
        .await
        .into_iter()
        .collect::<Result<_, _>>()?;
    let mut all: Vec<_> = shares.concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), shares.concat().len()), (40, 40));
    Ok(())
}

#[tokio::test]
async fn a_late_worker_is_fenced_off() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    let late = world.claim("late").await?.expect("it waits");
    assert_eq!(world.claim("other").await?, None, "the lease holds");
    world.clock.advance(LEASE);
    let next = world.claim("next").await?.expect("the lease is over");
    assert_eq!((next.event_id, next.attempt), (late.event_id, 2));
    assert!(next.epoch > late.epoch);

    let begun = world.store.begin(&delivery(&late)).await;
    assert!(matches!(begun, Err(StoreError::Fenced)), "{begun:?}");
    let step = world.store.begin_step(&delivery(&late)).await;
    assert!(matches!(step, Err(StoreError::Fenced)), "{step:?}");
    assert!(!world.store.renew(late.event_id, late.epoch, LEASE).await?);
    let released = world
        .store
        .release(late.event_id, late.epoch, later(world.store.now(), "late"))
        .await;
    assert!(matches!(released, Err(StoreError::Fenced)), "{released:?}");
    let buried = world
        .store
        .bury(late.event_id, late.epoch, STREAM, "late")
        .await;
    assert!(matches!(buried, Err(StoreError::Fenced)), "{buried:?}");
    world
        .store
        .finish(late.event_id, late.epoch, Outcome::Done)
        .await?;

    assert!(world.store.renew(next.event_id, next.epoch, LEASE).await?);
    world
        .store
        .begin_step(&delivery(&next))
        .await?
        .commit()
        .await?;
    world.store.begin(&delivery(&next)).await?.commit().await?;
    let late = world.store.begin(&delivery(&late)).await;
    assert!(matches!(late, Err(StoreError::AlreadyHandled)), "{late:?}");
    Ok(())
}

#[tokio::test]
async fn urgent_messages_go_first_and_later_ones_wait_for_their_time() -> Result<()> {
    let world = World::new().await;
    let old = world.message().await?;
    let mut tx = world.store.transaction().await?;
    let urgent = tx.send(&PredictionDue::new(world.store.fresh())).await?;
    let due_at = world.store.now() + Duration::from_secs(30);
    let later = tx
        .send_later(&PredictionDue::new(world.store.fresh()), due_at)
        .await?;
    tx.commit().await?;

    assert_eq!(world.claim("a").await?.map(|c| c.event_id), Some(urgent));
    assert_eq!(world.claim("a").await?.map(|c| c.event_id), Some(old));
    assert_eq!(world.claim("a").await?, None);
    assert_eq!(world.store.next_due(STREAM).await?, Some(due_at));
    world.clock.advance(Duration::from_secs(30));
    assert_eq!(world.claim("a").await?.map(|c| c.event_id), Some(later));
    assert_eq!(world.store.next_due("send-email").await?, None);
    Ok(())
}

fn later(retry_at: OffsetDateTime, error: &str) -> Release<'_> {
    Release {
        retry_at,
        error,
        strike: false,
    }
}

#[tokio::test]
async fn a_failed_attempt_counts_and_a_graceful_stop_does_not() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    let first = world.claim("a").await?.expect("it waits");
    let retry_at = world.store.now() + Duration::from_secs(10);
    world
        .store
        .release(first.event_id, first.epoch, later(retry_at, "timed out \0"))
        .await?;
    assert_eq!(world.claim("a").await?, None, "not before its time");
    world.clock.advance(Duration::from_secs(10));
    let second = world.claim("a").await?.expect("it is due");
    assert_eq!((second.attempt, second.strikes), (2, 0));
    world.store.give_back(second.event_id, second.epoch).await?;
    let third = world.claim("b").await?.expect("it is due at once");
    assert_eq!((third.attempt, third.strikes), (2, 0));
    assert_eq!(third.created_at, first.created_at);
    Ok(())
}

#[tokio::test]
async fn attempts_that_break_off_are_strikes_and_verdicts_are_none() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    for _ in 0..20 {
        let claimed = world.claim("a").await?.expect("\"later\" is no strike");
        let release = later(world.store.now(), "the mail server is away");
        world
            .store
            .release(claimed.event_id, claimed.epoch, release)
            .await?;
    }
    let panicked = world.claim("a").await?.expect("it waits");
    assert_eq!((panicked.attempt, panicked.strikes), (21, 0));
    let release = Release {
        strike: true,
        ..later(world.store.now(), "panicked")
    };
    world
        .store
        .release(panicked.event_id, panicked.epoch, release)
        .await?;
    let dying = world.claim("a").await?.expect("it waits");
    assert_eq!(dying.strikes, 1);
    world.clock.advance(LEASE);
    let killed = world.claim("b").await?.expect("the lease ran out");
    assert_eq!(killed.strikes, 2);
    assert_eq!(world.store.give_back_all().await?, 1);
    let fourth = world.claim("c").await?.expect("the death of b is known");
    assert_eq!((fourth.attempt, fourth.strikes), (24, 3));
    Ok(())
}

#[tokio::test]
async fn a_message_that_kills_its_workers_is_buried_and_can_be_revived() -> Result<()> {
    let world = World::new().await;
    let event_id = world.message().await?;
    for attempt in 1..=5 {
        let claimed = world.claim("a").await?.expect("attempts are left");
        assert_eq!(claimed.attempt, attempt);
        world.clock.advance(LEASE);
    }
    assert_eq!(world.claim("a").await?, None);
    let dead = world.store.dead_letters(10).await?;
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].event_id.as_str(), dead[0].attempts),
        (event_id.to_string().as_str(), 5)
    );
    assert_eq!(dead[0].handler, STREAM);
    assert!(dead[0].error.contains("broke off 5 times"), "{dead:?}");
    world.clock.advance(Duration::from_hours(48));
    let status = world.store.queue_status().await?;
    assert_eq!((status[0].waiting, status[0].dead), (0, 1));

    world.store.retry_dead(dead[0].dead_letter_id).await?;
    let revived = world.claim("a").await?.expect("it starts afresh");
    assert_eq!((revived.event_id, revived.attempt), (event_id, 1));
    assert_eq!(
        (revived.strikes, revived.created_at),
        (0, world.store.now()),
        "nobody is impatient with it"
    );
    assert_eq!(world.store.dead_letters(10).await?, []);
    let gone = world.store.retry_dead(dead[0].dead_letter_id).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
    Ok(())
}

#[tokio::test]
async fn a_rejected_message_is_buried_with_its_reason() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    let claimed = world.claim("a").await?.expect("it waits");
    world
        .store
        .bury(claimed.event_id, claimed.epoch, STREAM, "cannot be read")
        .await?;
    let dead = world.store.dead_letters(10).await?;
    assert_eq!(
        (dead[0].error.as_str(), dead[0].kind.as_str()),
        ("cannot be read", "VideoUploaded")
    );
    let body: VideoUploaded = serde_json::from_str(&dead[0].body)?;
    assert_eq!(serde_json::to_value(body)?, claimed.body);
    Ok(())
}

#[tokio::test]
async fn a_door_event_is_buried_whatever_its_bytes_and_only_its_sender_repeats_it() -> Result<()> {
    let world = World::new().await;
    let mut event = DeadEvent {
        handler: "on-upload",
        event_id: "bucket/key/1",
        kind: "object-created",
        body: "no json \0",
        error: "cannot be read",
    };
    world.store.bury_event(event).await?;
    event.error = "still cannot";
    world.store.bury_event(event).await?;
    let dead = world.store.dead_letters(10).await?;
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (dead[0].error.as_str(), dead[0].attempts),
        ("still cannot", 2)
    );
    let retried = world.store.retry_dead(dead[0].dead_letter_id).await;
    assert!(
        matches!(retried, Err(StoreError::NotRepeatable { .. })),
        "{retried:?}"
    );
    assert_eq!(world.store.dead_letters(10).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_relay_hears_of_each_message_until_it_is_announced() -> Result<()> {
    let world = World::new().await;
    let event_id = world.message().await?;
    let unsent = world.store.unsent(10).await?;
    assert_eq!(unsent.len(), 1);
    assert_eq!(
        (
            unsent[0].event_id,
            unsent[0].stream.as_str(),
            unsent[0].kind.as_str()
        ),
        (event_id, STREAM, VideoUploaded::KIND)
    );
    world.store.mark_sent(&[event_id]).await?;
    world.store.mark_sent(&[]).await?;
    assert_eq!(world.store.unsent(10).await?, []);

    world.clock.advance(Duration::from_mins(1));
    assert_eq!(
        world
            .store
            .forget_sent(world.store.now() - Duration::from_mins(2))
            .await?,
        0
    );
    assert_eq!(
        world
            .store
            .forget_sent(world.store.now() - Duration::from_secs(30))
            .await?,
        1
    );
    assert_eq!(world.store.unsent(10).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_not_due_yet_is_announced_all_the_same() -> Result<()> {
    let world = World::new().await;
    let due_at = world.store.now() + Duration::from_hours(1);
    let mut tx = world.store.transaction().await?;
    let event_id = tx
        .send_later(&PredictionDue::new(world.store.fresh()), due_at)
        .await?;
    tx.commit().await?;
    let unsent = world.store.unsent(10).await?;
    assert_eq!(
        (unsent[0].event_id, unsent[0].priority),
        (event_id, i64::from(PredictionDue::PRIORITY))
    );
    assert_eq!(world.store.next_due(STREAM).await?, Some(due_at));
    Ok(())
}

#[tokio::test]
async fn a_burial_at_a_claim_is_told_and_the_next_message_follows() -> Result<()> {
    let world = World::new().await;
    let deadly = world.message().await?;
    world.claim("a").await?.expect("it waits");
    world.clock.advance(LEASE);
    let harmless = world.message().await?;
    let taken = world.store.take(STREAM, "b", LEASE, 1).await?;
    let Some(Taken::Buried(buried, reason)) = taken else {
        panic!("{taken:?}");
    };
    assert_eq!((buried.event_id, buried.attempt), (deadly, 1));
    assert!(reason.contains("broke off 1 times"), "{reason}");
    let taken = world.store.take(STREAM, "b", LEASE, 1).await?;
    assert!(
        matches!(&taken, Some(Taken::Work(claimed)) if claimed.event_id == harmless),
        "{taken:?}"
    );
    Ok(())
}

#[tokio::test]
async fn status_counts_what_waits_and_what_is_at_work() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    world.message().await?;
    world.clock.advance(Duration::from_secs(7));
    world.claim("a").await?;
    let status = world.store.queue_status().await?;
    assert_eq!(status.len(), 1);
    assert_eq!(
        (
            status[0].stream.as_str(),
            status[0].waiting,
            status[0].leased
        ),
        (STREAM, 1, 1)
    );
    assert_eq!(status[0].oldest_age, Some(Duration::from_secs(7)));

    let mut tx = world.store.transaction().await?;
    let due_at = world.store.now() + Duration::from_secs(30);
    tx.send_later(&VideoUploaded::new(world.store.fresh()), due_at)
        .await?;
    tx.commit().await?;
    let status = world.store.queue_status().await?;
    assert_eq!(
        (status[0].waiting, status[0].later, status[0].leased),
        (1, 1, 1)
    );
    world.clock.advance(Duration::from_secs(30));
    let status = world.store.queue_status().await?;
    assert_eq!((status[0].waiting, status[0].later), (2, 0));
    Ok(())
}

#[tokio::test]
async fn pruning_deletes_what_ended_long_ago_and_nothing_else() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    world.message().await?;
    let done = world.claim("a").await?.expect("two wait");
    world.store.begin(&delivery(&done)).await?.commit().await?;
    let before = world.store.now();
    assert_eq!(world.store.prune_queue(before, 10).await?, 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.store.prune_queue(world.store.now(), 10).await?, 2);
    assert!(
        world.claim("a").await?.is_some(),
        "the other one is still there"
    );
    Ok(())
}

#[tokio::test]
async fn thousands_of_messages_are_sent_in_one_transaction() -> Result<()> {
    let world = World::new().await;
    let messages: Vec<_> = (0..5000)
        .map(|_| PredictionDue::new(world.store.fresh()))
        .collect();
    let mut tx = world.store.transaction().await?;
    tx.send_all(&messages).await?;
    tx.commit().await?;
    assert_eq!(world.store.queue_status().await?[0].waiting, 5000);
    let unsent: Vec<_> = world
        .store
        .unsent(5000)
        .await?
        .into_iter()
        .map(|unsent| unsent.event_id)
        .collect();
    world.store.mark_sent(&unsent).await?;
    assert_eq!(world.store.unsent(10).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_wait_for_each_other_and_readers_for_nobody() -> Result<()> {
    let world = World::new().await;
    let video = world.video().await?;
    let mut tx = world.store.transaction().await?;
    tx.advance(video.video_id, Step::AwaitingUpload, Step::Uploaded)
        .await?;
    let seen = world.store.video(video.video_id).await?;
    assert_eq!(seen.step, Step::AwaitingUpload);
    assert_eq!(tx.video(video.video_id).await?.step, Step::Uploaded);
    let store = world.store.clone();
    let mut other = tokio::task::JoinSet::new();
    other.spawn(async move { store.begin(&knock("event-1")).await?.commit().await });
    tx.commit().await?;
    for result in other.join_all().await {
        result?;
    }
    assert_eq!(
        world
            .database
            .store()
            .await
            .video(video.video_id)
            .await?
            .step,
        Step::Uploaded
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_busy_is_a_passing_trouble() -> Result<()> {
    let world = World::new().await;
    let video = world.video().await?;
    let impatient = StoreConfig {
        statement_timeout: Duration::from_millis(200),
        ..world.database.config()
    };
    let impatient = Store::connect(impatient).await?;
    let mut tx = world.store.transaction().await?;
    tx.advance(video.video_id, Step::AwaitingUpload, Step::Uploaded)
        .await?;
    let attempt = async {
        let mut tx = impatient.transaction().await?;
        tx.advance(video.video_id, Step::AwaitingUpload, Step::Uploaded)
            .await?;
        tx.commit().await
    };
    let error = attempt.await.expect_err("the other one holds the row");
    assert!(error.is_transient(), "{error:?}");
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_a_passing_trouble() {
    let nowhere = StoreConfig {
        acquire_timeout: Duration::from_millis(200),
        ..StoreConfig::new("postgres://nobody@127.0.0.1:1/nothing")
    };
    let error = Store::connect(nowhere)
        .await
        .expect_err("nobody listens there");
    assert!(error.is_transient(), "{error:?}");
}

fn claimant(owner: &str) -> Claimant<'_> {
    Claimant {
        stream: STREAM,
        owner,
        lease: LEASE,
        max_strikes: 5,
    }
}

#[tokio::test]
async fn one_message_is_claimed_by_its_id_and_by_nobody_else() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    world.message().await?;
    let unsent = world.store.unsent(10).await?;
    let [first, second] = unsent.as_slice() else {
        panic!("two messages, not {unsent:?}");
    };
    let (first, second) = (&first.event_id, &second.event_id);
    let Claim::Ours(claimed) = world.store.claim_event(*second, claimant("a")).await? else {
        panic!("it is due and free");
    };
    assert_eq!((claimed.event_id, claimed.attempt), (*second, 1));
    let again = world.store.claim_event(*second, claimant("b")).await?;
    assert_eq!(again, Claim::NotNow);
    let other = world.claim("b").await?.expect("the other one waits");
    assert_eq!(other.event_id, *first);

    world
        .store
        .finish(*second, claimed.epoch, Outcome::Done)
        .await?;
    let ended = world.store.claim_event(*second, claimant("b")).await?;
    assert_eq!(ended, Claim::Finished);
    let never = world.store.claim_event(world.store.fresh(), claimant("a"));
    assert_eq!(never.await?, Claim::Unknown);
    let elsewhere = Claimant {
        stream: "send-email",
        ..claimant("a")
    };
    let foreign = world.store.claim_event(*first, elsewhere).await?;
    assert_eq!(foreign, Claim::Unknown, "another function reads it");
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_not_due_is_not_claimed_by_its_id_either() -> Result<()> {
    let world = World::new().await;
    world.message().await?;
    let claimed = world.claim("a").await?.expect("it waits");
    let release = Release {
        retry_at: world.store.now() + Duration::from_mins(1),
        error: "busy",
        strike: false,
    };
    let (event_id, epoch) = (claimed.event_id, claimed.epoch);
    world.store.release(event_id, epoch, release).await?;
    let early = world.store.claim_event(event_id, claimant("a")).await?;
    assert_eq!(early, Claim::NotNow);
    let strict = Claimant {
        max_strikes: 0,
        ..claimant("a")
    };
    world.clock.advance(Duration::from_mins(2));
    let buried = world.store.claim_event(event_id, strict).await?;
    assert_eq!(buried, Claim::Finished, "it has all its strikes");
    assert_eq!(world.store.dead_letters(10).await?.len(), 1);
    Ok(())
}
