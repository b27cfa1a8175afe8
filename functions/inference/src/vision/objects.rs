//! The model `local/centernet`: boxes around common objects.
//!
//! The network answers, for each cell of a 128×128 grid and each label, how much the cell is the
//! middle of such an object, and how far its edges are. A cell counts when none of its eight
//! neighbours scores higher.

use serde_json::{Value, json};
use shared_domain::Task;

use super::VisionError;
use super::labels::COCO;
use super::net::{Net, OnDemand};
use super::picture::{Layout, Levels, Picture};
use crate::engine::Engine;
use crate::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};
use crate::weights::{Folder, WeightsError};

const NAME: &str = "centernet";
const FILE: &str = "centernet.onnx";
const OUTPUTS: [&str; 2] = ["tower_0/keypoints", "tower_0/wh"];
const SIDE: usize = 512;
const GRID: usize = 128;
const CELLS: usize = GRID * GRID;
/// Pixels of the input per cell.
const CELL: f32 = 4.0;
const THRESHOLD: f32 = 0.35;
/// More objects than this in one frame are a crowd that adds nothing.
const MAX_OBJECTS: usize = 100;

const LEVELS: Levels = Levels {
    blue_first: false,
    mean: [0.0; 3],
    std: [1.0; 3],
    layout: Layout::Planes,
};

/// One object, in pixels of the network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Object {
    label: &'static str,
    score: f32,
    corners: [f32; 4],
}

/// The model `local/centernet`.
#[derive(Debug)]
pub struct CenterNet {
    card: ModelCard,
    net: OnDemand<Net>,
}

impl CenterNet {
    /// Makes the model ready to load; fails at once when its file is not there. `threads` is for one
    /// question.
    pub fn connect(folder: &Folder, threads: usize) -> Result<Self, WeightsError> {
        folder.require(&[FILE])?;
        let card = ModelCard {
            task: Task::Objects,
            owner_name: "local/centernet",
            version: Folder::version(&[FILE]),
            adapter: "grounding-dino",
            file_fields: &["image"],
            licence: "package MIT; its upstream model states no licence of its own",
            summary: "Finds the 80 kinds of objects of COCO; of weapons, alcohol and tobacco only \
                      knives, scissors, bats, bottles and glasses.",
            limits: vec!["common_objects_only".to_owned()],
        };
        let folder = folder.clone();
        let net = OnDemand::new(move || {
            let engine = Engine::start(&folder, threads)?;
            Net::load_converted(NAME, &folder.path(FILE)?, &OUTPUTS, &engine)
        });
        Ok(Self { card, net })
    }

    fn objects(&self, picture: &Picture) -> Result<Vec<Object>, VisionError> {
        let input = picture.resized(SIDE, SIDE)?.levels(&LEVELS);
        let answers = self.net.loaded()?.run(&[1, 3, SIDE, SIDE], &input)?;
        match answers.as_slice() {
            [heat, edges]
                if heat.values.len() == COCO.len() * CELLS && edges.values.len() == 4 * CELLS =>
            {
                Ok(peaks(&heat.values, &edges.values))
            }
            _ => Err(VisionError::shape(NAME)),
        }
    }
}

/// The middles of objects, surest first.
fn peaks(heat: &[f32], edges: &[f32]) -> Vec<Object> {
    let mut found = Vec::new();
    for (label, plane) in COCO.iter().zip(heat.chunks_exact(CELLS)) {
        let above = plane
            .iter()
            .enumerate()
            .filter(|(_, score)| **score >= THRESHOLD);
        for (cell, &score) in above.filter(|(cell, score)| is_peak(plane, *cell, **score)) {
            let middle = [at(cell % GRID), at(cell / GRID)];
            let edge = |side: usize| edges[side * CELLS + cell];
            let corners = [
                middle[0] - edge(0),
                middle[1] - edge(1),
                middle[0] + edge(2),
                middle[1] + edge(3),
            ];
            found.push(Object {
                label,
                score,
                corners,
            });
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MAX_OBJECTS);
    found
}

/// Whether no neighbour scores higher; of equal neighbours the first counts.
fn is_peak(plane: &[f32], cell: usize, score: f32) -> bool {
    let (x, y) = (cell % GRID, cell / GRID);
    let rows = y.saturating_sub(1)..=(y + 1).min(GRID - 1);
    let columns = x.saturating_sub(1)..=(x + 1).min(GRID - 1);
    rows.flat_map(|row| columns.clone().map(move |column| row * GRID + column))
        .all(|other| plane[other] < score || (plane[other] <= score && other >= cell))
}

#[expect(clippy::cast_precision_loss, reason = "at most 128")]
fn at(cell: usize) -> f32 {
    cell as f32 * CELL
}

impl Predictor for CenterNet {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError> {
        let picture = Picture::decode(input.file("image")?)?;
        cancel.check()?;
        let objects = self.objects(&picture)?;
        #[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
        let [width, height] = [picture.width as f32, picture.height as f32];
        #[expect(clippy::cast_precision_loss, reason = "512")]
        let scale = [width / SIDE as f32, height / SIDE as f32];
        let detections = objects.iter().map(|object| {
            let [left, top, right, bottom] = object.corners;
            let x = |value: f32| (value * scale[0]).clamp(0.0, width);
            let y = |value: f32| (value * scale[1]).clamp(0.0, height);
            json!({
                "bbox": [x(left), y(top), x(right), y(bottom)],
                "label": object.label,
                "confidence": object.score,
            })
        });
        Ok(json!({ "detections": detections.collect::<Vec<Value>>() }))
    }
}

#[cfg(test)]
mod tests;
