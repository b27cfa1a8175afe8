//! The models that this machine can run.

use std::sync::Arc;

use crate::predictor::Predictor;
use crate::speech::Whisper;
use crate::vision::{CenterNet, OpenNsfw, ScreenText};
use crate::weights::{Folder, WeightsError};

/// Every local model. Fails with the first one whose weights are not there.
///
/// Models load their weights when they are first asked; this only looks whether they could. All
/// share the run time's own pool of threads, one per core.
pub fn load_models(folder: &Folder) -> Result<Vec<Arc<dyn Predictor>>, WeightsError> {
    Ok(vec![
        Arc::new(Whisper::connect(folder, None)?),
        Arc::new(OpenNsfw::connect(folder, None)?),
        Arc::new(CenterNet::connect(folder, None)?),
        Arc::new(ScreenText::connect(folder, None)?),
    ])
}
