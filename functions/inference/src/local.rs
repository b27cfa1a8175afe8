//! The models that this machine can run.

use std::path::PathBuf;
use std::sync::Arc;

use shared_domain::Reader;

use crate::predictor::Predictor;
use crate::speech::Whisper;
use crate::vision::{CenterNet, OnnxClassifier, OpenNsfw, ScreenText, VisionError};
use crate::weights::{Folder, WeightsError};

/// What local models need besides their weights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelsConfig {
    /// `TEMP_DIR`: lines of text are drawn here for the program that reads them.
    pub temp_dir: Option<PathBuf>,
    /// `LOCAL_MODELS_FILE`: descriptions of models of one's own.
    pub own_models: Option<PathBuf>,
}

impl ModelsConfig {
    /// Reads `TEMP_DIR` and `LOCAL_MODELS_FILE`.
    pub fn read(reader: &Reader<'_>) -> Self {
        Self {
            temp_dir: reader.find("TEMP_DIR").map(PathBuf::from),
            own_models: reader.find("LOCAL_MODELS_FILE").map(PathBuf::from),
        }
    }
}

/// The local models cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Weights are not there.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A model of one's own does not fit its description.
    #[error(transparent)]
    Own(#[from] VisionError),
}

/// Every local model. Fails with the first one whose weights are not there.
///
/// Models load their weights when they are first asked; this only looks whether they could. All
/// share the run time's own pool of threads, one per core. Models of one's own come first: of two that
/// answer one task, the first is asked.
pub fn load_models(
    folder: &Folder,
    config: ModelsConfig,
) -> Result<Vec<Arc<dyn Predictor>>, LocalError> {
    let mut models: Vec<Arc<dyn Predictor>> = Vec::new();
    if let Some(file) = config.own_models {
        for own in OnnxClassifier::open_all(&file, None)? {
            models.push(Arc::new(own));
        }
    }
    models.push(Arc::new(Whisper::connect(folder, None)?));
    models.push(Arc::new(OpenNsfw::connect(folder, None)?));
    models.push(Arc::new(CenterNet::connect(folder, None)?));
    let text = ScreenText::connect(folder, None)?;
    models.push(Arc::new(text.with_temp_dir(config.temp_dir)));
    Ok(models)
}

#[cfg(test)]
mod tests;
