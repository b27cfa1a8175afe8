//! A transaction: every effect of one delivery, and what it sends, or nothing.

use serde_json::Value;
use shared_domain::{Delivery, Message, OutboxId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::dialect::{Link, Open, bulk, execute};
use crate::values::{Json, id, ts};
use crate::{Store, StoreError};

/// An open transaction. Dropped without `commit` it leaves nothing behind.
///
/// On SQLite it holds the only writing connection: call no writing method of `Store` while it is
/// open, and do nothing slow.
#[derive(Debug)]
pub struct Tx {
    pub(crate) store: Store,
    open: Open,
    trace: Option<String>,
}

/// A message that is about to be written down.
struct Letter {
    event_id: OutboxId,
    body: Value,
}

impl Store {
    /// Opens the transaction that answers a delivery.
    ///
    /// Fails with `AlreadyHandled` when an earlier delivery of the event was answered, and with
    /// `Fenced` when another worker has claimed it since.
    pub async fn begin(&self, delivery: &Delivery) -> Result<Tx, StoreError> {
        let mut tx = self.open(delivery.trace.clone()).await?;
        let fresh = execute!(
            tx.link(),
            "insert into inbox (handler, event_id, handled_at) values ($1, $2, $3) \
             on conflict (handler, event_id) do nothing",
            delivery.handler,
            &delivery.event_id,
            ts(self.now()),
        )?;
        if fresh == 0 {
            return Err(StoreError::AlreadyHandled);
        }
        if let Some((event_id, epoch)) = delivery.lease {
            let held = execute!(
                tx.link(),
                "update outbox set finished_at = $3, outcome = 'done', lease_owner = null, \
                 lease_until = null \
                 where event_id = $1 and lease_epoch = $2 and finished_at is null",
                id(event_id),
                epoch,
                ts(self.now()),
            )?;
            if held == 0 {
                return Err(StoreError::Fenced);
            }
        }
        Ok(tx)
    }

    /// Opens an earlier transaction of the same delivery: an intent before a call, a result that
    /// must not be lost. Fails with `Fenced`; the event stays unanswered.
    pub async fn begin_step(&self, delivery: &Delivery) -> Result<Tx, StoreError> {
        let mut tx = self.open(delivery.trace.clone()).await?;
        if let Some((event_id, epoch)) = delivery.lease {
            // a write, so that the row stays locked and nobody can claim it before the commit
            let held = execute!(
                tx.link(),
                "update outbox set lease_epoch = lease_epoch \
                 where event_id = $1 and lease_epoch = $2 and finished_at is null",
                id(event_id),
                epoch,
            )?;
            if held == 0 {
                return Err(StoreError::Fenced);
            }
        }
        Ok(tx)
    }

    /// Opens a transaction that answers no event: requests and sweeps.
    pub async fn transaction(&self) -> Result<Tx, StoreError> {
        self.open(None).await
    }

    async fn open(&self, trace: Option<String>) -> Result<Tx, StoreError> {
        let open = self.pools.begin().await?;
        Ok(Tx {
            store: self.clone(),
            open,
            trace,
        })
    }
}

impl Tx {
    /// Makes everything true at once.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.open.commit().await?)
    }

    /// Sends a message when the transaction commits.
    pub async fn send<M: Message>(&mut self, message: &M) -> Result<OutboxId, StoreError> {
        let now = self.now();
        self.send_later(message, now).await
    }

    /// Sends a message that is not due before a moment.
    pub async fn send_later<M: Message>(
        &mut self,
        message: &M,
        due_at: OffsetDateTime,
    ) -> Result<OutboxId, StoreError> {
        let letter = self.letter(message)?;
        let event_id = letter.event_id;
        self.post::<M>(&[letter], due_at).await?;
        Ok(event_id)
    }

    /// Sends many messages of one kind.
    pub async fn send_all<M: Message>(&mut self, messages: &[M]) -> Result<(), StoreError> {
        let letters: Vec<Letter> = messages
            .iter()
            .map(|message| self.letter(message))
            .collect::<Result<_, _>>()?;
        let now = self.now();
        self.post::<M>(&letters, now).await
    }

    fn letter<M: Message>(&self, message: &M) -> Result<Letter, StoreError> {
        let body = serde_json::to_value(message).map_err(|source| StoreError::Unstorable {
            what: M::KIND,
            source,
        })?;
        Ok(Letter {
            event_id: self.fresh(),
            body,
        })
    }

    async fn post<M: Message>(
        &mut self,
        letters: &[Letter],
        due_at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let (now, trace) = (self.now(), self.trace.clone());
        bulk!(
            self.link(),
            "insert into outbox (event_id, stream, kind, body, trace, priority, created_at, due_at) ",
            letters,
            |letter| [
                id(letter.event_id),
                M::STREAM,
                M::KIND,
                Json(&letter.body),
                trace.as_deref(),
                i64::from(M::PRIORITY),
                ts(now),
                ts(due_at),
            ],
            ""
        )?;
        Ok(())
    }

    pub(crate) fn link(&mut self) -> Link<'_> {
        self.open.link()
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.store.now()
    }

    pub(crate) fn fresh<T: From<Uuid>>(&self) -> T {
        self.store.fresh()
    }
}
