//! From the outbox to the transport: the only sender.

use std::time::Instant;

use shared_domain::OutboxId;
use shared_store::{StoreError, Unsent};
use tracing::warn;

use crate::Queue;
use crate::link::ANSWER;

/// Rows that one relay takes at a time.
const BATCH: i64 = 500;

impl Queue {
    /// Hands unsent rows to the transport: the only sender. Failing, it leaves them for the next.
    pub async fn relay(&self) {
        if let Err(error) = self.relay_once().await {
            warn!(%error, "the outbox was not relayed; the next relay takes it");
        }
    }

    async fn relay_once(&self) -> Result<(), StoreError> {
        let begun = Instant::now();
        self.look_for_redis().await;
        loop {
            let unsent = self.store.unsent(BATCH).await?;
            if unsent.is_empty() || !self.announce(&unsent).await {
                return Ok(());
            }
            let ids: Vec<OutboxId> = unsent.iter().map(|row| row.event_id).collect();
            self.store.mark_sent(&ids).await?;
            // A request waits for its relay: of a long backlog the workers' relays take the rest.
            let enough = self.redis.is_some() && begun.elapsed() > ANSWER;
            if enough || ids.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// Relays are what finds out that Redis is back: readers look at the table meanwhile.
    async fn look_for_redis(&self) {
        if let Some(redis) = self.redis.as_ref().filter(|redis| redis.streams.is_away()) {
            // the link tells the log
            drop(redis.streams.ping().await);
        }
    }

    /// False when the rows have to be announced again. Readers of this process are told then all
    /// the same: they look at the table as if there were no Redis.
    async fn announce(&self, unsent: &[Unsent]) -> bool {
        let announced = match &self.redis {
            Some(redis) => redis.streams.announce(unsent).await.is_ok(),
            None => false,
        };
        if !announced {
            for row in unsent {
                self.channel.ring(&row.stream);
            }
        }
        announced || self.redis.is_none()
    }
}
