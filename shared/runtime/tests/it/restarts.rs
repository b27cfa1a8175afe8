//! `pg_ctl restart -m immediate` in the middle of work loses nothing and doubles nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use shared_domain::{EvidenceComplete, ExecutionId, Message, VideoUploaded};
use shared_queue::Queue;
use shared_runtime::hosts::{Lane, work};
use shared_runtime::{Event, Handler, boxed};
use shared_store::{Store, StoreConfig, StoreError};
use shared_testing::{Certificates, PostgresServer};
use sqlx::{Connection, PgConnection};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const EVENTS: usize = 150;
const RESTARTS: i64 = 10;

/// One effect for each event: a message that names it. Each start waits for leave, so that the server
/// goes away in the middle of some.
struct Forwards {
    store: Store,
    leave: Arc<Semaphore>,
}

impl Handler for Forwards {
    const NAME: &'static str = VideoUploaded::STREAM;
    const TIMEOUT: Duration = Duration::from_mins(1);
    type Input = VideoUploaded;
    type Output = ();
    type Error = StoreError;

    async fn handle(&self, event: &Event, input: VideoUploaded) -> Result<(), StoreError> {
        if let Ok(permit) = self.leave.acquire().await {
            permit.forget();
        }
        let mut tx = self.store.begin(&event.delivery(Self::NAME)).await?;
        let effect = ExecutionId::from(input.video_id.0);
        tx.send(&EvidenceComplete::new(effect)).await?;
        tx.commit().await
    }
}

/// Effects so far; none while the server is away.
async fn effects(store: &Store) -> i64 {
    let status = store.queue_status().await.unwrap_or_default();
    let sent = status
        .iter()
        .find(|stream| stream.stream == EvidenceComplete::STREAM);
    sent.map_or(0, |stream| stream.waiting)
}

/// Gives leave until there are so many effects.
async fn until(wanted: i64, store: &Store, leave: &Semaphore) -> Result<()> {
    let reached = async {
        while effects(store).await < wanted {
            leave.add_permits(1);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), reached)
        .await
        .with_context(|| format!("{wanted} effects"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_again_and_again_loses_and_doubles_nothing() -> Result<()> {
    let server = PostgresServer::start(&Certificates::make()?).await?;
    let config = StoreConfig::new(server.url("postgres", "sslmode=require"));
    Store::migrate(config.clone()).await?;
    let store = Store::connect(config).await?;
    let messages: Vec<_> = (0..EVENTS)
        .map(|_| VideoUploaded::new(store.fresh()))
        .collect();
    let mut tx = store.transaction().await?;
    tx.send_all(&messages).await?;
    tx.commit().await?;

    let leave = Arc::new(Semaphore::new(0));
    let handler = Forwards {
        store: store.clone(),
        leave: leave.clone(),
    };
    let lane = Lane {
        handler: boxed(handler),
        concurrency: 4,
    };
    let queue = Queue::new(store.clone()).with_lease(Duration::from_secs(3));
    let stop = CancellationToken::new();
    let mut worker = JoinSet::new();
    worker.spawn(work(vec![lane], queue, stop.clone()));

    for round in 1..=RESTARTS {
        leave.add_permits(5);
        server.crash().await?;
        until(round * 10, &store, &leave).await?;
    }
    let all = i64::try_from(EVENTS)?;
    until(all, &store, &leave).await?;
    stop.cancel();
    worker.join_all().await;

    let mut conn = PgConnection::connect(&server.socket_url("postgres")).await?;
    let sql = "select count(*), count(distinct body) from outbox where stream = $1";
    let (sent, different): (i64, i64) = sqlx::query_as(sql)
        .bind(EvidenceComplete::STREAM)
        .fetch_one(&mut conn)
        .await?;
    assert_eq!((sent, different), (all, all));
    let unfinished =
        "select count(*) from outbox where stream = $1 and outcome is distinct from 'done'";
    let (unfinished,): (i64,) = sqlx::query_as(unfinished)
        .bind(VideoUploaded::STREAM)
        .fetch_one(&mut conn)
        .await?;
    assert_eq!(unfinished, 0);
    assert_eq!(store.dead_letters(9).await?, []);
    Ok(())
}
