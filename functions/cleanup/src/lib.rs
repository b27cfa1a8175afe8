#![doc = include_str!("../README.md")]

mod answers;
mod arrivals;
mod erase;
mod error;
mod handler;
mod lane;
mod letters;
mod purges;
mod stranded;
mod strays;
mod sweep;

use std::time::Duration;

use shared_domain::Reader;
use shared_objects::purge::{Purge, PurgeConfig};
use shared_objects::{Objects, ObjectsConfig};
use shared_replicate::{Budget, Replicate, ReplicateConfig, deadline};
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use error::Error;

/// Waits before a duty acts.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// `POLL_AFTER` (s): a webhook this late is taken for lost.
    pub webhook: Duration,
    /// `ARRIVAL_AFTER` (s): an upload this old is looked for.
    pub arrival: Duration,
    /// `REPLICATE_TIMEOUT` (s): a hosted prediction this old is cancelled.
    pub deadline: Duration,
}

impl Waits {
    /// Reads the settings.
    pub fn read(reader: &Reader<'_>) -> Self {
        Self {
            webhook: Duration::from_secs(reader.parse_or("POLL_AFTER", 60)),
            arrival: Duration::from_secs(reader.parse_or("ARRIVAL_AFTER", 120)),
            deadline: deadline(reader),
        }
    }
}

/// Function `cleanup`.
#[derive(Debug)]
pub struct Cleanup {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    /// `None` where no cache stands before storage.
    pub(crate) purge: Option<Purge>,
    pub(crate) replicate: Replicate,
    pub(crate) waits: Waits,
    pub(crate) budget: Budget,
}

impl Cleanup {
    /// Connects to the store, to storage, to its cache and to the provider.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let ((objects, purge), replicate, waits, budget) = shared.read(|reader| {
            (
                (ObjectsConfig::read(reader), PurgeConfig::read(reader)),
                ReplicateConfig::read(reader),
                Waits::read(reader),
                Budget::read(reader),
            )
        })?;
        let purge = purge.map(|purge| Purge::connect(&purge, &objects));
        let objects = Objects::connect(&objects);
        let replicate = Replicate::connect(replicate)?;
        Ok(Self {
            store: shared.store,
            objects,
            purge: purge.transpose()?,
            replicate,
            waits,
            budget,
        })
    }
}

#[cfg(test)]
mod tests;
