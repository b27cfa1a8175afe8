#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod handler;
mod input;

use secrecy::SecretString;
use shared_replicate::{Registry, RegistryConfig, Replicate, ReplicateConfig};
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use error::Error;
pub use input::Input;

/// Function `replicate-webhook`.
#[derive(Debug)]
pub struct ReplicateWebhook {
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) secrets: Vec<SecretString>,
}

impl ReplicateWebhook {
    /// Connects to the store; asks the provider for the webhook secret when it is not set.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (config, models, secrets) = shared.read(|reader| {
            let secrets = reader.list("REPLICATE_WEBHOOK_SECRET", "");
            (
                ReplicateConfig::read(reader),
                RegistryConfig::read(reader),
                secrets,
            )
        })?;
        let replicate = Replicate::connect(config)?;
        let registry = Registry::connect(&replicate, models).await?;
        let secrets = match secrets.is_empty() {
            true => vec![replicate.webhook_secret().await?],
            false => secrets.into_iter().map(Into::into).collect(),
        };
        Ok(Self {
            store: shared.store,
            registry,
            secrets,
        })
    }
}

#[cfg(test)]
mod tests;
