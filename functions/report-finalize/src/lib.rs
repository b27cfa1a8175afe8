#![doc = include_str!("../README.md")]

mod coverage;
mod error;
mod frames;
mod handler;
mod input;
mod packs;
mod rescore;
mod versions;
mod write;

use shared_objects::{Objects, ObjectsConfig};
use shared_policy::{Dictionaries, Packs, PolicyConfig};
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use error::Error;
pub use rescore::{Judgement, Rescored};

/// Function `report-finalize`.
#[derive(Debug)]
pub struct ReportFinalize {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    /// Those that come with the program.
    pub(crate) built_in: Packs,
    pub(crate) dictionaries: Dictionaries,
}

impl ReportFinalize {
    /// Connects to the store and to storage; compiles the dictionaries and the packs.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (objects, policy) =
            shared.read(|reader| (ObjectsConfig::read(reader), PolicyConfig::read(reader)))?;
        let dictionaries = Dictionaries::connect(&policy)?;
        let built_in = Packs::built_in(|name| dictionaries.find(name).is_some())?;
        Ok(Self {
            store: shared.store,
            objects: Objects::connect(&objects),
            built_in,
            dictionaries,
        })
    }
}

#[cfg(test)]
mod tests;
