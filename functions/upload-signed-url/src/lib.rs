#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod handler;
mod input;
mod parts;
mod version;

use shared_domain::Reader;
use shared_objects::{Objects, ObjectsConfig};
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use answer::{Answer, Created, Part, Upload};
pub use error::Error;
pub use input::Input;

/// The limits of an upload.
#[derive(Debug, Clone)]
pub struct Limits {
    /// `MAX_VIDEO_FILE_SIZE`, bytes.
    pub max_bytes: u64,
    /// `ALLOWED_VIDEO_FORMATS`, lower case without dots.
    pub formats: Vec<String>,
    /// `CORS_ALLOWED_ORIGINS`.
    pub origins: Vec<String>,
}

impl Limits {
    /// Reads the settings.
    pub fn read(reader: &Reader<'_>) -> Self {
        Self {
            max_bytes: reader.parse_or("MAX_VIDEO_FILE_SIZE", 2_147_483_648),
            formats: reader.list("ALLOWED_VIDEO_FORMATS", "mp4,avi,mov,mkv,webm"),
            origins: reader.list("CORS_ALLOWED_ORIGINS", ""),
        }
    }
}

/// Function `upload-signed-url`.
#[derive(Debug)]
pub struct UploadSignedUrl {
    pub(crate) store: Store,
    pub(crate) objects: Objects,
    pub(crate) limits: Limits,
}

impl UploadSignedUrl {
    /// Connects to the store and to storage.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (config, limits) =
            shared.read(|reader| (ObjectsConfig::read(reader), Limits::read(reader)))?;
        Ok(Self {
            store: shared.store,
            objects: Objects::connect(&config),
            limits,
        })
    }
}

#[cfg(test)]
mod tests;
