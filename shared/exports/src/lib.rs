#![doc = include_str!("../README.md")]

mod clean;
mod csv;
mod edl;
mod error;
mod fcp7;
mod fcpxml;
mod findings;
mod format;
mod lists;
mod mask;
mod otio;
mod pdf;
mod rate;
mod subtitles;
mod timecode;
mod timeline;
mod xml;

pub use error::ExportError;
pub use findings::{Sounding, soundings};
pub use format::{Export, Format};
pub use rate::FrameRate;
pub use timecode::Timecode;
pub use timeline::Timeline;

#[cfg(test)]
mod tests;
