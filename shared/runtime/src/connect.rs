//! The only place that picks implementations: which database, which transport.

use shared_domain::{Reader, Settings, SettingsError};
use shared_queue::{Fault, Queue, RedisConfig, SqsConfig};
use shared_store::{Store, StoreConfig, StoreError};
use tokio_util::sync::CancellationToken;

use crate::otlp;

/// What every function of a process shares.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The settings that everything was built from.
    pub settings: Settings,
    /// The record.
    pub store: Store,
    /// The transport of the outbox.
    pub queue: Queue,
    /// Cancelled when the process is to end: no new work, and endless answers end.
    pub stop: CancellationToken,
}

/// The process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Settings are missing or malformed; all of them are listed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database does not answer or has another schema.
    #[error("the database cannot be opened")]
    Store(#[from] StoreError),
    /// Redis refuses the credentials. One that is away keeps nobody from starting.
    #[error("the queue cannot be joined")]
    Queue(#[from] Fault),
}

/// Opens the store that the settings name.
pub async fn store(settings: &Settings) -> Result<Store, ConnectError> {
    let reader = settings.reader();
    let config = StoreConfig::read(&reader);
    reader.finish()?;
    Ok(Store::connect(config).await?)
}

impl Shared {
    /// Opens store and queue.
    pub async fn connect(settings: Settings) -> Result<Self, ConnectError> {
        let reader = settings.reader();
        let (redis, sqs) = (RedisConfig::read(&reader), SqsConfig::read(&reader));
        let store = StoreConfig::read(&reader);
        // Read before, when nothing could be said of it.
        otlp::endpoint(&reader);
        reader.finish()?;
        let store = Store::connect(store).await?;
        let mut queue = Queue::new(store.clone());
        if let Some(redis) = redis {
            queue = queue.over_redis(&redis).await?;
        }
        if let Some(sqs) = sqs {
            queue = queue.over_sqs(&sqs);
        }
        Ok(Self {
            settings,
            store,
            queue,
            stop: CancellationToken::new(),
        })
    }

    /// Reads a function's own settings; every fault is reported at once.
    pub fn read<T>(&self, read: impl FnOnce(&Reader<'_>) -> T) -> Result<T, SettingsError> {
        let reader = self.settings.reader();
        let value = read(&reader);
        reader.finish()?;
        Ok(value)
    }
}
