//! The container, told from the first bytes: names and content types are only claims.

use serde::{Deserialize, Serialize};

/// The containers that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    /// ISO base media: MP4, M4V, 3GP.
    Mp4,
    /// `QuickTime`.
    Mov,
    /// Matroska.
    Mkv,
    /// The web's subset of Matroska.
    Webm,
    /// AVI.
    Avi,
}

impl Container {
    /// The demuxer that reads it, forced so that no other can be tricked into starting.
    pub(crate) fn demuxer(self) -> &'static str {
        match self {
            Self::Mp4 | Self::Mov => "mov",
            Self::Mkv | Self::Webm => "matroska",
            Self::Avi => "avi",
        }
    }

    /// Whether it is built of ISO or `QuickTime` boxes.
    pub(crate) fn has_boxes(self) -> bool {
        matches!(self, Self::Mp4 | Self::Mov)
    }
}

/// Names the container of a file by its first bytes (64 are enough), or `None`.
pub fn sniff(head: &[u8]) -> Option<Container> {
    match head {
        [0x1A, 0x45, 0xDF, 0xA3, rest @ ..] => {
            let doc_type = &rest[..rest.len().min(60)];
            let webm = doc_type.windows(4).any(|four| four == b"webm");
            Some(if webm {
                Container::Webm
            } else {
                Container::Mkv
            })
        }
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'A',
            b'V',
            b'I',
            b' ' | b'X',
            ..,
        ] => Some(Container::Avi),
        [_, _, _, _, kind @ ..] if kind.len() >= 4 => iso(&kind[..4], &kind[4..]),
        _ => None,
    }
}

fn iso(kind: &[u8], rest: &[u8]) -> Option<Container> {
    match kind {
        b"ftyp" if rest.starts_with(b"qt  ") => Some(Container::Mov),
        b"ftyp" => Some(Container::Mp4),
        // Old QuickTime files have no ftyp.
        b"moov" | b"mdat" | b"wide" | b"free" | b"skip" | b"pnot" => Some(Container::Mov),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
