//! Failures of picture models.

use std::path::{Path, PathBuf};

use crate::predictor::PredictError;
use crate::weights::WeightsError;

/// Why a picture has no answer.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// The weights are not there or not right.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The run time refused a model file.
    #[error("the model file {} cannot be loaded: {reason}", file.display())]
    Load {
        /// Which file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The run time failed or answered in another shape than the model promises.
    #[error("the model {model} stopped: {reason}")]
    Run {
        /// Which model.
        model: &'static str,
        /// Why.
        reason: String,
    },
    /// The bytes are no picture that can be looked at.
    #[error("{0}")]
    Picture(String),
    /// The program that reads Cyrillic failed.
    #[error("tesseract {0}")]
    Tesseract(String),
    /// The description of a model of one's own cannot be used.
    #[error("the description of the model {}: {reason}", file.display())]
    Description {
        /// Where it stands.
        file: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Nobody waits any more.
    #[error("the prediction was cancelled")]
    Cancelled,
}

impl VisionError {
    /// A model file that cannot be used, for what reason.
    pub(super) fn load(file: &Path) -> impl Fn(String) -> Self {
        let file = file.to_owned();
        move |reason| Self::Load {
            file: file.clone(),
            reason,
        }
    }

    /// For `map_err` on whatever a run of a model can fail with.
    pub(super) fn run<E: std::fmt::Display>(model: &'static str) -> impl Fn(E) -> Self {
        move |error| Self::Run {
            model,
            reason: error.to_string(),
        }
    }

    /// An answer of another type or size than the model promises.
    pub(super) fn shape(model: &'static str) -> Self {
        Self::run(model)("unexpected shape of its answer")
    }
}

impl From<VisionError> for PredictError {
    fn from(error: VisionError) -> Self {
        match error {
            VisionError::Picture(text) => Self::Input(text),
            VisionError::Cancelled => Self::Cancelled,
            VisionError::Weights(_)
            | VisionError::Load { .. }
            | VisionError::Run { .. }
            | VisionError::Tesseract(_)
            | VisionError::Description { .. } => Self::Model(error.to_string()),
        }
    }
}

impl From<PredictError> for VisionError {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Input(text) => Self::Picture(text),
            PredictError::Cancelled => Self::Cancelled,
            PredictError::Model(reason) => Self::run("input")(reason),
        }
    }
}
