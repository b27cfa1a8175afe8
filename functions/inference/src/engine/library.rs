//! Loads the shared library.

use std::sync::{Arc, Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;
use tracing::warn;

use crate::weights::{Folder, WeightsError};

/// The library knows one environment per process and does not let it be made twice, so that it stays.
static LOADED: Mutex<Option<Environment>> = Mutex::new(None);

pub(super) fn environment(folder: &Folder) -> Result<Environment, WeightsError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = &*loaded {
        return Ok(environment.clone());
    }
    let file = folder.library()?;
    let refused = |reason: String| WeightsError::Library {
        file: file.clone(),
        reason,
    };
    let builder = ort::init_from(&file).map_err(|error| refused(error.to_string()))?;
    let environment = builder
        .with_name("inference")
        .with_telemetry(false)
        .with_logger(Arc::new(log))
        .build()
        .map_err(|error| refused(error.to_string()))?;
    environment.set_log_level(LogLevel::Error);
    *loaded = Some(environment.clone());
    Ok(environment)
}

/// What the library calls warnings is about the insides of models, and about nothing that the owner
/// of this installation could do.
fn log(level: LogLevel, category: &str, _id: &str, place: &str, message: &str) {
    if level >= LogLevel::Error {
        warn!(category, place, "ONNX Runtime: {message}");
    }
}
