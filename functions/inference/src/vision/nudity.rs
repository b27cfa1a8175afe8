//! The model `local/open-nsfw`: one score for nudity.
//!
//! The network looks at a picture squashed to a square. A wide frame is also looked at as its left
//! and its right square (an upright one as its upper and its lower): a person at the side of a 16:9
//! frame, squashed to half the width, is not what the network has learned. The highest score
//! counts: a miss costs more than a look. Black bars are cut off first.

use std::sync::Arc;

use rten::ThreadPool;
use serde_json::{Value, json};
use shared_domain::Task;

use super::VisionError;
use super::net::{Net, OnDemand};
use super::picture::{Area, Layout, Levels, Picture};
use crate::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};
use crate::weights::{Folder, WeightsError};

const NAME: &str = "open-nsfw";
const FILE: &str = "open-nsfw.onnx";
const SQUASHED: usize = 256;
const SIDE: usize = 224;
/// From this ratio of the sides on, the two squares are looked at as well.
const WIDE: f64 = 1.25;

const LEVELS: Levels = Levels {
    blue_first: true,
    mean: [104.0, 117.0, 123.0],
    std: [1.0; 3],
    layout: Layout::Pixels,
};

/// The model `local/open-nsfw`.
#[derive(Debug)]
pub struct OpenNsfw {
    card: ModelCard,
    net: OnDemand<Net>,
}

impl OpenNsfw {
    /// Makes the model ready to load; fails at once when its file is not there.
    pub fn connect(folder: &Folder, pool: Option<Arc<ThreadPool>>) -> Result<Self, WeightsError> {
        super::require(folder, &[FILE])?;
        let card = ModelCard {
            task: Task::Nudity,
            owner_name: "local/open-nsfw",
            version: Folder::version(&[FILE]),
            adapter: "scores",
            file_fields: &["image"],
            licence: "BSD-2-Clause (Yahoo open_nsfw), package Apache-2.0",
            summary: "Scores nudity in a picture, as a whole and side by side.",
            limits: Vec::new(),
        };
        let folder = folder.clone();
        let net = OnDemand::new(move || Net::load(NAME, &folder.path(FILE)?, &[], pool.clone()));
        Ok(Self { card, net })
    }

    fn score(&self, picture: &Picture, cancel: &Cancel) -> Result<f32, VisionError> {
        let net = self.net.loaded()?;
        let mut highest = 0.0_f32;
        for area in views(picture.lit()) {
            cancel.check()?;
            highest = highest.max(look(&net, &picture.cut(area))?);
        }
        Ok(highest)
    }
}

/// The score of one view.
fn look(net: &Net, view: &Picture) -> Result<f32, VisionError> {
    let margin = (SQUASHED - SIDE) / 2;
    let centre = view.resized(SQUASHED, SQUASHED)?.cut(Area {
        left: margin,
        top: margin,
        width: SIDE,
        height: SIDE,
    });
    let answers = net.run(&[1, SIDE, SIDE, 3], centre.levels(&LEVELS))?;
    match answers.first().map(|answer| answer.values.as_slice()) {
        Some([_, nsfw]) => Ok(*nsfw),
        _ => Err(VisionError::shape(NAME)),
    }
}

/// The whole and, unless it is nearly square, the squares at its two ends.
#[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
fn views(whole: Area) -> Vec<Area> {
    let (long, short) = (whole.width.max(whole.height), whole.width.min(whole.height));
    let mut views = vec![whole];
    if long as f64 >= short as f64 * WIDE {
        let mut first = whole;
        (first.width, first.height) = (short, short);
        let mut last = first;
        last.left += whole.width - short;
        last.top += whole.height - short;
        views.extend([first, last]);
    }
    views
}

impl Predictor for OpenNsfw {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError> {
        let picture = Picture::decode(input.file("image")?)?;
        let nsfw = self.score(&picture, cancel)?;
        Ok(json!({ "nsfw": nsfw, "sfw": 1.0 - nsfw }))
    }
}

#[cfg(test)]
mod tests;
