//! Classifiers that the user brings: any ONNX files with one picture in and one score per label out,
//! told apart by small descriptions in a YAML list.
//!
//! ```yaml
//! - name: studio-violence            # answers as local/studio-violence
//!   task: violence
//!   path: violence.onnx              # beside the description, or absolute
//!   sha256: 1c9f…                    # 64 digits
//!   labels: [calm, violence]
//!   size: [224, 224]                 # width, height
//!   layout: nchw                     # or nhwc
//!   colour: rgb                      # or bgr
//!   divide_by: 255                   # then: minus mean, over std
//!   mean: [0.485, 0.456, 0.406]
//!   std: [0.229, 0.224, 0.225]
//!   activation: softmax              # or sigmoid, none
//!   thresholds: { violence: 0.4 }    # labels below theirs are left out
//!   licence: CC-BY-4.0
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_domain::Task;

use super::VisionError;
use super::net::Net;
use super::picture::{Layout, Levels, Picture};
use crate::engine::Engine;
use crate::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};
use crate::weights::{Folder, RUNTIME};

const NAME: &str = "of your own";
const MAX_SIDE: usize = 2048;
const MAX_LABELS: usize = 2000;
const MAX_NAME: usize = 60;

/// What stands in the description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    name: String,
    task: Task,
    path: PathBuf,
    sha256: String,
    labels: Vec<String>,
    size: [usize; 2],
    #[serde(default)]
    layout: Order,
    #[serde(default)]
    colour: Colour,
    #[serde(default = "full_range")]
    divide_by: f32,
    #[serde(default)]
    mean: [f32; 3],
    #[serde(default = "unscaled")]
    std: [f32; 3],
    #[serde(default)]
    activation: Activation,
    #[serde(default)]
    thresholds: BTreeMap<String, f32>,
    #[serde(default = "unstated")]
    licence: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Nchw,
    Nhwc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Colour {
    #[default]
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Activation {
    #[default]
    Softmax,
    Sigmoid,
    None,
}

fn full_range() -> f32 {
    255.0
}

fn unscaled() -> [f32; 3] {
    [1.0; 3]
}

fn unstated() -> String {
    "as its owner states".to_owned()
}

/// Why a model is not opened.
enum Unfit {
    Description(String),
    Model(VisionError),
}

impl From<VisionError> for Unfit {
    fn from(error: VisionError) -> Self {
        Self::Model(error)
    }
}

/// A classifier that the user brings.
#[derive(Debug)]
pub struct OnnxClassifier {
    card: ModelCard,
    description: Description,
    net: Net,
}

impl OnnxClassifier {
    /// Reads a list of descriptions and opens each model of it, with the library of the folder.
    /// `threads` is for one question.
    pub fn open_all(
        file: &Path,
        folder: &Folder,
        threads: usize,
    ) -> Result<Vec<Self>, VisionError> {
        let unusable = |reason: String| VisionError::Description {
            file: file.to_owned(),
            reason,
        };
        let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
        let descriptions: Vec<Description> =
            serde_saphyr::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        let names: BTreeSet<&str> = descriptions.iter().map(|own| own.name.as_str()).collect();
        if names.len() < descriptions.len() {
            return Err(unusable("two models have the same name".to_owned()));
        }
        let engine = Engine::start(folder, threads)?;
        let beside = file.parent().unwrap_or(Path::new("."));
        let open = |description: Description| {
            let name = description.name.clone();
            Self::open(description, beside, &engine).map_err(|error| match error {
                Unfit::Description(reason) => unusable(format!("{name}: {reason}")),
                Unfit::Model(error) => error,
            })
        };
        descriptions.into_iter().map(open).collect()
    }

    /// Verifies the file's checksum and runs the model once on an empty picture, so that one which
    /// does not fit its description fails at the start.
    fn open(description: Description, folder: &Path, engine: &Engine) -> Result<Self, Unfit> {
        description.check().map_err(Unfit::Description)?;
        let path = folder.join(&description.path);
        let bytes = fs::read(&path).map_err(|error| {
            Unfit::Description(format!("{} cannot be read: {error}", path.display()))
        })?;
        let found = hex::encode(Sha256::digest(&bytes));
        if found != description.sha256.to_lowercase() {
            return Err(Unfit::Description(format!(
                "{} has the checksum {found}, not the one described",
                path.display()
            )));
        }
        drop(bytes);
        let net = Net::load(NAME, &path, engine)?;
        let classifier = Self {
            card: description.card(),
            description,
            net,
        };
        let [width, height] = classifier.description.size;
        classifier.scores(&Picture::black(width, height))?;
        Ok(classifier)
    }

    /// One score per label.
    fn scores(&self, picture: &Picture) -> Result<Vec<f32>, VisionError> {
        let [width, height] = self.description.size;
        let levels = self.description.levels();
        let shape = match levels.layout {
            Layout::Planes => [1, 3, height, width],
            Layout::Pixels => [1, height, width, 3],
        };
        let input = picture.resized(width, height)?.levels(&levels);
        let answers = self.net.run(&shape, &input)?;
        let labels = self.description.labels.len();
        match answers.into_iter().next() {
            Some(answer) if answer.values.len() == labels => {
                Ok(self.description.activation.apply(answer.values))
            }
            Some(answer) => Err(VisionError::run(NAME)(format!(
                "it answers {} scores for {labels} labels",
                answer.values.len()
            ))),
            None => Err(VisionError::shape(NAME)),
        }
    }
}

impl Description {
    /// Says what is wrong in words for the one who wrote it.
    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let named = !self.name.is_empty() && self.name.len() <= MAX_NAME;
        let labels: BTreeSet<&String> = self.labels.iter().collect();
        let numbers = [self.mean, self.std].concat();
        let faults = [
            (
                !named || !self.name.chars().all(plain),
                "name: use a-z, 0-9 and - only",
            ),
            (
                !Task::PER_FRAME.contains(&self.task),
                "task: it must be one that looks at frames",
            ),
            (
                self.sha256.len() != 64 || hex::decode(&self.sha256).is_err(),
                "sha256: 64 hexadecimal digits are needed",
            ),
            (
                self.labels.is_empty() || self.labels.len() > MAX_LABELS,
                "labels: between 1 and 2000 are needed",
            ),
            (
                labels.len() < self.labels.len() || labels.iter().any(|l| l.trim().is_empty()),
                "labels: each must be there once and not be blank",
            ),
            (
                self.size.iter().any(|side| !(8..=MAX_SIDE).contains(side)),
                "size: sides are between 8 and 2048",
            ),
            (
                self.std.contains(&0.0) || self.divide_by == 0.0 || !self.divide_by.is_finite(),
                "std, divide_by: dividing by 0 is not possible",
            ),
            (
                numbers.iter().any(|n| !n.is_finite()),
                "mean, std: numbers are needed",
            ),
            (
                self.thresholds.keys().any(|label| !labels.contains(label)),
                "thresholds: a label is not among the labels",
            ),
        ];
        let fault = faults.iter().find(|(wrong, _)| *wrong);
        fault.map_or(Ok(()), |(_, text)| Err((*text).to_owned()))
    }

    /// The card lives as long as the process, and so do the few texts in it.
    fn card(&self) -> ModelCard {
        let mut version = Sha256::new();
        for part in RUNTIME {
            version.update(part);
        }
        version.update(&self.sha256);
        // Whatever of the description changes an answer.
        version.update(format!("{self:?}"));
        ModelCard {
            task: self.task,
            owner_name: format!("local/{}", self.name).leak(),
            version: hex::encode(version.finalize()),
            adapter: "scores",
            file_fields: &["image"],
            licence: self.licence.clone().leak(),
            summary: "A classifier brought by the owner of this installation.",
            limits: Vec::new(),
        }
    }

    fn levels(&self) -> Levels {
        Levels {
            blue_first: self.colour == Colour::Bgr,
            mean: self.mean.map(|mean| mean * self.divide_by),
            std: self.std.map(|std| std * self.divide_by),
            layout: match self.layout {
                Order::Nchw => Layout::Planes,
                Order::Nhwc => Layout::Pixels,
            },
        }
    }
}

