//! One adapter per verified shape of output. What a model says is data to distrust: numbers come as
//! integers or text, times are null, boxes lie outside the picture, JSON hides in strings.
//!
//! An answer that does not fit is an `AdaptError`: the target is undecided, never clean.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use shared_domain::{Finding, Target};

mod boxes;
mod labels;
mod language;
mod ocr;
mod python_literal;
mod read;
mod speech;

#[cfg(test)]
mod tests;

/// Why an answer is undecided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdaptError {
    /// A part is missing or of another kind.
    #[error("the answer has another shape: {0}")]
    Shape(&'static str),
    /// Not a number, infinite, or out of any sensible range.
    #[error("the answer holds a number that cannot be used in {0}")]
    Number(&'static str),
    /// More than a frame or a recording can hold.
    #[error("the answer holds more than {0} entries")]
    TooMany(usize),
    /// A text longer than anything said or shown.
    #[error("the answer holds a text of more than {0} characters")]
    TooLong(usize),
    /// An error page instead of an answer.
    #[error("the answer is a web page")]
    Html,
}

macro_rules! adapters {
    ($($(#[$doc:meta])* $variant:ident = $name:literal => $read:path,)+) => {
        /// The shape of a model's output.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Adapter {
            $($(#[$doc])* $variant,)+
        }

        impl Adapter {
            /// Every adapter.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in catalogues and tables.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Reads what a model says of a target.
            pub fn adapt(self, output: &Value, target: &Target) -> Result<Vec<Finding>, AdaptError> {
                read::refuse_page(output)?;
                match self {
                    $(Self::$variant => $read(output, target),)+
                }
            }
        }
    };
}

adapters! {
    /// Segments, the language by name.
    Whisper = "whisper" => speech::whisper,
    /// Chunks; with diarisation a list that ends with the plain object.
    FastWhisper = "incredibly-fast-whisper" => speech::fast_whisper,
    /// Segments, with words once they are aligned.
    Whisperx = "whisperx" => speech::segmented,
    /// Segments with words and probabilities; also the local speech model's shape.
    WhisperDiarization = "whisper-diarization" => speech::segmented,
    /// `normal` or `nsfw`.
    NsfwString = "nsfw-string" => labels::nsfw_string,
    /// Lists of concepts and a flag.
    NsfwFilter = "nsfw-filter" => labels::nsfw_filter,
    /// `safe`, or another word.
    SafetyChecker = "safety-checker" => labels::safety_checker,
    /// A number from 0 to 10, in pieces.
    PromptRank = "prompt-rank" => labels::prompt_rank,
    /// Label to score, or a list of label and score; the shape of local classifiers.
    Scores = "scores" => labels::scores,
    /// Label to score as JSON in a string.
    HateSpeech = "hate-speech" => labels::hate_speech,
    /// `safe`, or `unsafe` and codes.
    LlamaGuard = "llama-guard" => labels::llama_guard,
    /// Prose, in one string or in pieces, with a JSON object of scores in it.
    Prose = "prose" => labels::prose,
    /// Boxes in pixels with `confidence`.
    GroundingDino = "grounding-dino" => boxes::grounding_dino,
    /// Boxes as JSON in a string.
    YoloWorld = "yolo-world" => boxes::yolo_world,
    /// Boxes in pixels under `json_data`.
    Owlvit = "owlvit" => boxes::owlvit,
    /// Boxes as a Python literal, without scores.
    FlorenceObjects = "florence-objects" => boxes::florence,
    /// A list of named boxes as JSON in a string.
    Yolov10 = "yolov10" => boxes::yolov10,
    /// One string, a line each.
    TextExtractOcr = "text-extract-ocr" => ocr::text_extract,
    /// Four corners, text and confidence; also the local text model's shape.
    PpOcr = "pp-ocr" => ocr::pp_ocr,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Adapter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL
            .iter()
            .copied()
            .find(|adapter| adapter.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is not an adapter"))
    }
}
