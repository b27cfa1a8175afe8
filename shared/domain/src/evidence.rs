//! Evidence: what a model was shown (`Target`), what it answered (`Finding`, in the target's own
//! time) and where that lies in the video (`Detection`).
//!
//! A frame that stays on screen, or comes back, is one target with several spans: it is paid for
//! once and its findings hold for every span.

use serde::{Deserialize, Serialize};

use crate::Task;

/// A stretch of the video, `start_ms <= end_ms`, from the first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// Milliseconds, inclusive.
    pub start_ms: i64,
    /// Milliseconds, exclusive.
    pub end_ms: i64,
}

impl Span {
    /// Length in milliseconds.
    pub fn length_ms(self) -> i64 {
        self.end_ms - self.start_ms
    }
}

/// What kind of object a model is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A JPEG.
    Frame,
    /// 16 kHz mono FLAC or WAV.
    Audio,
}

/// One object in storage that a model is asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Frame or audio.
    pub media: MediaKind,
    /// Where it is stored.
    pub object_key: String,
    /// SHA-256 of its bytes, lower-case hex: the key of the detection cache.
    pub content_hash: String,
    /// The parts of the video that it stands for; one for audio.
    pub spans: Vec<Span>,
    /// Pixels; 0 for audio.
    pub width: u32,
    /// Pixels; 0 for audio.
    pub height: u32,
}

/// A box as shares of the picture, 0 to 1, origin at the top left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

/// A spoken word with its own time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// As the model wrote it, without spaces around.
    pub text: String,
    /// Milliseconds: from the start of the target in a `Finding`, of the video in a `Detection`.
    pub start_ms: i64,
    /// Milliseconds, as `start_ms`.
    pub end_ms: i64,
    /// The model's own probability, 0 to 1, when it gives one.
    pub probability: Option<f32>,
}

/// Label of a stretch of speech whose words could not be made out: undecided, never clean.
pub const UNCLEAR: &str = "unclear";
/// Label of a frame with text that was seen but could not be read: undecided, never clean.
pub const UNREAD: &str = "unread";
/// Label of a QR code on the screen; the text is what it holds.
pub const QR: &str = "qr";

/// Label of a frame that a second model looked at, whatever else it says: silence is an opinion too.
pub const LOOKED: &str = "looked";

/// One thing that a model says of a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The model's label in lower case (`nsfw`, `knife`), `text` for on-screen text,
    /// the language code (`ru`, `en`, `und`) for speech; `UNCLEAR` and `UNREAD` say that it is undecided.
    pub label: String,
    /// 0 to 1.
    pub score: f32,
    /// Within the target; `None` means the whole of it (every frame finding).
    pub within: Option<Span>,
    /// Where in the frame.
    pub bbox: Option<BBox>,
    /// What is said or shown.
    pub text: Option<String>,
    /// For speech with word times.
    pub words: Vec<Word>,
}

/// A finding at its place in the video. Raw evidence: never edited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Which analysis found it.
    pub task: Task,
    /// As in `Finding`.
    pub label: String,
    /// 0 to 1.
    pub score: f32,
    /// Milliseconds of the video.
    pub start_ms: i64,
    /// Milliseconds of the video.
    pub end_ms: i64,
    /// Where in the frame.
    pub bbox: Option<BBox>,
    /// What is said or shown.
    pub text: Option<String>,
    /// Words in the video's time.
    pub words: Vec<Word>,
    /// The frame (or audio chunk) that shows it.
    pub object_key: String,
}

impl Detection {
    /// Whether it says that something could not be made out, rather than what it was.
    pub fn is_undecided(&self) -> bool {
        matches!(
            (self.task, self.label.as_str()),
            (Task::Speech, UNCLEAR) | (Task::Text, UNREAD)
        )
    }
}

impl Target {
    /// Puts a finding at each place of the video that this target stands for.
    pub fn place(&self, task: Task, finding: &Finding) -> Vec<Detection> {
        let place = |span: &Span| {
            let (start_ms, end_ms) = match finding.within {
                Some(w) => (
                    span.start_ms + w.start_ms,
                    (span.start_ms + w.end_ms).min(span.end_ms),
                ),
                None => (span.start_ms, span.end_ms),
            };
            let words = finding.words.iter().map(|word| Word {
                start_ms: span.start_ms + word.start_ms,
                end_ms: span.start_ms + word.end_ms,
                ..word.clone()
            });
            Detection {
                task,
                label: finding.label.clone(),
                score: finding.score,
                start_ms,
                end_ms: end_ms.max(start_ms),
                bbox: finding.bbox,
                text: finding.text.clone(),
                words: words.collect(),
                object_key: self.object_key.clone(),
            }
        };
        self.spans.iter().map(place).collect()
    }
}
