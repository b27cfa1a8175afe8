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

#[cfg(test)]
pub(crate) mod tests;
