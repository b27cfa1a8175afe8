//! From the outbox to the transport: the only sender.

use std::time::{Duration, Instant};

use shared_domain::OutboxId;
use shared_store::{StoreError, Unsent};
use tracing::warn;

use crate::Queue;
use crate::link::ANSWER;
use crate::sqs::LONGEST_DELAY;

/// Rows that one relay takes at a time.
const BATCH: i64 = 500;
/// Longer than anything waits.
const FOREVER: Duration = Duration::from_hours(24 * 365);

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
            let unsent = self.store.unsent_until(self.horizon(), BATCH).await?;
            let sent = self.announce(&unsent).await;
            if sent.is_empty() {
                return Ok(());
            }
            self.store.mark_sent(&sent).await?;
            // A request waits for its relay: of a long backlog the next relays take the rest.
            let is_remote = self.redis.is_some() || self.sqs.is_some();
            let enough = is_remote && begun.elapsed() > ANSWER;
            let whole = sent.len() == unsent.len()
                && sent.len() >= usize::try_from(BATCH).unwrap_or(usize::MAX);
            if enough || !whole {
                return Ok(());
            }
        }
    }

    /// Rows that are due later than this are not announced yet. Whoever hears of one from Redis asks
    /// the table when to come; a message of SQS waits as long as SQS keeps it back.
    fn horizon(&self) -> Duration {
        match self.sqs {
            Some(_) => LONGEST_DELAY,
            None => FOREVER,
        }
    }

    /// Relays are what finds out that Redis is back: readers look at the table meanwhile.
    async fn look_for_redis(&self) {
        if let Some(redis) = self.redis.as_ref().filter(|redis| redis.streams.is_away()) {
            // the link tells the log
            drop(redis.streams.probe().await);
        }
    }

    /// Which rows need not be announced again. Readers of this process are told of the others all the
    /// same: they look at the table as if there were no transport.
    async fn announce(&self, unsent: &[Unsent]) -> Vec<OutboxId> {
        let all = || unsent.iter().map(|row| row.event_id).collect();
        if unsent.is_empty() {
            return Vec::new();
        }
        if let Some(sqs) = &self.sqs {
            return sqs.announce(unsent, self.store.now()).await;
        }
        let announced = match &self.redis {
            Some(redis) => redis.streams.announce(unsent).await.is_ok(),
            None => false,
        };
        if !announced {
            for row in unsent {
                self.channel.ring(&row.stream);
            }
        }
        match announced || self.redis.is_none() {
            true => all(),
            false => Vec::new(),
        }
    }
}
