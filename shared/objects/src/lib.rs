#![doc = include_str!("../README.md")]

mod config;
mod error;
pub mod keys;
mod listing;
pub mod local;
mod multipart;
pub mod native;
pub mod notification;
mod presign;
mod transfer;

pub use config::ObjectsConfig;
pub use error::ObjectsError;
pub use listing::{ListedObject, Page};
pub use multipart::{OpenUpload, Part};
pub use presign::Presigned;
pub use transfer::{ObjectHead, Objects};

#[cfg(test)]
mod tests;
