//! The queue consumer: claims a row under a lease, keeps the lease while the handler works, and
//! writes the verdict down. A worker that lost its lease drops the work: its transaction would be
//! fenced off anyway.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use shared_queue::{MAX_STRIKES, PATIENCE, Queue, backoff};
use shared_store::{Claimed, Outcome as Ended, Release, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, warn};

use crate::dispatch::{dispatch_within, span_of};
use crate::{AnyHandler, Event, Outcome, Source, Verdict, metrics};

/// A function and how many of its events this process works on at once.
#[derive(Clone)]
pub struct Lane {
    /// The function.
    pub handler: Arc<dyn AnyHandler>,
    /// Events at once.
    pub concurrency: usize,
}

/// Works until `stop`; returns when every lane has ended.
pub async fn work(lanes: Vec<Lane>, queue: Queue, stop: CancellationToken) {
    let mut tasks = JoinSet::new();
    for lane in lanes {
        metrics::expect(lane.handler.name());
        for _ in 0..lane.concurrency {
            tasks.spawn(consume(lane.handler.clone(), queue.clone(), stop.clone()));
        }
    }
    tasks.spawn(relay_leftovers(queue.clone(), stop));
    info!("worker ready");
    while tasks.join_next().await.is_some() {}
    queue.leave().await;
}

/// What another process (or a crash between commit and relay) left in the outbox.
async fn relay_leftovers(queue: Queue, stop: CancellationToken) {
    while tokio::time::timeout(Duration::from_secs(1), stop.cancelled())
        .await
        .is_err()
    {
        queue.relay().await;
    }
}

async fn consume(handler: Arc<dyn AnyHandler>, queue: Queue, stop: CancellationToken) {
    while let Some(claimed) = queue.next(handler.name(), &stop).await {
        let event = event_of(&claimed);
        let span = span_of(handler.name(), &event);
        let attempted = async {
            let attempt = attempt(handler.as_ref(), (&event, &claimed), &queue, &stop);
            if let Err(error) = attempt.await {
                // The lease runs out and the row is claimed again: nothing is lost.
                let (event_id, epoch) = (claimed.event_id, claimed.epoch);
                error!(event.id = %event_id, epoch, %error, "the verdict could not be written");
            }
            queue.over(&claimed).await;
        };
        attempted.instrument(span).await;
    }
}

async fn attempt(
    handler: &dyn AnyHandler,
    (event, claimed): (&Event, &Claimed),
    queue: &Queue,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(queue.grace()).await;
    };
    let outcome = tokio::select! {
        outcome = dispatch_within(handler, event, queue, None) => outcome,
        () = keep(queue, claimed) => {
            warn!(event.id = %event.id, "the lease was lost; the work is dropped");
            return Ok(());
        }
        () = grace => return give_back(claimed, queue).await,
    };
    match outcome.verdict {
        // What it needed may have stopped before it.
        Verdict::Retry { .. } if stop.is_cancelled() && !outcome.broke_off => {
            give_back(claimed, queue).await
        }
        _ => write_down(handler.name(), claimed, &outcome, queue).await,
    }
}

/// Writes the verdict down as soon as the database is there, while the lease lasts: a lease that ran
/// out would be a strike against an event that is not to blame.
async fn write_down(
    handler: &str,
    claimed: &Claimed,
    outcome: &Outcome,
    queue: &Queue,
) -> Result<(), StoreError> {
    let deadline = tokio::time::Instant::now() + queue.lease();
    loop {
        match settle(handler, claimed, outcome, queue).await {
            Err(error) if error.is_transient() && tokio::time::Instant::now() < deadline => {
                warn!(event.id = %claimed.event_id, %error, "the verdict waits for the database");
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
            ended => return ended,
        }
    }
}

async fn give_back(claimed: &Claimed, queue: &Queue) -> Result<(), StoreError> {
    info!(event.id = %claimed.event_id, "stopping: the lease is given back");
    let (event_id, epoch) = (claimed.event_id, claimed.epoch);
    queue.store().give_back(event_id, epoch).await
}

/// Renews the lease; ends only when it is lost.
pub(super) async fn keep(queue: &Queue, claimed: &Claimed) {
    loop {
        tokio::time::sleep(queue.lease() / 3).await;
        match queue.renew(claimed).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => warn!(event.id = %claimed.event_id, %error, "the lease was not renewed"),
        }
    }
}

/// Writes down how an event ended.
///
/// "Later" is believed for as long as `PATIENCE` lasts; an attempt that broke off without saying
/// anything is a strike, and of those there are few.
pub async fn settle(
    handler: &str,
    claimed: &Claimed,
    outcome: &Outcome,
    queue: &Queue,
) -> Result<(), StoreError> {
    let (event_id, epoch, store) = (claimed.event_id, claimed.epoch, queue.store());
    let error = outcome.error.as_deref().unwrap_or("");
    let strike = outcome.broke_off;
    match outcome.verdict {
        Verdict::Done => store.finish(event_id, epoch, done(outcome)).await,
        Verdict::Retry { after }
            if store.now() - claimed.created_at < PATIENCE
                && !(strike && claimed.strikes + 1 >= MAX_STRIKES) =>
        {
            let wait = after.unwrap_or_else(|| backoff(claimed.attempt, event_id));
            let release = Release {
                retry_at: store.now() + wait,
                error,
                strike,
            };
            store.release(event_id, epoch, release).await
        }
        Verdict::Retry { .. } | Verdict::Reject => queue.bury(claimed, handler, error).await,
    }
}

/// A handler that found the work done already says so by an error.
fn done(outcome: &Outcome) -> Ended {
    if outcome.error.is_some() {
        Ended::Stale
    } else {
        Ended::Done
    }
}

/// A claimed message, as its handler sees it.
pub fn event_of(claimed: &Claimed) -> Event {
    Event {
        id: claimed.event_id.to_string(),
        attempt: claimed.attempt,
        lease: Some((claimed.event_id, claimed.epoch)),
        trace: claimed.trace.clone(),
        source: Source::Message {
            kind: claimed.kind.clone(),
        },
        headers: HeaderMap::new(),
        body: Bytes::from(claimed.body.to_string()),
    }
}
