//! From the transport to a worker. Whatever the transport says, the table decides who works on what.

use std::time::Duration;

use shared_store::{Claimed, StoreError, Taken};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::queue::{Redis, heard};
use crate::stream::Entry;
use crate::{Fault, Queue};

/// Without Redis, a look at the table that nobody asked for: finds what a lost wake-up left.
const LOOK: Duration = Duration::from_secs(1);
/// How long Redis may keep a reader waiting. A read is not broken off, because an entry that is on
/// its way would be lost with it: this is also how long a stop may take.
const BLOCK: Duration = Duration::from_secs(1);
/// A row that seems due and cannot be had is being claimed by somebody else.
const BUSY: Duration = Duration::from_millis(50);

impl Queue {
    /// The next event of a stream, claimed; `None` once `stop` is cancelled.
    pub async fn next(&self, stream: &str, stop: &CancellationToken) -> Option<Claimed> {
        while !stop.is_cancelled() {
            let claimed = match &self.redis {
                None => self.next_by_table(stream, stop).await,
                Some(redis) => self.next_by_redis(redis, stream, stop).await,
            };
            if claimed.is_some() {
                return claimed;
            }
        }
        None
    }

    /// One look; when it finds nothing, one wait.
    async fn next_by_table(&self, stream: &str, stop: &CancellationToken) -> Option<Claimed> {
        match self.take(stream).await {
            Ok(Some(claimed)) => {
                // A bell rings once for many rows: pass it on before working.
                self.channel.ring(stream);
                return Some(claimed);
            }
            Ok(None) => {}
            Err(error) => error!(%error, stream, "the queue cannot be read; trying again"),
        }
        self.rest(stream, stop).await;
        None
    }

    async fn rest(&self, stream: &str, stop: &CancellationToken) {
        let bell = self.channel.bell(stream);
        tokio::select! {
            () = bell.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => {}
        }
    }

    /// A look when one is due, or else one wait for an entry.
    async fn next_by_redis(
        &self,
        redis: &Redis,
        stream: &str,
        stop: &CancellationToken,
    ) -> Option<Claimed> {
        if redis.streams.is_away() {
            redis.looks.bring_forward(stream, Instant::now());
            return self.next_by_table(stream, stop).await;
        }
        let read = if redis.looks.is_due(stream) {
            match redis.streams.stale(stream, self.lease).await {
                Ok(entry) => return self.work(redis, stream, entry, stop).await,
                Err(fault) => Err(fault),
            }
        } else {
            let patience = redis.looks.wait(stream).min(BLOCK);
            redis.streams.read(stream, patience).await
        };
        match read {
            Ok(None) => None,
            Ok(Some(entry)) if stop.is_cancelled() => {
                heard(redis.streams.hand_back(stream, &entry).await);
                None
            }
            Ok(Some(entry)) => self.work(redis, stream, Some(entry), stop).await,
            Err(fault) => {
                // Whatever was in the stream is gone, or out of reach: the table has it.
                redis.looks.bring_forward(stream, Instant::now());
                if matches!(fault, Fault::Forgotten { .. }) {
                    heard(redis.streams.make_group(stream).await);
                }
                None
            }
        }
    }

    /// Claims the most urgent row. Without an entry this is a look, which goes on while it finds.
    async fn work(
        &self,
        redis: &Redis,
        stream: &str,
        entry: Option<Entry>,
        stop: &CancellationToken,
    ) -> Option<Claimed> {
        match self.take_announced(stream, entry.is_some()).await {
            Ok(Some(claimed)) => {
                match entry {
                    Some(entry) => redis.remember(&claimed, entry),
                    None => redis.looks.bring_forward(stream, Instant::now()),
                }
                return Some(claimed);
            }
            Ok(None) => {
                if let Some(entry) = entry {
                    heard(redis.streams.delete(stream, &entry.id).await);
                }
                self.wait_for_the_next(redis, stream).await;
            }
            Err(error) => {
                error!(%error, stream, "the queue cannot be read; trying again");
                redis.looks.bring_forward(stream, Instant::now());
                self.rest(stream, stop).await;
            }
        }
        None
    }

    /// Nothing can be claimed now: somebody has to come when the next row is due or its lease ends.
    async fn wait_for_the_next(&self, redis: &Redis, stream: &str) {
        match self.store.next_due(stream).await {
            Ok(Some(due)) => {
                let wait = Duration::try_from(due - self.store.now()).unwrap_or(BUSY);
                let moment = Instant::now().checked_add(wait.max(BUSY));
                redis
                    .looks
                    .bring_forward(stream, moment.unwrap_or_else(Instant::now));
            }
            Ok(None) => {}
            Err(error) => error!(%error, stream, "the queue cannot be read; the next look will"),
        }
    }

    /// As `take`. A row that an entry tells of may be locked for the moment in which its relay notes
    /// that it was announced: the entry is not spent on that.
    async fn take_announced(
        &self,
        stream: &str,
        announced: bool,
    ) -> Result<Option<Claimed>, StoreError> {
        let taken = self.take(stream).await?;
        if taken.is_some() || !announced {
            return Ok(taken);
        }
        let due = self.store.next_due(stream).await?;
        if due.is_none_or(|due| due > self.store.now()) {
            return Ok(None);
        }
        tokio::time::sleep(BUSY).await;
        self.take(stream).await
    }

    /// The most urgent row that is due and free; what is buried instead is told.
    async fn take(&self, stream: &str) -> Result<Option<Claimed>, StoreError> {
        let (owner, deaths) = (&self.owner, self.deaths());
        loop {
            match self.store.take(stream, owner, self.lease, deaths).await? {
                Some(Taken::Work(claimed)) => return Ok(Some(claimed)),
                Some(Taken::Buried(buried, reason)) => self.mourn(&buried, &reason).await,
                None => return Ok(None),
            }
        }
    }
}
