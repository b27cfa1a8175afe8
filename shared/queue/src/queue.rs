//! The queue as hosts see it.

use std::time::Duration;

use shared_domain::OutboxId;
use shared_store::{Claim, Claimant, Claimed, Store, StoreError};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::Channel;

/// How long a claim holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(30);
/// Starts that broke off (panic, time-out, death of the worker) before an event is given up.
pub const MAX_STRIKES: u32 = 5;
/// As `MAX_STRIKES` for the deaths of an embedded process: a laptop that is switched off ten times
/// in one long extraction says nothing about the video.
const EMBEDDED_DEATHS: u32 = 15;
/// Age at which an event is given up although its handler still says "later".
pub const PATIENCE: Duration = Duration::from_hours(24);

/// A look at the table that nobody asked for: finds what a lost wake-up left.
const LOOK: Duration = Duration::from_secs(1);
/// Rows that one relay takes.
const BATCH: i64 = 500;

/// Reads and relays the outbox.
#[derive(Debug, Clone)]
pub struct Queue {
    store: Store,
    channel: Channel,
    owner: String,
    lease: Duration,
}

impl Queue {
    /// A queue over the store's outbox, with the in-process channel as its transport.
    pub fn new(store: Store) -> Self {
        let owner = store.fresh::<OutboxId>().to_string();
        Self {
            store,
            channel: Channel::default(),
            owner,
            lease: LEASE,
        }
    }

    /// The same queue with claims that hold for another time.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// How long a claim holds without being renewed.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// The store behind it.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How long unfinished work may run on after the stop; then its lease is given back. At an
    /// embedded process a person waits for the prompt.
    pub fn grace(&self) -> Duration {
        if self.store.is_embedded() {
            self.lease / 6
        } else {
            self.lease * 2 / 3
        }
    }

    /// Strikes with which an event is not started again.
    pub fn deaths(&self) -> u32 {
        if self.store.is_embedded() {
            EMBEDDED_DEATHS
        } else {
            MAX_STRIKES
        }
    }

    /// Hands unsent rows to the transport: the only sender. Failing, it leaves them for the next.
    pub async fn relay(&self) {
        if let Err(error) = self.relay_once().await {
            warn!(%error, "the outbox was not relayed; the next relay takes it");
        }
    }

    async fn relay_once(&self) -> Result<(), StoreError> {
        loop {
            let unsent = self.store.unsent(BATCH).await?;
            for (_, stream) in &unsent {
                self.channel.ring(stream);
            }
            let ids: Vec<OutboxId> = unsent.iter().map(|(id, _)| *id).collect();
            if !ids.is_empty() {
                self.store.mark_sent(&ids).await?;
            }
            if ids.len() < usize::try_from(BATCH).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// The next event of a stream, claimed; `None` once `stop` is cancelled.
    pub async fn next(&self, stream: &str, stop: &CancellationToken) -> Option<Claimed> {
        let bell = self.channel.bell(stream);
        while !stop.is_cancelled() {
            match self
                .store
                .claim(stream, &self.owner, self.lease, self.deaths())
                .await
            {
                Ok(Some(claimed)) => {
                    // A bell rings once for many rows: pass it on before working.
                    self.channel.ring(stream);
                    return Some(claimed);
                }
                Ok(None) => {}
                Err(error) => error!(%error, stream, "the queue cannot be read; trying again"),
            }
            tokio::select! {
                () = bell.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
        }
        None
    }

    /// Claims one event of a stream, which another transport brought by its id.
    pub async fn take(&self, event_id: OutboxId, stream: &str) -> Result<Claim, StoreError> {
        let claimant = Claimant {
            stream,
            owner: &self.owner,
            lease: self.lease,
            max_strikes: self.deaths(),
        };
        self.store.claim_event(event_id, claimant).await
    }

    /// Gives an event up: a dead letter that can be read and retried.
    pub async fn bury(
        &self,
        claimed: &Claimed,
        handler: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        error!(event.id = %claimed.event_id, handler, reason, "given up after {} attempts", claimed.attempt);
        self.store
            .bury(claimed.event_id, claimed.epoch, handler, reason)
            .await
    }
}
