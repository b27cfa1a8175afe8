use std::fs::{self, File};

use serde_json::json;
use sha2::{Digest, Sha256};
use shared_domain::{Settings, Task};

use super::{LocalError, ModelsConfig, load_models};
use crate::onnx::{Attribute, Dim, Element, Graph};
use crate::weights::tests::real_folder;
use crate::weights::{Folder, Manifest, WeightsError};

/// A model that answers the mean of red, green and blue.
fn tiny() -> Vec<u8> {
    let mut graph = Graph::new("colours");
    let image = [1, 3, 8, 8].map(Dim::Fixed);
    graph.input("image", Element::F32, &image);
    let attributes = vec![
        Attribute::Ints("axes", vec![2, 3]),
        Attribute::Int("keepdims", 0),
    ];
    graph.node_named("ReduceMean", &["image"], "scores", attributes);
    graph.output("scores", Element::F32, &[Dim::Fixed(1), Dim::Fixed(3)]);
    graph.encode(13)
}

#[test]
fn a_model_of_ones_own_is_offered_before_ours() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tiny.onnx"), tiny()).unwrap();
    let file = folder.path().join("own.yaml");
    let own = json!([{
        "name": "tiny", "task": "nudity", "path": "tiny.onnx", "size": [8, 8],
        "sha256": hex::encode(Sha256::digest(tiny())), "labels": ["calm", "nsfw", "blood"],
    }]);
    fs::write(&file, own.to_string()).unwrap();
    let mut settings = Settings::default();
    settings.set("LOCAL_MODELS_FILE", file.to_str().unwrap());
    let config = ModelsConfig::read(&settings.reader());
    let models = load_models(&real_folder(), config).unwrap();
    let nudity = models
        .iter()
        .find(|model| model.card().task == Task::Nudity);
    assert_eq!(nudity.unwrap().card().owner_name, "local/tiny");
    assert_eq!(models.len(), 5);
}

#[test]
fn a_list_that_is_not_there_stops_the_start_by_its_name() {
    let config = ModelsConfig {
        own_models: Some("/nonexistent/own.yaml".into()),
        ..ModelsConfig::default()
    };
    let error = load_models(&real_folder(), config).err().unwrap();
    assert!(matches!(error, LocalError::Own(_)));
    assert!(
        error.to_string().contains("/nonexistent/own.yaml"),
        "{error}"
    );
}

#[test]
fn a_model_without_its_weights_is_left_out_and_the_others_run() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::open(place.path());
    assert!(matches!(
        load_models(&folder, ModelsConfig::default()),
        Err(LocalError::Weights(WeightsError::Missing { .. }))
    ));
    // Files of the right size: weights are read when they are first needed.
    for stored in Manifest::default_set()
        .all()
        .flat_map(|weight| weight.stored)
    {
        let path = place.path().join(stored.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().set_len(stored.bytes).unwrap();
    }
    let tasks = || -> Vec<Task> {
        let models = load_models(&folder, ModelsConfig::default()).unwrap();
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
