//! Failures of speech recognition.

use crate::predictor::PredictError;
use crate::weights::WeightsError;

/// Why there is no transcript.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The weights are not there or not right.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The run time refused a model file.
    #[error("the model file {file} cannot be loaded")]
    Load {
        /// Which file.
        file: &'static str,
        /// Why.
        #[source]
        source: ort::Error,
    },
    /// The run time failed.
    #[error("the speech model stopped in its {part}: {reason}")]
    Run {
        /// Which part.
        part: &'static str,
        /// Why.
        reason: String,
    },
    /// Vocabulary or settings do not fit the model.
    #[error("the model's {file} is not usable: {reason}")]
    Vocabulary {
        /// Which file.
        file: &'static str,
        /// Why.
        reason: String,
    },
    /// The sound cannot be used.
    #[error("{0}")]
    Sound(String),
    /// Nobody waits any more.
    #[error("the prediction was cancelled")]
    Cancelled,
}

impl SpeechError {
    /// For `map_err` on opening a model file.
    pub(super) fn load(file: &'static str) -> impl Fn(ort::Error) -> Self {
        move |source| Self::Load { file, source }
    }

    /// For `map_err` on a run of the model.
    pub(super) fn run(part: &'static str) -> impl Fn(ort::Error) -> Self {
        move |error| Self::Run {
            part,
            reason: error.to_string(),
        }
    }

    /// An answer of another type or size than the model promises.
    pub(super) fn shape(part: &'static str) -> Self {
        Self::Run {
            part,
            reason: "unexpected shape".to_owned(),
        }
    }
}

impl From<SpeechError> for PredictError {
    fn from(error: SpeechError) -> Self {
        match error {
            SpeechError::Sound(text) => Self::Input(text),
            SpeechError::Cancelled => Self::Cancelled,
            SpeechError::Load { ref source, .. } => Self::Model(format!("{error}: {source}")),
            SpeechError::Weights(_) | SpeechError::Run { .. } | SpeechError::Vocabulary { .. } => {
                Self::Model(error.to_string())
            }
        }
    }
}
