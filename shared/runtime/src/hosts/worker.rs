//! The queue consumer: claims a row under a lease, keeps the lease while the handler works, and
//! writes the verdict down. A worker that lost its lease drops the work: its transaction would be
//! fenced off anyway.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use shared_queue::{LEASE, MAX_ATTEMPTS, Queue, backoff};
use shared_store::{Claimed, Outcome as Ended, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{AnyHandler, Event, Outcome, Source, Verdict, dispatch};

/// How long unfinished work may run on after the stop; then its lease is given back.
const GRACE: Duration = Duration::from_secs(20);

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
        for _ in 0..lane.concurrency {
            tasks.spawn(consume(lane.handler.clone(), queue.clone(), stop.clone()));
        }
    }
    tasks.spawn(relay_leftovers(queue, stop));
    info!("worker ready");
    while tasks.join_next().await.is_some() {}
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
        let (event_id, epoch) = (claimed.event_id, claimed.epoch);
        if let Err(error) = attempt(handler.as_ref(), claimed, &queue, &stop).await {
            // The lease runs out and the row is claimed again: nothing is lost.
            error!(event.id = %event_id, epoch, %error, "the verdict could not be written");
        }
    }
}

async fn attempt(
    handler: &dyn AnyHandler,
    claimed: Claimed,
    queue: &Queue,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    let event = event(&claimed);
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    let outcome = tokio::select! {
        outcome = dispatch(handler, &event, queue) => outcome,
        () = keep(queue, &claimed) => {
            warn!(event.id = %event.id, "the lease was lost; the work is dropped");
            return Ok(());
        }
        () = grace => {
            info!(event.id = %event.id, "stopping: the lease is given back");
            return queue.store().give_back(claimed.event_id, claimed.epoch).await;
        }
    };
    settle(handler.name(), &claimed, &outcome, queue).await
}

/// Renews the lease; ends only when it is lost.
async fn keep(queue: &Queue, claimed: &Claimed) {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        match queue
            .store()
            .renew(claimed.event_id, claimed.epoch, LEASE)
            .await
        {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => warn!(event.id = %claimed.event_id, %error, "the lease was not renewed"),
        }
    }
}

async fn settle(
    handler: &'static str,
    claimed: &Claimed,
    outcome: &Outcome,
    queue: &Queue,
) -> Result<(), StoreError> {
    let reason = outcome.error.as_deref().unwrap_or("");
    match outcome.verdict {
        Verdict::Done => {
            queue
                .store()
                .finish(claimed.event_id, claimed.epoch, done(outcome))
                .await
        }
        Verdict::Retry { after } if claimed.attempt < MAX_ATTEMPTS => {
            let wait = after.unwrap_or_else(|| backoff(claimed.attempt, claimed.event_id));
            let due = queue.store().now() + wait;
            queue
                .store()
                .release(claimed.event_id, claimed.epoch, due, reason)
                .await
        }
        Verdict::Retry { .. } | Verdict::Reject => queue.bury(claimed, handler, reason).await,
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

fn event(claimed: &Claimed) -> Event {
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
