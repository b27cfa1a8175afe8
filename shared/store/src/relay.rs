//! What the relay, the sweeps and the operators of the queue read and tidy.

use std::collections::BTreeMap;
use std::time::Duration;

use shared_domain::OutboxId;
use time::OffsetDateTime;

use crate::dialect::{bulk, change, execute, rows};
use crate::retry::whole;
use crate::values::{Id, Maybe, Ts, id, ts};
use crate::{Store, StoreError};

/// A message that has to be announced.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Unsent {
    /// The event.
    #[sqlx(try_from = "Id")]
    pub event_id: OutboxId,
    /// The function that reads it.
    pub stream: String,
    /// The name of the fact.
    pub kind: String,
    /// Higher goes first within a stream.
    pub priority: i64,
    /// W3C `traceparent` of the sender.
    pub trace: Option<String>,
    /// Nobody can claim it before.
    #[sqlx(try_from = "Ts")]
    pub due_at: OffsetDateTime,
}

/// How one stream stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamStatus {
    /// The function that reads it.
    pub stream: String,
    /// Messages that are due and that nobody works on.
    pub waiting: i64,
    /// Messages that are not due yet.
    pub later: i64,
    /// Messages that somebody works on.
    pub leased: i64,
    /// Messages that were given up.
    pub dead: i64,
    /// Age of the oldest unfinished message.
    pub oldest_age: Option<Duration>,
}

/// How the outbox stands as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxFigures {
    /// Messages that were not announced yet.
    pub unsent: i64,
    /// How long the oldest unfinished message has been due.
    pub oldest_age: Duration,
    /// Events that were given up.
    pub dead: i64,
}

impl Store {
    /// Messages that have to be announced, the oldest first. One that is not due yet is announced
    /// too: whoever hears of it asks `next_due` when to come.
    pub async fn unsent(&self, limit: i64) -> Result<Vec<Unsent>, StoreError> {
        let forever = Duration::from_hours(24 * 365);
        self.unsent_until(forever, limit).await
    }

    /// As `unsent`, without those that are due later than after this wait.
    pub async fn unsent_until(
        &self,
        wait: Duration,
        limit: i64,
    ) -> Result<Vec<Unsent>, StoreError> {
        rows!(
            fetch_all as Unsent,
            self.reader().await?.link(),
            "select event_id, stream, kind, priority, trace, due_at from outbox \
             where sent_at is null and finished_at is null and due_at <= $2 \
             order by event_id limit $1",
            limit,
            ts(self.now() + wait),
        )
    }

    /// These messages were announced.
    pub async fn mark_sent(&self, sent: &[OutboxId]) -> Result<(), StoreError> {
        whole!(self.mark_sent_once(sent).await)
    }

    async fn mark_sent_once(&self, sent: &[OutboxId]) -> Result<(), StoreError> {
        let mut tx = self.transaction().await?;
        let now = ts(self.now());
        bulk!(
            tx.link(),
            "with sent (event_id, sent_at) as (",
            sent,
            |event_id| [id(*event_id), now],
            ") update outbox set sent_at = sent.sent_at from sent \
             where outbox.event_id = sent.event_id"
        )?;
        tx.commit().await
    }

    /// Has unfinished messages announced again that were announced before a moment and on which
    /// nobody works: whoever heard of them has forgotten.
    pub async fn forget_sent(&self, before: OffsetDateTime) -> Result<u64, StoreError> {
        change!(
            self,
            "update outbox set sent_at = null where finished_at is null and sent_at < $1 \
             and (lease_until is null or lease_until <= $2)",
            ts(before),
            ts(self.now()),
        )
    }

    /// Every stream that has something unfinished or given up.
    pub async fn queue_status(&self) -> Result<Vec<StreamStatus>, StoreError> {
        let now = self.now();
        let mut db = self.reader().await?;
        let open = rows!(
            fetch_all as (String, i64, i64, i64, Maybe<Ts>),
            db.link(),
            "select stream, count(*), count(case when lease_until > $1 then 1 end), \
             count(case when due_at > $1 and (lease_until is null or lease_until <= $1) then 1 end), \
             min(created_at) from outbox where finished_at is null group by stream",
            ts(now),
        )?;
        let dead = rows!(
            fetch_all as (String, i64),
            db.link(),
            "select handler, count(*) from dead_letters group by handler"
        )?;
        let mut streams: BTreeMap<String, StreamStatus> = BTreeMap::new();
        for (stream, unfinished, leased, later, oldest) in open {
            let status = streams.entry(stream).or_default();
            status.waiting = unfinished - leased - later;
            status.later = later;
            status.leased = leased;
            let oldest: Option<OffsetDateTime> = oldest.into();
            status.oldest_age = oldest.map(|at| (now - at).try_into().unwrap_or_default());
        }
        for (handler, count) in dead {
            streams.entry(handler).or_default().dead = count;
        }
        Ok(streams
            .into_iter()
            .map(|(stream, status)| StreamStatus { stream, ..status })
            .collect())
    }

    /// The outbox in three numbers, for whoever watches it.
    pub async fn outbox_figures(&self) -> Result<OutboxFigures, StoreError> {
        let now = self.now();
        let mut db = self.reader().await?;
        let (unsent, oldest) = rows!(
            fetch_one as (i64, Maybe<Ts>),
            db.link(),
            "select count(case when sent_at is null then 1 end), \
             min(case when due_at <= $1 then due_at end) from outbox where finished_at is null",
            ts(now),
        )?;
        let (dead,) = rows!(
            fetch_one as (i64,),
            db.link(),
            "select count(*) from dead_letters"
        )?;
        let oldest: Option<OffsetDateTime> = oldest.into();
        let age = oldest.map(|at| (now - at).try_into().unwrap_or_default());
        Ok(OutboxFigures {
            unsent,
            oldest_age: age.unwrap_or_default(),
            dead,
        })
    }

    /// Deletes messages that ended, and memories of events that were handled, before a moment: at
    /// most `limit` of each. What was given up stays.
    pub async fn prune_queue(&self, before: OffsetDateTime, limit: i64) -> Result<u64, StoreError> {
        whole!(self.prune_queue_once(before, limit).await)
    }

    async fn prune_queue_once(
        &self,
        before: OffsetDateTime,
        limit: i64,
    ) -> Result<u64, StoreError> {
        let mut tx = self.transaction().await?;
        let messages = execute!(
            tx.link(),
            "delete from outbox where event_id in (select event_id from outbox \
             where finished_at < $1 and outcome <> 'dead' order by finished_at limit $2)",
            ts(before),
            limit,
        )?;
        let memories = execute!(
            tx.link(),
            "delete from inbox where (handler, event_id) in (select handler, event_id from inbox \
             where handled_at < $1 order by handled_at limit $2)",
            ts(before),
            limit,
        )?;
        tx.commit().await?;
        Ok(messages + memories)
    }
}
