//! What is looked for. A task without a model is reported as not run, never left out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One kind of analysis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Words that are said.
    Speech,
    /// Nudity in a frame.
    Nudity,
    /// Violence, blood in a frame.
    Violence,
    /// Weapons, alcohol, tobacco, drugs, symbols, logos in a frame.
    Objects,
    /// Words that are shown.
    Text,
    /// A second opinion on a doubtful finding.
    Context,
}

/// The text names no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a task; tasks are speech, nudity, violence, objects, text, context")]
pub struct UnknownTask(String);

impl Task {
    /// Every task, in the order in which reports list them.
    pub const ALL: [Self; 6] = [
        Self::Speech,
        Self::Nudity,
        Self::Violence,
        Self::Objects,
        Self::Text,
        Self::Context,
    ];

    /// The tasks that look at each kept frame.
    pub const PER_FRAME: [Self; 4] = [Self::Nudity, Self::Violence, Self::Objects, Self::Text];

    /// The setting that chooses its model.
    pub fn model_setting(self) -> Option<&'static str> {
        match self {
            Self::Speech => Some("WHISPER_MODEL_ID"),
            Self::Nudity => Some("NSFW_MODEL_ID"),
            Self::Violence => Some("VIOLENCE_MODEL_ID"),
            Self::Objects => Some("YOLO_MODEL_ID"),
            Self::Text => Some("OCR_MODEL_ID"),
            Self::Context => Some("CONTEXT_MODEL_ID"),
        }
    }

    /// The name in messages, tables and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Speech => "speech",
            Self::Nudity => "nudity",
            Self::Violence => "violence",
            Self::Objects => "objects",
            Self::Text => "text",
            Self::Context => "context",
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Task {
    type Err = UnknownTask;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|task| task.as_str() == text)
            .ok_or_else(|| UnknownTask(text.to_owned()))
    }
}
