//! Events that were given up: visible, and retried when a person says so.

use shared_domain::OutboxId;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::dialect::{change, execute, rows};
use crate::outbox::held_by_us;
use crate::retry::whole;
use crate::values::{Id, Ts, id, text_without_nul, ts};
use crate::{Store, StoreError};

/// An event that was given up.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DeadLetter {
    /// Key.
    #[sqlx(try_from = "Id")]
    pub dead_letter_id: Uuid,
    /// The function that gave up.
    pub handler: String,
    /// The event, as its sender names it.
    pub event_id: String,
    /// The name of the fact or of the door.
    pub kind: String,
    /// As it came; need not be JSON.
    pub body: String,
    /// The whole chain of causes.
    pub error: String,
    /// Starts before it was given up.
    pub attempts: i64,
    /// When it was given up.
    #[sqlx(try_from = "Ts")]
    pub created_at: OffsetDateTime,
}

/// An event that came through a door, not through the outbox.
#[derive(Debug, Clone, Copy)]
pub struct DeadEvent<'a> {
    /// The function that gives up.
    pub handler: &'a str,
    /// As the sender names it.
    pub event_id: &'a str,
    /// The name of the door.
    pub kind: &'a str,
    /// As it came.
    pub body: &'a str,
    /// The whole chain of causes.
    pub error: &'a str,
}

/// Why a message of the outbox is given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Burial<'a> {
    pub(crate) handler: &'a str,
    pub(crate) error: &'a str,
    /// Where the row counts a start that never was.
    pub(crate) attempts: Option<i64>,
}

impl Store {
    /// Gives a message up. Fails with `Fenced` when another worker has claimed it since.
    pub async fn bury(
        &self,
        event_id: OutboxId,
        epoch: i64,
        handler: &str,
        error: &str,
    ) -> Result<(), StoreError> {
        self.bury_row(
            event_id,
            epoch,
            Burial {
                handler,
                error,
                attempts: None,
            },
        )
        .await
    }

    pub(crate) async fn bury_row(
        &self,
        event_id: OutboxId,
        epoch: i64,
        burial: Burial<'_>,
    ) -> Result<(), StoreError> {
        whole!(self.bury_row_once(event_id, epoch, burial).await)
    }

    async fn bury_row_once(
        &self,
        event_id: OutboxId,
        epoch: i64,
        burial: Burial<'_>,
    ) -> Result<(), StoreError> {
        let mut tx = self.transaction().await?;
        let (now, error) = (ts(tx.now()), text_without_nul(burial.error));
        let held = execute!(
            tx.link(),
            "update outbox set finished_at = $3, outcome = 'dead', last_error = $4, \
             attempts = coalesce($5, attempts), lease_owner = null, lease_until = null \
             where event_id = $1 and lease_epoch = $2 and finished_at is null",
            id(event_id),
            epoch,
            now,
            error.as_str(),
            burial.attempts,
        )?;
        held_by_us(held)?;
        execute!(
            tx.link(),
            "insert into dead_letters \
             (dead_letter_id, handler, event_id, kind, body, error, attempts, created_at) \
             select $1, $2, cast(event_id as text), kind, cast(body as text), $3, attempts, $4 \
             from outbox where event_id = $5 \
             on conflict (handler, event_id) do update set \
             error = excluded.error, attempts = excluded.attempts, created_at = excluded.created_at, \
             told_at = null",
            id(self.fresh::<Uuid>()),
            burial.handler,
            &error,
            now,
            id(event_id),
        )?;
        tx.commit().await
    }

    /// Gives up an event that came through a door; its sender has to repeat it.
    pub async fn bury_event(&self, event: DeadEvent<'_>) -> Result<(), StoreError> {
        change!(
            self,
            "insert into dead_letters \
             (dead_letter_id, handler, event_id, kind, body, error, attempts, created_at) \
             values ($1, $2, $3, $4, $5, $6, 1, $7) \
             on conflict (handler, event_id) do update set body = excluded.body, \
             error = excluded.error, attempts = dead_letters.attempts + 1, \
             created_at = excluded.created_at, told_at = null",
            id(self.fresh::<Uuid>()),
            event.handler,
            event.event_id,
            event.kind,
            text_without_nul(event.body),
            text_without_nul(event.error),
            ts(self.now()),
        )?;
        Ok(())
    }

    /// What was given up, the latest first.
    pub async fn dead_letters(&self, limit: i64) -> Result<Vec<DeadLetter>, StoreError> {
        rows!(
            fetch_all as DeadLetter,
            self.reader().await?.link(),
            "select dead_letter_id, handler, event_id, kind, body, error, attempts, created_at \
             from dead_letters order by created_at desc, dead_letter_id desc limit $1",
            limit,
        )
    }

    /// What was given up and nobody has been told of, the oldest first.
    pub async fn untold_dead_letters(&self, limit: i64) -> Result<Vec<DeadLetter>, StoreError> {
        rows!(
            fetch_all as DeadLetter,
            self.reader().await?.link(),
            "select dead_letter_id, handler, event_id, kind, body, error, attempts, created_at \
             from dead_letters where told_at is null order by created_at, dead_letter_id limit $1",
            limit,
        )
    }

    /// Whoever waited for it has been told.
    pub async fn mark_told(&self, dead_letter_id: Uuid) -> Result<(), StoreError> {
        change!(
            self,
            "update dead_letters set told_at = $2 where dead_letter_id = $1",
            id(dead_letter_id),
            ts(self.now()),
        )?;
        Ok(())
    }

    /// Lets a given-up message start again as if it had just been sent.
    ///
    /// Fails with `NotFound` when there is no such entry, and with `NotRepeatable` when its event came
    /// through a door, where only the sender can repeat it.
    pub async fn retry_dead(&self, dead_letter_id: Uuid) -> Result<(), StoreError> {
        whole!(self.retry_dead_once(dead_letter_id).await)
    }

    async fn retry_dead_once(&self, dead_letter_id: Uuid) -> Result<(), StoreError> {
        let mut tx = self.transaction().await?;
        let now = ts(tx.now());
        let buried = rows!(
            fetch_optional as (String,),
            tx.link(),
            "delete from dead_letters where dead_letter_id = $1 returning event_id",
            id(dead_letter_id),
        )?;
        let Some((event_id,)) = buried else {
            return Err(StoreError::missing("dead letter", dead_letter_id));
        };
        let revived = execute!(
            tx.link(),
            "update outbox set finished_at = null, outcome = null, attempts = 0, strikes = 0, created_at = $2, due_at = $2, \
             sent_at = null, lease_owner = null, lease_until = null \
             where cast(event_id as text) = $1 and outcome = 'dead'",
            &event_id,
            now,
        )?;
        if revived == 0 {
            return Err(StoreError::NotRepeatable { event_id });
        }
        tx.commit().await
    }
}