impl Activation {
    fn apply(self, scores: Vec<f32>) -> Vec<f32> {
        match self {
            Self::None => scores
                .into_iter()
                .map(|score| score.clamp(0.0, 1.0))
                .collect(),
            Self::Sigmoid => scores
                .into_iter()
                .map(|score| 1.0 / (1.0 + (-score).exp()))
                .collect(),
            Self::Softmax => {
                let highest = scores.iter().copied().fold(f32::MIN, f32::max);
                let powers: Vec<f32> = scores.iter().map(|score| (score - highest).exp()).collect();
                let sum: f32 = powers.iter().sum();
                powers.into_iter().map(|power| power / sum).collect()
            }
        }
    }
}

impl Predictor for OnnxClassifier {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError> {
        let picture = Picture::decode(input.file("image")?)?;
        cancel.check()?;
        let scores = self.scores(&picture)?;
        let least = |label: &String| {
            self.description
                .thresholds
                .get(label)
                .copied()
                .unwrap_or(0.0)
        };
        let labels = self.description.labels.iter().zip(scores);
        let labels = labels.filter(|(label, score)| *score >= least(label));
        let labels = labels.map(|(label, score)| json!({ "label": label, "score": score }));
        Ok(json!({ "labels": labels.collect::<Vec<Value>>() }))
    }
}

#[cfg(test)]
mod tests;
