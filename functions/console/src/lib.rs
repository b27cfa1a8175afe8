#![doc = include_str!("../README.md")]

mod auth;
mod doors;
mod error;
mod health;
mod page;
pub mod password;
mod playback;
mod progress;
mod report;
mod throttle;
mod videos;
mod words;

use std::sync::Arc;

use axum::Router;
use http::Uri;
use serde::Serialize;
use shared_domain::{Reader, VideoId};
use shared_objects::{Objects, ObjectsConfig, Playback, PlaybackConfig};
use shared_replicate::{Replicate, ReplicateConfig};
use shared_runtime::hosts::observed;
use shared_runtime::{Connected, Shared, about};
use shared_store::{Store, User, Video};
use tokio_util::sync::CancellationToken;

use error::Error;
use throttle::Throttle;

/// The console's own settings.
#[derive(Debug, Clone)]
pub struct ConsoleConfig {
    /// `CORS_ALLOWED_ORIGINS`.
    pub origins: Vec<String>,
    /// `ALLOWED_HOSTS`: names under which this server answers; guards against DNS rebinding.
    pub hosts: Vec<String>,
    /// Where browsers reach storage: pages may connect there.
    pub storage: String,
    /// What a person is told before an upload; the doors that refuse read the same settings.
    pub limits: Limits,
    /// Cookies are marked `Secure`: `PUBLIC_URL` is https.
    pub secure: bool,
}

/// What may be uploaded, and where it goes.
#[derive(Debug, Clone, Serialize)]
pub struct Limits {
    /// `MAX_VIDEO_FILE_SIZE`.
    pub max_bytes: u64,
    /// `MAX_VIDEO_DURATION`.
    pub max_seconds: u64,
    /// `ALLOWED_VIDEO_FORMATS`.
    pub formats: Vec<String>,
    /// Storage and models are on this machine: nothing leaves it.
    pub local: bool,
}

impl Limits {
    fn read(reader: &Reader<'_>) -> Self {
        let is_here = |name: &str| {
            let url: Option<Uri> = reader.find(name).and_then(|url| url.parse().ok());
            let host = url.as_ref().and_then(Uri::host).unwrap_or_default();
            ["127.0.0.1", "localhost", "[::1]"].contains(&host)
        };
        Self {
            max_bytes: reader.parse_or("MAX_VIDEO_FILE_SIZE", 2_147_483_648),
            max_seconds: reader.parse_or("MAX_VIDEO_DURATION", 7200),
            formats: reader.list("ALLOWED_VIDEO_FORMATS", "mp4,avi,mov,mkv,webm"),
            local: is_here("BACKBLAZE_ENDPOINT_URL") && is_here("REPLICATE_API_BASE_URL"),
        }
    }
}

impl ConsoleConfig {
    /// Reads the settings.
    pub fn read(reader: &Reader<'_>) -> Self {
        Self {
            origins: reader.list("CORS_ALLOWED_ORIGINS", ""),
            hosts: reader.list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]"),
            storage: reader.text_or("BACKBLAZE_ENDPOINT_URL", ""),
            limits: Limits::read(reader),
            secure: reader.text_or("PUBLIC_URL", "").starts_with("https:"),
        }
    }
}

/// Function `console`.
#[derive(Debug, Clone)]
pub struct Console(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) playback: Playback,
    pub(crate) replicate: Replicate,
    pub(crate) config: ConsoleConfig,
    pub(crate) logins: Throttle,
    pub(crate) stop: CancellationToken,
    pub(crate) shared: Shared,
}

impl Inner {
    /// A video that the caller may see; to others it is not there.
    pub(crate) async fn video(&self, user: &User, id: VideoId) -> Result<Video, Error> {
        let video = self.store.video_visible_to(user, id).await?;
        about(id);
        video.ok_or(Error::NotFound)
    }
}

impl Console {
    /// Connects to the store, to storage and to the provider.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (objects, playback, replicate, config) = shared.read(|reader| {
            (
                ObjectsConfig::read(reader),
                PlaybackConfig::read(reader),
                ReplicateConfig::read(reader),
                ConsoleConfig::read(reader),
            )
        })?;
        let objects = Objects::connect(&objects);
        Ok(Self(Arc::new(Inner {
            store: shared.store.clone(),
            playback: Playback::new(objects.clone(), playback),
            objects,
            replicate: Replicate::connect(replicate)?,
            config,
            logins: Throttle::default(),
            stop: shared.stop.clone(),
            shared,
        })))
    }

    /// Every door.
    pub fn router(&self) -> Router {
        observed(doors::router(self.0.clone()), "console")
    }
}

#[cfg(test)]
mod tests;
