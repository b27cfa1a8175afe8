//! The models that this machine can run.

use std::path::PathBuf;
use std::sync::Arc;

use shared_domain::Reader;
use tracing::warn;

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
    /// Threads of one question; 0 is taken for 1.
    pub threads: usize,
}

impl ModelsConfig {
    /// Reads `TEMP_DIR` and `LOCAL_MODELS_FILE`; the cores are shared out among `INFERENCE_WORKERS`.
    pub fn read(reader: &Reader<'_>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // What is malformed there is told by the service, which has the workers.
        let workers = reader.find("INFERENCE_WORKERS");
        let workers = workers.and_then(|text| text.parse().ok()).unwrap_or(cores);
        Self {
            threads: (cores / workers.max(1)).max(1),
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

/// Every local model whose weights are there; the task of another is not run. Fails when there is
/// none at all, and when a model of one's own does not fit its description.
///
/// Models load their weights when they are first asked; this only looks whether they could. Models of
/// one's own come first: of two that answer one task, the first is asked.
pub fn load_models(
    folder: &Folder,
    config: ModelsConfig,
) -> Result<Vec<Arc<dyn Predictor>>, LocalError> {
    let mut models: Vec<Arc<dyn Predictor>> = Vec::new();
    let threads = config.threads;
    if let Some(file) = config.own_models {
        for own in OnnxClassifier::open_all(&file, folder, threads)? {
            models.push(Arc::new(own));
        }
    }
    let connected = [
        ready(Whisper::connect(folder, threads)),
        ready(OpenNsfw::connect(folder, threads)),
        ready(CenterNet::connect(folder, threads)),
        ready(ScreenText::connect(folder, threads).map(|text| text.with_temp_dir(config.temp_dir))),
    ];
    let mut absent = Vec::new();
    for outcome in connected {
        match outcome {
            Ok(model) => models.push(model),
            Err(error) => absent.push(error),
        }
    }
    if models.is_empty()
        && let Some(error) = absent.pop()
    {
        return Err(error.into());
    }
    for error in absent {
        warn!("a model is left out and its task will not be run: {error}");
    }
    Ok(models)
}

fn ready<P: Predictor + 'static>(
    connected: Result<P, WeightsError>,
) -> Result<Arc<dyn Predictor>, WeightsError> {
    Ok(Arc::new(connected?))
}

#[cfg(test)]
mod tests;
