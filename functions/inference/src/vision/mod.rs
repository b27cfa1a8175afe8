//! Looking at pictures: nudity, common objects, words on the screen, and any classifier that the
//! user brings.

mod custom;
mod error;
mod labels;
mod net;
mod nudity;
mod objects;
mod picture;
mod text;

pub use custom::OnnxClassifier;
pub use error::VisionError;
pub use nudity::OpenNsfw;
pub use objects::CenterNet;
pub use text::{NO_RUSSIAN, ScreenText};

use crate::weights::{Folder, Manifest, WeightsError};

/// Fails with the first of these files that is not in the folder.
fn require(folder: &Folder, files: &[&str]) -> Result<(), WeightsError> {
    let missing = folder.missing(&Manifest::default_set());
    match missing.iter().find(|stored| files.contains(&stored.path)) {
        None => Ok(()),
        Some(stored) => Err(WeightsError::Missing {
            file: stored.path.to_owned(),
            folder: folder.dir().to_owned(),
        }),
    }
}

#[cfg(test)]
pub(crate) mod tests;
