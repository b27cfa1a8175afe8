#![doc = include_str!("../README.md")]

mod admit;
mod codes;
mod doubt;
mod error;
mod extract;
mod handler;
mod playback;
mod submit;

use shared_domain::{Reader, Task};
use shared_media::{Media, MediaConfig};
use shared_objects::{Objects, ObjectsConfig};
use shared_policy::Packs;
use shared_replicate::{Budget, Registry, RegistryConfig, Replicate, ReplicateConfig};
use shared_runtime::{Connected, Shared};
use shared_store::Store;
use tokio::sync::{Notify, Semaphore};
use url::Url;

pub use error::Error;
pub use handler::Input;

/// Function `frame-extract`.
#[derive(Debug)]
pub struct FrameExtract {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) media: Media,
    pub(crate) replicate: Replicate,
    pub(crate) registry: Registry,
    /// What is doubtful; only where a second model can be asked.
    pub(crate) packs: Option<Packs>,
    pub(crate) budget: Budget,
    pub(crate) public_url: Url,
    /// One decode at a time in a process: a second would only make both slower. Nobody waits for it
    /// in here; a video whose turn it is not comes again.
    pub(crate) decoding: Semaphore,
    /// One copy for review at a time, and none while a video is decoded.
    pub(crate) segmenting: Semaphore,
    /// A video is about to be decoded: the copy under way gives way.
    pub(crate) urgent: Notify,
}

/// `PUBLIC_URL`: where providers reach our webhooks.
fn public_url(reader: &Reader<'_>) -> Option<Url> {
    let text = reader.text_or("PUBLIC_URL", "http://127.0.0.1:8000");
    let url = text.parse::<Url>();
    if let Err(error) = &url {
        reader.problem("PUBLIC_URL", &error.to_string());
    }
    url.ok()
}

impl FrameExtract {
    /// Connects to the store, to storage and to the models; fails when ffmpeg is missing.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (objects, media, replicate, models, (budget, public_url)) = shared.read(|reader| {
            (
                ObjectsConfig::read(reader),
                MediaConfig::read(reader),
                ReplicateConfig::read(reader),
                RegistryConfig::read(reader),
                (Budget::read(reader), public_url(reader)),
            )
        })?;
        let replicate = Replicate::connect(replicate)?;
        let registry = Registry::connect(&replicate, models).await?;
        let packs = registry
            .find(Task::Context)
            .map(|_| Packs::built_in(|_| true));
        Ok(Self {
            store: shared.store,
            objects: Objects::connect(&objects),
            media: Media::connect(media)?,
            replicate,
            packs: packs.transpose()?,
            registry,
            budget,
            public_url: public_url.ok_or("PUBLIC_URL is no URL")?,
            decoding: Semaphore::new(1),
            segmenting: Semaphore::new(1),
            urgent: Notify::new(),
        })
    }
}

#[cfg(test)]
mod tests;
