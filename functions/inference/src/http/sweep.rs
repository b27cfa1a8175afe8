//! Deadlines of waiting predictions, and what has to be forgotten: data after an hour as on the hosted
//! service, records some hours later, uploads when they expire.

use std::io;
use std::sync::Arc;

use serde_json::{Map, Value};
use time::Duration;
use tokio::time::MissedTickBehavior;
use tracing::warn;

use super::Inner;
use super::record::{Phase, Record};

const KEEP_DATA: Duration = Duration::hours(1);
const KEEP_RECORDS: Duration = Duration::hours(6);

/// Sweeps once a second until the service stops.
pub(super) async fn sweep(inner: Arc<Inner>) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut rounds = 0_u64;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = inner.stopping.cancelled() => return,
        }
        // Nobody waits for the end of an upload: the folder is read once a minute.
        let swept = match rounds % 60 {
            0 => uploads(&inner).await.and(predictions(&inner).await),
            _ => predictions(&inner).await,
        };
        rounds += 1;
        if let Err(error) = swept {
            warn!("the state of the predictions cannot be swept: {error}");
        }
    }
}

async fn predictions(inner: &Inner) -> io::Result<()> {
    let now = inner.clock.now();
    let waits = |phase| phase == Phase::Starting;
    for id in inner
        .store
        .select(|e| waits(e.phase) && e.deadline.is_some_and(|at| at <= now))
    {
        inner.overdue(&id, now).await?;
    }
    let since = |length: Duration| {
        move |ended: Option<time::OffsetDateTime>| ended.is_some_and(|at| at + length <= now)
    };
    let (stale, old) = (since(KEEP_DATA), since(KEEP_RECORDS));
    for id in inner
        .store
        .select(|e| !e.data_removed && !e.webhook_due && stale(e.completed_at))
    {
        inner.store.update(&id, remove_data).await?;
    }
    for id in inner
        .store
        .select(|e| !e.webhook_due && old(e.completed_at))
    {
        inner.store.remove(&id).await?;
    }
    Ok(())
}

async fn uploads(inner: &Inner) -> io::Result<()> {
    let now = inner.clock.now();
    for id in inner.files.ids().await? {
        let found = inner.files.find(&id).await?;
        if found.is_some_and(|file| file.expires_at <= now) {
            inner.files.remove(&id).await?;
        }
    }
    Ok(())
}

fn remove_data(record: &mut Record) -> bool {
    record.input = Map::new();
    record.output = Value::Null;
    record.data_removed = true;
    true
}
