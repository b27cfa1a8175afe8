#![doc = include_str!("../README.md")]

mod audio;
mod bleep;
mod boxes;
mod codes;
mod command;
mod config;
mod error;
mod extract;
mod gaps;
mod grid;
mod hls;
mod likeness;
mod media;
mod picture;
mod pipes;
mod probe;
mod pulse;
mod sampling;
mod sandbox;
mod serve;
mod sniff;
mod source;
mod strip;
mod timeline;
mod verdict;
mod video;
mod waveform;

pub use audio::AudioChunk;
pub use bleep::{Bleep, Cover};
pub use codes::Code;
pub use config::MediaConfig;
pub use error::MediaError;
pub use extract::{Extraction, Lost, Piece, Plan, StripFacts};
pub use hls::{Segment, Stream};
pub use media::Media;
pub use probe::Probe;
pub use sniff::{Container, sniff};
pub use source::Source;
pub use timeline::KeptFrame;

#[cfg(test)]
mod tests;
