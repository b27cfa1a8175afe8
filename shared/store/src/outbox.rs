//! The queue's side of the outbox: who works on which message, and what became of it.
//!
//! A claim counts the attempt and raises the epoch before any work starts. Every later word of that
//! worker names the epoch; once somebody else has claimed the row it changes nothing.
//!
//! Attempts are for waits and for people. What ends a message that nobody can finish are strikes:
//! starts that ended without the handler's own verdict. A handler that says "later" strikes nothing.

use std::time::Duration;

use serde_json::Value;
use shared_domain::OutboxId;
use time::OffsetDateTime;

use crate::dead_letters::Burial;
use crate::dialect::{change, rows};
use crate::retry::whole;
use crate::values::{Id, Maybe, Ts, id, text_without_nul, ts};
use crate::{Store, StoreError};

/// A message that this worker may work on until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The event, the same at every redelivery.
    pub event_id: OutboxId,
    /// The function that reads it.
    pub stream: String,
    /// The name of the fact.
    pub kind: String,
    /// The message.
    pub body: Value,
    /// W3C `traceparent` of the sender.
    pub trace: Option<String>,
    /// When it was sent, or revived.
    pub created_at: OffsetDateTime,
    /// This start, from 1.
    pub attempt: u32,
    /// Earlier starts that ended without a verdict.
    pub strikes: u32,
    /// Under which the worker speaks.
    pub epoch: i64,
}

/// What a claim came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A message to work on.
    Work(Claimed),
    /// A message that was given up instead of started once more, and why.
    Buried(Claimed, String),
}

/// How a failed attempt gives its message back.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// Not before.
    pub retry_at: OffsetDateTime,
    /// The whole chain of causes.
    pub error: &'a str,
    /// Whether the attempt ended without a verdict of its handler.
    pub strike: bool,
}

/// How work ended that needed no transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It had its effect.
    Done,
    /// There was nothing left to do.
    Stale,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stale => "stale",
        }
    }
}

/// A row as a claim answers it.
#[derive(sqlx::FromRow)]
pub(crate) struct ClaimedRow {
    #[sqlx(try_from = "Id")]
    event_id: OutboxId,
    stream: String,
    kind: String,
    #[sqlx(json)]
    body: Value,
    trace: Option<String>,
    #[sqlx(try_from = "Ts")]
    created_at: OffsetDateTime,
    attempts: i64,
    strikes: i64,
    lease_epoch: i64,
    last_error: Option<String>,
}

impl ClaimedRow {
    fn claimed(self) -> Claimed {
        Claimed {
            event_id: self.event_id,
            stream: self.stream,
            kind: self.kind,
            body: self.body,
            trace: self.trace,
            created_at: self.created_at,
            attempt: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            strikes: u32::try_from(self.strikes).unwrap_or(u32::MAX),
            epoch: self.lease_epoch,
        }
    }
}

impl Store {
    /// Takes the most urgent message of a stream that is due and free; committed on return.
    ///
    /// A message with `max_strikes` strikes is buried here, before it is started again: whoever
    /// started it may have died of it each time.
    pub async fn claim(
        &self,
        stream: &str,
        owner: &str,
        lease: Duration,
        max_strikes: u32,
    ) -> Result<Option<Claimed>, StoreError> {
        loop {
            match self.take(stream, owner, lease, max_strikes).await? {
                Some(Taken::Work(claimed)) => return Ok(Some(claimed)),
                Some(Taken::Buried(..)) => {}
                None => return Ok(None),
            }
        }
    }

