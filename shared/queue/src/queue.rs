//! The queue as hosts see it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared_domain::OutboxId;
use shared_store::{Claim, Claimant, Claimed, Store, StoreError};
use tracing::{error, warn};

use crate::looks::Looks;
use crate::sqs::Sqs;
use crate::stream::{Entry, Streams};
use crate::{Channel, Fault, RedisConfig, SqsConfig};

/// How long a claim holds without being renewed.
pub const LEASE: Duration = Duration::from_secs(30);
/// Starts that broke off (panic, time-out, death of the worker) before an event is given up.
pub const MAX_STRIKES: u32 = 5;
/// As `MAX_STRIKES` for the deaths of an embedded process: a laptop that is switched off ten times
/// in one long extraction says nothing about the video.
const EMBEDDED_DEATHS: u32 = 15;
/// Age at which an event is given up although its handler still says "later".
pub const PATIENCE: Duration = Duration::from_hours(24);

/// Reads and relays the outbox.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(crate) store: Store,
    pub(crate) channel: Channel,
    pub(crate) redis: Option<Arc<Redis>>,
    pub(crate) sqs: Option<Arc<Sqs>>,
    pub(crate) owner: String,
    pub(crate) lease: Duration,
}

/// The second transport, and what this process has read from it.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) streams: Streams,
    pub(crate) looks: Looks,
    /// The entry behind each claim of this process, by event and epoch.
    entries: Mutex<HashMap<(OutboxId, i64), String>>,
}

/// What carries the word that there is work, and whether it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// This process itself.
    Embedded,
    /// Redis, which answers.
    Redis,
    /// Redis, which does not; the queue goes on by the table.
    Away(Fault),
    /// SQS.
    Sqs,
}

impl Transport {
    /// The word of the health page.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Redis => "ok",
            Self::Away(_) => "failed",
            Self::Sqs => "sqs",
        }
    }

    /// Whether it can do its work.
    pub fn is_well(&self) -> bool {
        !matches!(self, Self::Away(_))
    }
}

impl Queue {
    /// A queue over the store's outbox, with the in-process channel as its transport.
    pub fn new(store: Store) -> Self {
        let owner = store.fresh::<OutboxId>().to_string();
        Self {
            store,
            channel: Channel::default(),
            redis: None,
            sqs: None,
            owner,
            lease: LEASE,
        }
    }

    /// The same queue with Redis as its transport. A server that is away is told in the log and
    /// joined later; one that refuses the credentials is an error, for no waiting mends them.
    pub async fn over_redis(self, config: &RedisConfig) -> Result<Self, Fault> {
        let streams = Streams::new(config, &self.owner)?;
        // The link tells the log of everything else.
        if let Err(fault @ Fault::Refused { .. }) = streams.probe().await {
            return Err(fault);
        }
        let redis = Redis {
            streams,
            looks: Looks::new(config.look),
            entries: Mutex::default(),
        };
        let redis = Some(Arc::new(redis));
        Ok(Self { redis, ..self })
    }

    /// The same queue with SQS as its transport: what is read from there is claimed by its id.
    #[must_use]
    pub fn over_sqs(self, config: &SqsConfig) -> Self {
        let sqs = Some(Arc::new(Sqs::new(config)));
        Self { sqs, ..self }
    }

    /// Whether an event that is given back is sent anew by the outbox, so that the message which
    /// brought it is spent.
    pub fn sends_anew(&self) -> bool {
        self.sqs.is_some()
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

    /// Asks the transport how it is; SQS is not asked, since a function may only send to it.
    pub async fn transport(&self) -> Transport {
        if self.sqs.is_some() {
            return Transport::Sqs;
        }
        let Some(redis) = &self.redis else {
            return Transport::Embedded;
        };
        match redis.streams.probe().await {
            Ok(()) => Transport::Redis,
            Err(fault) => Transport::Away(fault),
        }
    }

    /// Prolongs the lease of an event that is being worked on; false when it has gone to another
    /// worker or the work has ended.
    pub async fn renew(&self, claimed: &Claimed) -> Result<bool, StoreError> {
        let (event_id, epoch) = (claimed.event_id, claimed.epoch);
        let held = self.store.renew(event_id, epoch, self.lease).await?;
        if held && let Some((redis, entry)) = self.entry_of(claimed, Redis::entry) {
            // Unheard, another reader claims the entry and finds nothing to do.
            heard(redis.streams.hold(&claimed.stream, &entry).await);
        }
        Ok(held)
    }

    /// The work on an event has ended, however: its entry is deleted, and what it left behind is
    /// announced. A lost word costs time only.
    pub async fn over(&self, claimed: &Claimed) {
        if let Some((redis, entry)) = self.entry_of(claimed, Redis::forget) {
            heard(redis.streams.delete(&claimed.stream, &entry).await);
        }
        if self.redis.is_some() || self.sqs.is_some() {
            self.relay().await;
        }
    }

    /// No reader of this process reads on.
    pub async fn leave(&self) {
        let Some(redis) = &self.redis else { return };
        self.relay().await;
        for function in redis.looks.functions() {
            heard(redis.streams.leave(&function).await);
        }
    }

    /// Claims one event of a stream, which another transport brought by its id.
    pub async fn claim_event(&self, event_id: OutboxId, stream: &str) -> Result<Claim, StoreError> {
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
        let (event_id, epoch) = (claimed.event_id, claimed.epoch);
        self.store.bury(event_id, epoch, handler, reason).await?;
        self.mourn(claimed, reason).await;
        Ok(())
    }

    /// Tells of a burial that has been committed.
    pub(crate) async fn mourn(&self, buried: &Claimed, reason: &str) {
        let (handler, attempts) = (&buried.stream, buried.attempt);
        error!(event.id = %buried.event_id, handler, reason, "given up after {attempts} attempts");
        if let Some(redis) = &self.redis {
            heard(redis.streams.mourn(buried, reason).await);
        }
    }

    fn entry_of(
        &self,
        claimed: &Claimed,
        find: fn(&Redis, &Claimed) -> Option<String>,
    ) -> Option<(&Redis, String)> {
        let redis = self.redis.as_deref()?;
        Some((redis, find(redis, claimed)?))
    }
}

impl Redis {
    pub(crate) fn remember(&self, claimed: &Claimed, entry: Entry) {
        let key = (claimed.event_id, claimed.epoch);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.insert(key, entry.id);
    }

    fn entry(&self, claimed: &Claimed) -> Option<String> {
        let key = (claimed.event_id, claimed.epoch);
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(&key).cloned()
    }

    fn forget(&self, claimed: &Claimed) -> Option<String> {
        let key = (claimed.event_id, claimed.epoch);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&key)
    }
}

/// The link tells once that Redis is away; what else goes wrong with a hint is told here.
pub(crate) fn heard(said: Result<(), Fault>) {
    match said {
        Ok(()) | Err(Fault::Away { .. } | Fault::Forgotten { .. }) => {}
        Err(fault) => warn!("Redis was not told: {fault}"),
    }
}
