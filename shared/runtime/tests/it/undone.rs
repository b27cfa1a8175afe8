//! A handler's transaction that PostgreSQL undoes to end a deadlock: the whole handler starts again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use shared_domain::{EvidenceComplete, ExecutionId, Message, VideoUploaded};
use shared_queue::Queue;
use shared_runtime::hosts::{event_of, settle};
use shared_runtime::{Event, Handler, Verdict, boxed, dispatch};
use shared_store::{NewMail, Store, StoreError};
use shared_testing::{ManualClock, postgres_database};
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinSet;

fn mail(address: &str) -> NewMail<'_> {
    NewMail {
        event_id: "event",
        address,
        kind: "test",
        message_id: "<1@x>",
    }
}

/// Changes one row, then another, and sends a message.
struct TwoRows(Store);

impl Handler for TwoRows {
    const NAME: &'static str = VideoUploaded::STREAM;
    const TIMEOUT: Duration = Duration::from_mins(1);
    type Input = VideoUploaded;
    type Output = ();
    type Error = StoreError;

    async fn handle(&self, event: &Event, input: VideoUploaded) -> Result<(), StoreError> {
        let mut tx = self.0.begin(&event.delivery(Self::NAME)).await?;
        tx.send(&EvidenceComplete::new(ExecutionId::from(input.video_id.0)))
            .await?;
        tx.intend_mail(mail("first")).await?;
        tx.intend_mail(mail("second")).await?;
        tx.commit().await
    }
}

async fn until_it_waits(watch: &mut PgConnection) -> Result<()> {
    let sql = "select count(*) from pg_stat_activity where application_name = 'compliance' \
               and datname = current_database() and wait_event_type = 'Lock'";
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let (waiting,): (i64,) = sqlx::query_as(sql).fetch_one(&mut *watch).await?;
        if waiting > 0 {
            return Ok(());
        }
        ensure!(tokio::time::Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_lost_a_deadlock_starts_again_and_has_its_effect_once() -> Result<()> {
    let database = postgres_database(None).await;
    let clock = ManualClock::default();
    let store = database.store().await.with_clock(Arc::new(clock.clone()));
    let queue = Queue::new(store.clone());
    let mut tx = store.transaction().await?;
    tx.intend_mail(mail("first")).await?;
    tx.intend_mail(mail("second")).await?;
    tx.send(&VideoUploaded::new(store.fresh())).await?;
    tx.commit().await?;

    let mut watch = PgConnection::connect(&database.direct_url()).await?;
    let mut other = PgConnection::connect(&database.direct_url()).await?;
    other.execute("set deadlock_timeout = '1h'").await?;
    let mut holding = other.begin().await?;
    holding
        .execute("select 1 from mails where address = 'second' for update")
        .await?;

    let handler = boxed(TwoRows(store.clone()));
    let claim = async || {
        let claimed = store.claim(handler.name(), "a", Duration::from_mins(1), 5);
        claimed.await?.context("an event")
    };
    let claimed = claim().await?;
    let mut working = JoinSet::new();
    let (worker, event, at) = (handler.clone(), event_of(&claimed), queue.clone());
    working.spawn(async move { dispatch(worker.as_ref(), &event, &at).await });
    until_it_waits(&mut watch).await?;
    holding
        .execute("select 1 from mails where address = 'first' for update")
        .await?;
    holding.commit().await?;
    let outcome = working.join_next().await.context("an end")??;
    assert_eq!(outcome.verdict, Verdict::RETRY, "{:?}", outcome.error);
    let error = outcome.error.clone().unwrap_or_default();
    assert!(error.contains("deadlock"), "{error}");
    settle(handler.name(), &claimed, &outcome, &queue).await?;

    clock.advance(Duration::from_secs(2));
    let claimed = claim().await?;
    assert_eq!((claimed.attempt, claimed.strikes), (2, 0));
    let outcome = dispatch(handler.as_ref(), &event_of(&claimed), &queue).await;
    assert_eq!(outcome.verdict, Verdict::Done, "{:?}", outcome.error);
    let sql = "select count(*), (select min(attempts) from mails), (select max(attempts) from mails) \
               from outbox where stream = $1";
    let effects: (i64, i64, i64) = sqlx::query_as(sql)
        .bind(EvidenceComplete::STREAM)
        .fetch_one(&mut watch)
        .await?;
    assert_eq!(effects, (1, 2, 2));
    Ok(())
}
