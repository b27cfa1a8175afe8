//! The models that this machine can run.

use std::sync::Arc;

use tracing::warn;

use crate::predictor::Predictor;
use crate::speech::Whisper;
use crate::vision::{CenterNet, OpenNsfw, ScreenText};
use crate::weights::{Folder, WeightsError};

/// Every local model whose weights are there; the task of another is not run. Fails only when there
/// is none at all.
///
/// Models load their weights when they are first asked; this only looks whether they could. All
/// share the run time's own pool of threads, one per core.
pub fn load_models(folder: &Folder) -> Result<Vec<Arc<dyn Predictor>>, WeightsError> {
    let connected = [
        ready(Whisper::connect(folder, None)),
        ready(OpenNsfw::connect(folder, None)),
        ready(CenterNet::connect(folder, None)),
        ready(ScreenText::connect(folder, None)),
    ];
    let (mut models, mut absent) = (Vec::new(), Vec::new());
    for outcome in connected {
        match outcome {
            Ok(model) => models.push(model),
            Err(error) => absent.push(error),
        }
    }
    if models.is_empty()
        && let Some(error) = absent.pop()
    {
        return Err(error);
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
mod tests {
    use std::fs::{self, File};

    use shared_domain::Task;

    use super::load_models;
    use crate::weights::{Folder, Manifest, WeightsError};

    #[test]
    fn a_model_without_its_weights_is_left_out_and_the_others_run() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path());
        assert!(matches!(
            load_models(&folder),
            Err(WeightsError::Missing { .. })
        ));
        // Files of the right size: weights are read when they are first needed.
        for stored in Manifest::default_set()
            .weights
            .iter()
            .flat_map(|weight| weight.stored)
        {
            let path = place.path().join(stored.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap().set_len(stored.bytes).unwrap();
        }
        let tasks = || -> Vec<Task> {
            let models = load_models(&folder).unwrap();
            models.iter().map(|model| model.card().task).collect()
        };
        let all = tasks();
        assert!(all.contains(&Task::Nudity) && all.len() > 2, "{all:?}");
        let half = File::options()
            .write(true)
            .open(place.path().join("open-nsfw.onnx"));
        half.unwrap().set_len(10).unwrap();
        let left: Vec<Task> = all.into_iter().filter(|t| *t != Task::Nudity).collect();
        assert_eq!(tasks(), left);
    }
}
