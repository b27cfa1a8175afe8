#![doc = include_str!("../README.md")]

mod answer;
mod close;
mod error;
mod file;
mod handler;
mod input;

use secrecy::SecretString;
use shared_domain::{Reader, Task};
use shared_policy::Packs;
use shared_replicate::signature;
use shared_replicate::{Registry, RegistryConfig, Replicate, ReplicateConfig};
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use error::Error;
pub use input::Input;

/// Function `replicate-webhook`.
#[derive(Debug)]
pub struct ReplicateWebhook {
    pub(crate) store: Store,
    pub(crate) replicate: Replicate,
    pub(crate) registry: Registry,
    /// What is doubtful; only where a second model can be asked.
    pub(crate) packs: Option<Packs>,
    pub(crate) secrets: Vec<SecretString>,
}

/// `REPLICATE_WEBHOOK_SECRET`: several while one takes the place of another, separated by commas.
fn secrets(reader: &Reader<'_>) -> Vec<SecretString> {
    let texts = reader.list("REPLICATE_WEBHOOK_SECRET", "");
    let secrets: Vec<SecretString> = texts.into_iter().map(Into::into).collect();
    for (number, secret) in (1..).zip(&secrets) {
        if let Err(error) = signature::check_secret(secret) {
            reader.problem(
                "REPLICATE_WEBHOOK_SECRET",
                &format!("number {number}: {error}"),
            );
        }
    }
    secrets
}

impl ReplicateWebhook {
    /// Connects to the store; asks the provider for the webhook secret when it is not set.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (config, models, secrets) = shared.read(|reader| {
            let secrets = secrets(reader);
            (
                ReplicateConfig::read(reader),
                RegistryConfig::read(reader),
                secrets,
            )
        })?;
        let replicate = Replicate::connect(config)?;
        let registry = Registry::connect(&replicate, models).await?;
        let packs = registry
            .find(Task::Context)
            .map(|_| Packs::built_in(|_| true));
        let secrets = match secrets.is_empty() {
            true => vec![replicate.webhook_secret().await?],
            false => secrets,
        };
        Ok(Self {
            store: shared.store,
            replicate,
            packs: packs.transpose()?,
            registry,
            secrets,
        })
    }
}

#[cfg(test)]
mod tests;