    /// As `claim`, and tells of a burial instead of going on to the next message.
    pub async fn take(
        &self,
        stream: &str,
        owner: &str,
        lease: Duration,
        max_strikes: u32,
    ) -> Result<Option<Taken>, StoreError> {
        while let Some(row) = whole!(self.claim_any(stream, owner, lease).await)? {
            if let Some(taken) = self.accept(row, max_strikes).await? {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// Starts what was claimed, or buries what has too many strikes; `None` when it has gone to
    /// another worker meanwhile.
    pub(crate) async fn accept(
        &self,
        mut row: ClaimedRow,
        max_strikes: u32,
    ) -> Result<Option<Taken>, StoreError> {
        let strikes = row.strikes;
        if u32::try_from(strikes).unwrap_or(u32::MAX) < max_strikes {
            return Ok(Some(Taken::Work(row.claimed())));
        }
        let last = row.last_error.as_deref().unwrap_or("nothing was said");
        let error = format!("the work broke off {strikes} times; before: {last}");
        // this start never was
        row.attempts -= 1;
        let burial = Burial {
            handler: &row.stream,
            error: &error,
            attempts: Some(row.attempts),
        };
        match self.bury_row(row.event_id, row.lease_epoch, burial).await {
            Ok(()) => Ok(Some(Taken::Buried(row.claimed(), error))),
            Err(StoreError::Fenced) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn claim_any(
        &self,
        stream: &str,
        owner: &str,
        lease: Duration,
    ) -> Result<Option<ClaimedRow>, StoreError> {
        let mut db = self.writer().await?;
        let now = self.now();
        let link = db.link();
        let claim = link.claim_sql();
        let claimed = rows!(
            fetch_optional as ClaimedRow,
            link,
            claim,
            stream,
            ts(now),
            owner,
            ts(now + lease),
        )?;
        db.keep().await?;
        Ok(claimed)
    }

    /// Prolongs a lease; false when it has gone to another worker or the work has ended.
    pub async fn renew(
        &self,
        event_id: OutboxId,
        epoch: i64,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let held = change!(
            self,
            "update outbox set lease_until = $3 \
             where event_id = $1 and lease_epoch = $2 and finished_at is null",
            id(event_id),
            epoch,
            ts(self.now() + lease),
        )?;
        Ok(held == 1)
    }

    /// Gives a message back after a failed attempt, to be tried again at a later moment.
    pub async fn release(
        &self,
        event_id: OutboxId,
        epoch: i64,
        release: Release<'_>,
    ) -> Result<(), StoreError> {
        let held = change!(
            self,
            "update outbox set lease_owner = null, lease_until = null, sent_at = null, \
             due_at = $3, last_error = $4, strikes = strikes + $5 \
             where event_id = $1 and lease_epoch = $2 and finished_at is null",
            id(event_id),
            epoch,
            ts(release.retry_at),
            text_without_nul(release.error),
            i64::from(release.strike),
        )?;
        held_by_us(held)
    }

    /// Gives a message back at a graceful stop: the attempt does not count, and it is due at once.
    pub async fn give_back(&self, event_id: OutboxId, epoch: i64) -> Result<(), StoreError> {
        let held = change!(
            self,
            "update outbox set lease_owner = null, lease_until = null, sent_at = null, \
             attempts = attempts - 1 \
             where event_id = $1 and lease_epoch = $2 and finished_at is null",
            id(event_id),
            epoch,
        )?;
        held_by_us(held)
    }

    /// Ends every lease with a strike. Only for the start of an embedded system, when nobody else
    /// can be alive: whoever held them died.
    pub async fn give_back_all(&self) -> Result<u64, StoreError> {
        change!(
            self,
            "update outbox set lease_owner = null, lease_until = null, sent_at = null, \
             strikes = strikes + 1 \
             where finished_at is null and lease_until is not null"
        )
    }

    /// Ends a message whose answer needed no transaction; ending it twice changes nothing.
    pub async fn finish(
        &self,
        event_id: OutboxId,
        epoch: i64,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        change!(
            self,
            "update outbox set finished_at = $3, outcome = $4, lease_owner = null, \
             lease_until = null \
             where event_id = $1 and lease_epoch = $2 and finished_at is null",
            id(event_id),
            epoch,
            ts(self.now()),
            outcome.as_str(),
        )?;
        Ok(())
    }

    /// When the next message of a stream can be claimed; `None` when nothing waits.
    pub async fn next_due(&self, stream: &str) -> Result<Option<OffsetDateTime>, StoreError> {
        let (due,) = rows!(
            fetch_one as (Maybe<Ts>,),
            self.reader().await?.link(),
            "select min(case when lease_until > due_at then lease_until else due_at end) \
             from outbox where stream = $1 and finished_at is null",
            stream,
        )?;
        Ok(due.into())
    }
}

/// No row changed: the lease went to another worker, whose word counts.
pub(crate) fn held_by_us(rows: u64) -> Result<(), StoreError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreError::Fenced)
    }
}
