#![doc = include_str!("../README.md")]

mod coverage;
mod error;
mod frames;
mod handler;
mod input;
mod versions;
mod write;

use shared_objects::{Objects, ObjectsConfig};
use shared_policy::{Dictionaries, Pack, PolicyConfig};
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use error::Error;

/// Function `report-finalize`.
#[derive(Debug)]
pub struct ReportFinalize {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) pack: Pack,
    pub(crate) dictionaries: Dictionaries,
}

impl ReportFinalize {
    /// Connects to the store and to storage; compiles the dictionaries and the policy.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (objects, policy) =
            shared.read(|reader| (ObjectsConfig::read(reader), PolicyConfig::read(reader)))?;
        let dictionaries = Dictionaries::connect(&policy)?;
        let pack = Pack::general(|name| dictionaries.find(name).is_some())?;
        Ok(Self {
            store: shared.store,
            objects: Objects::connect(&objects),
            pack,
            dictionaries,
        })
    }
}

#[cfg(test)]
mod tests;
