//! The model `local/open-nsfw`: one score for nudity.
//!
//! The network looks at a picture squashed to a square. A wide frame is also looked at as three
//! squares, at its two ends and in its middle: a person at the side of a 16:9 frame, squashed to half
//! the width, is not what the network has learned. The score is the mean of the whole and of the
//! highest square, so that two looks must agree: a single square of cartoon fur scored 0.89, both
//! together at most 0.53 over all frames of the two films of the tests. Black bars are cut off first.

use serde_json::{Value, json};
use shared_domain::Task;

use super::VisionError;
use super::net::{Net, OnDemand};
use super::picture::{Area, Layout, Levels, Picture};
use crate::engine::Engine;
use crate::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};
use crate::weights::{Folder, WeightsError};

const NAME: &str = "open-nsfw";
const FILE: &str = "open-nsfw.onnx";
const SQUASHED: usize = 256;
const SIDE: usize = 224;
/// No square can raise a whole below this to a score that matters, so that none is looked at.
const NOTHING: f32 = 0.1;
/// From this ratio of the sides on, squares are looked at as well.
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
    /// Makes the model ready to load; fails at once when its file is not there. `threads` is for one
    /// question.
    pub fn connect(folder: &Folder, threads: usize) -> Result<Self, WeightsError> {
        folder.require(&[FILE])?;
        let card = ModelCard {
            task: Task::Nudity,
            owner_name: "local/open-nsfw",
            version: Folder::version(&[FILE]),
            adapter: "scores",
            file_fields: &["image"],
            licence: "BSD-2-Clause (Yahoo open_nsfw), package Apache-2.0",
            summary: "Scores nudity in a picture, as a whole and in squares.",
            limits: Vec::new(),
        };
        let folder = folder.clone();
        let net = OnDemand::new(move || {
            let engine = Engine::start(&folder, threads)?;
            Net::load(NAME, &folder.path(FILE)?, &engine)
        });
        Ok(Self { card, net })
    }

    fn score(&self, picture: &Picture, cancel: &Cancel) -> Result<f32, VisionError> {
        let net = self.net.loaded()?;
        let lit = picture.lit();
        let whole = look(&net, &picture.cut(lit))?;
        if whole < NOTHING {
            return Ok(whole);
        }
        let mut highest: Option<f32> = None;
        for square in squares(lit) {
            cancel.check()?;
            let score = look(&net, &picture.cut(square))?;
            highest = Some(highest.map_or(score, |highest| highest.max(score)));
        }
        Ok(highest.map_or(whole, |highest| f32::midpoint(whole, highest)))
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
    let answers = net.run(&[1, SIDE, SIDE, 3], &centre.levels(&LEVELS))?;
    match answers.first().map(|answer| answer.values.as_slice()) {
        Some([_, nsfw]) => Ok(*nsfw),
        _ => Err(VisionError::shape(NAME)),
    }
}

/// The squares at both ends and in the middle, unless the whole is nearly square.
#[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
fn squares(whole: Area) -> Vec<Area> {
    let (long, short) = (whole.width.max(whole.height), whole.width.min(whole.height));
    if (long as f64) < short as f64 * WIDE {
        return Vec::new();
    }
    let square = |of: usize| Area {
        left: whole.left + (whole.width - short) * of / 2,
        top: whole.top + (whole.height - short) * of / 2,
        width: short,
        height: short,
    };
    (0..=2).map(square).collect()
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
