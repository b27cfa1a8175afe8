#![doc = include_str!("../README.md")]

mod error;
mod handler;
mod input;

use secrecy::SecretString;
use shared_domain::Reader;
use shared_objects::{Objects, ObjectsConfig};
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use error::Error;
pub use input::Input;

/// What decides whether an object is accepted.
#[derive(Debug, Clone)]
pub struct Rules {
    /// `B2_NOTIFICATION_SECRET`; two, comma-separated, while one replaces the other.
    pub secrets: Vec<SecretString>,
    /// `CORS_ALLOWED_ORIGINS`.
    pub origins: Vec<String>,
}

impl Rules {
    /// Reads the settings.
    pub fn read(reader: &Reader<'_>) -> Self {
        let secrets = reader
            .list("B2_NOTIFICATION_SECRET", "")
            .into_iter()
            .map(Into::into)
            .collect();
        Self {
            secrets,
            origins: reader.list("CORS_ALLOWED_ORIGINS", ""),
        }
    }
}

/// Function `on-upload`.
#[derive(Debug)]
pub struct OnUpload {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) rules: Rules,
}

impl OnUpload {
    /// Connects to the store and to storage.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (config, rules) =
            shared.read(|reader| (ObjectsConfig::read(reader), Rules::read(reader)))?;
        Ok(Self {
            store: shared.store,
            objects: Objects::connect(&config),
            rules,
        })
    }
}

#[cfg(test)]
mod tests;
