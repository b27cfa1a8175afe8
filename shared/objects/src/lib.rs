#![doc = include_str!("../README.md")]

mod api;
mod config;
mod error;
pub mod keys;
mod listing;
pub mod local;
mod mac;
mod multipart;
pub mod native;
pub mod notification;
mod playback;
mod presign;
pub mod purge;
mod transfer;

pub use config::ObjectsConfig;
pub use error::ObjectsError;
pub use listing::{ListedObject, Page};
pub use multipart::{OpenUpload, Part};
pub use playback::{Playback, PlaybackConfig};
pub use presign::Presigned;
pub use transfer::{ObjectHead, Objects};

#[cfg(test)]
mod tests;
