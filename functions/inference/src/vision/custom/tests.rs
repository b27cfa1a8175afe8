use std::fs;
use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_domain::Task;
use tempfile::TempDir;

use super::OnnxClassifier;
use crate::onnx::{Attribute, Dim, Element, Graph};
use crate::predictor::Predictor;
use crate::vision::VisionError;
use crate::vision::tests::answer;
use crate::weights::tests::real_folder;

/// A model that answers the mean of red, green and blue: three labels told by colour.
fn model(pixels_first: bool) -> Vec<u8> {
    let mut graph = Graph::new("colours");
    let dims = if pixels_first {
        [1, 16, 24, 3]
    } else {
        [1, 3, 16, 24]
    };
    graph.input("image", Element::F32, &dims.map(Dim::Fixed));
    let axes = if pixels_first { vec![1, 2] } else { vec![2, 3] };
    let attributes = vec![Attribute::Ints("axes", axes), Attribute::Int("keepdims", 0)];
    graph.node_named("ReduceMean", &["image"], "scores", attributes);
    graph.output("scores", Element::F32, &[Dim::Fixed(1), Dim::Fixed(3)]);
    graph.encode(13)
}

/// A description beside its model; `change` alters it.
fn described(
    pixels_first: bool,
    change: impl Fn(&mut Value),
) -> (TempDir, Result<OnnxClassifier, VisionError>) {
    let folder = tempfile::tempdir().unwrap();
    let bytes = model(pixels_first);
    fs::write(folder.path().join("colours.onnx"), &bytes).unwrap();
    let mut description = json!({
        "name": "colours", "task": "violence", "path": "colours.onnx",
        "sha256": hex::encode(Sha256::digest(&bytes)),
        "labels": ["red", "green", "blue"], "size": [24, 16],
        "layout": if pixels_first { "nhwc" } else { "nchw" }, "activation": "none",
    });
    change(&mut description);
    let file = folder.path().join("colours.json");
    fs::write(&file, json!([description]).to_string()).unwrap();
    let opened = OnnxClassifier::open_all(&file, &real_folder(), 1);
    (folder, opened.map(|mut all| all.remove(0)))
}

fn picture(colour: [u8; 3]) -> bytes::Bytes {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(64, 48, Rgb(colour))
        .write_to(&mut bytes, ImageFormat::Png)
        .unwrap();
    bytes.into_inner().into()
}

fn scores(model: &OnnxClassifier, colour: [u8; 3]) -> Vec<(String, f64)> {
    let answer = answer(model, &picture(colour));
    let pair = |entry: &Value| {
        (
            entry["label"].as_str().unwrap().to_owned(),
            entry["score"].as_f64().unwrap(),
        )
    };
    answer["labels"]
        .as_array()
        .unwrap()
        .iter()
        .map(pair)
        .collect()
}

fn near(found: &[(String, f64)], wanted: [(&str, f64); 3]) -> bool {
    let close = |((label, score), wanted): (&(String, f64), (&str, f64))| {
        label == wanted.0 && (score - wanted.1).abs() < 1e-3
    };
    found.len() == 3 && found.iter().zip(wanted).all(close)
}

#[test]
fn a_model_of_ones_own_answers_under_its_labels_in_either_layout() {
    for pixels_first in [false, true] {
        let (_folder, model) = described(pixels_first, |_| ());
        let model = model.unwrap();
        assert_eq!(model.card().owner_name, "local/colours");
        assert_eq!(model.card().task, Task::Violence);
        let found = scores(&model, [255, 51, 0]);
        assert!(
            near(&found, [("red", 1.0), ("green", 0.2), ("blue", 0.0)]),
            "{found:?}"
        );
    }
}

#[test]
fn colour_order_and_levels_are_those_of_the_description() {
    let (_folder, model) = described(false, |description| {
        description["colour"] = json!("bgr");
        description["mean"] = json!([0.0, 0.2, 0.5]);
        description["std"] = json!([1.0, 2.0, 0.5]);
    });
    let found = scores(&model.unwrap(), [255, 255, 51]);
    assert!(
        near(&found, [("red", 0.2), ("green", 0.4), ("blue", 1.0)]),
        "{found:?}"
    );
}

#[test]
fn activations_make_probabilities() {
    let with = |activation: &str| {
        let (_folder, model) = described(false, |d| d["activation"] = json!(activation));
        scores(&model.unwrap(), [255, 0, 0])
    };
    let soft = with("softmax");
    assert!(
        near(
            &soft,
            [("red", 0.5761), ("green", 0.2119), ("blue", 0.2119)]
        ),
        "{soft:?}"
    );
    let sigmoid = with("sigmoid");
    assert!(
        near(&sigmoid, [("red", 0.7311), ("green", 0.5), ("blue", 0.5)]),
        "{sigmoid:?}"
    );
}

#[test]
fn labels_below_their_threshold_are_left_out() {
    let (_folder, model) = described(false, |d| {
        d["thresholds"] = json!({ "red": 0.9, "green": 0.9 });
    });
    let found = scores(&model.unwrap(), [255, 51, 0]);
    let labels: Vec<&str> = found.iter().map(|(label, _)| label.as_str()).collect();
    assert_eq!(labels, ["red", "blue"]);
}

#[test]
fn another_description_is_another_version() {
    let version = |mean: f64| {
        let (_folder, model) = described(false, |d| d["mean"] = json!([mean, 0.0, 0.0]));
        model.unwrap().card().version.clone()
    };
    assert_ne!(version(0.0), version(0.1));
    assert_eq!(version(0.0).len(), 64);
}

#[test]
fn a_description_that_does_not_fit_is_refused_with_its_reason() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (|d| d["sha256"] = json!("0".repeat(64)), "checksum"),
        (|d| d["sha256"] = json!("none"), "64 hexadecimal"),
        (
            |d| d["labels"] = json!(["red", "green"]),
            "3 scores for 2 labels",
        ),
        (|d| d["labels"] = json!(["red", "red", "blue"]), "once"),
        (|d| d["task"] = json!("speech"), "frames"),
        (|d| d["path"] = json!("absent.onnx"), "cannot be read"),
        (|d| d["std"] = json!([0.0, 1.0, 1.0]), "dividing by 0"),
        (|d| d["nmae"] = json!("typo"), "nmae"),
    ];
    for (change, wanted) in cases {
        let (_folder, opened) = described(false, change);
        let error = opened.unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted:?} is not in {error:?}");
    }
}

#[test]
fn several_models_stand_in_one_list_and_each_has_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = model(false);
    fs::write(folder.path().join("colours.onnx"), &bytes).unwrap();
    let description = |name: &str| {
        json!({
            "name": name, "task": "violence", "path": "colours.onnx",
            "sha256": hex::encode(Sha256::digest(&bytes)),
            "labels": ["red", "green", "blue"], "size": [24, 16],
        })
    };
    let file = folder.path().join("own.yaml");
    let open = |names: [&str; 2]| {
        fs::write(&file, json!(names.map(description)).to_string()).unwrap();
        OnnxClassifier::open_all(&file, &real_folder(), 1)
    };
    let names = open(["one", "two"]).unwrap();
    let names: Vec<&str> = names.iter().map(|own| own.card().owner_name).collect();
    assert_eq!(names, ["local/one", "local/two"]);
    let error = open(["one", "one"]).unwrap_err().to_string();
    assert!(error.contains("same name"), "{error}");
}
