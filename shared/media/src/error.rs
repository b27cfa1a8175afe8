//! What can go wrong, and whose fault it is: `Refused` is the file's, everything else is not.

use std::io;

use shared_domain::Refusal;

/// Why a video was not probed or extracted.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The file itself cannot be checked; trying again changes nothing.
    #[error("the file is refused: {}", .0.code())]
    Refused(Refusal),
    /// Storage did not answer, or not with what was asked for, after several attempts.
    #[error("storage did not deliver the video: {0}")]
    Storage(String),
    /// Storage refuses the address: it has expired, or the object is not there (yet).
    #[error("storage refuses the video's address with status {0}")]
    Forbidden(u16),
    /// The object is not the one that was announced.
    #[error("the stored video has {found} bytes, {expected} were expected")]
    Changed {
        /// Bytes expected.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The object was overwritten after it had been accepted.
    #[error("the stored video was replaced by another one")]
    Replaced,
    /// A program is missing.
    #[error(
        "{program} was not found: install it with `apt-get install ffmpeg` or `brew install ffmpeg`, or set {setting}"
    )]
    Missing {
        /// Its name.
        program: &'static str,
        /// The setting that names its place.
        setting: &'static str,
    },
    /// A program is there, but does not run where it has to.
    #[error("{program} does not run inside the sandbox: {detail}")]
    Unusable {
        /// Its name.
        program: &'static str,
        /// What happened, in one line.
        detail: String,
    },
    /// A program died by a signal that the file need not have caused.
    #[error("{program} died by signal {signal}")]
    Died {
        /// Its name.
        program: &'static str,
        /// The signal.
        signal: i32,
    },
    /// Nothing moved for a long time.
    #[error("{program} made no progress for {seconds} s")]
    Stalled {
        /// Its name.
        program: &'static str,
        /// How long.
        seconds: u64,
    },
    /// There is no sound to work on.
    #[error("the video has no sound")]
    NoSound,
    /// The receiver of the pieces went away.
    #[error("nobody receives the pieces any more")]
    Abandoned,
    /// The picture could not be encoded.
    #[error("a frame could not be encoded")]
    Jpeg(#[from] jpeg_encoder::EncodingError),
    /// The machine: no room, no permission, no process.
    #[error("the machine failed while working on a video")]
    Io(#[from] io::Error),
}

impl MediaError {
    /// Whether a later attempt, with a fresh address, may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(_)
            | Self::Changed { .. }
            | Self::Replaced
            | Self::Missing { .. }
            | Self::Unusable { .. }
            | Self::NoSound
            | Self::Jpeg(_) => false,
            Self::Storage(_)
            | Self::Forbidden(_)
            | Self::Died { .. }
            | Self::Stalled { .. }
            | Self::Abandoned
            | Self::Io(_) => true,
        }
    }
}

impl From<Refusal> for MediaError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
