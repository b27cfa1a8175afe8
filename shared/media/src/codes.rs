//! QR codes in a kept picture. They are read here, where the pictures are, so that no model has to be
//! asked and it makes no difference whose models read the rest.

#![expect(
    clippy::cast_precision_loss,
    reason = "sides and places of a picture of at most 1280 pixels"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use rqrr::{BitGrid, Grid, PreparedImage};
use serde::{Deserialize, Serialize};
use shared_domain::BBox;

use crate::picture::Picture;

/// More on one picture are a pattern and no codes.
const MOST: usize = 16;

/// A QR code on the screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// What it holds.
    pub text: String,
    /// Where it stands.
    pub bbox: BBox,
}

/// The codes in a picture; none where reading it ends in a panic: pictures come from strangers.
pub(crate) fn read(picture: &Picture) -> Vec<Code> {
    catch_unwind(AssertUnwindSafe(|| decode(picture))).unwrap_or_else(|_| {
        tracing::warn!("a picture could not be searched for codes");
        Vec::new()
    })
}

fn decode(picture: &Picture) -> Vec<Code> {
    let (width, height) = (picture.width, picture.height);
    let luma = picture.luma();
    let light = |x: usize, y: usize| luma[y * width + x];
    let mut prepared = PreparedImage::prepare_from_greyscale(width, height, light);
    let mut codes: Vec<Code> = Vec::new();
    for grid in prepared.detect_grids().into_iter().take(MOST) {
        let mut bytes = Vec::new();
        if grid.decode_to(&mut bytes).is_err() {
            continue;
        }
        let text = tidy(&bytes);
        let bbox = around(corners(&grid), width, height);
        if !text.is_empty() && !codes.iter().any(|known| known.text == text) {
            codes.push(Code { text, bbox });
        }
    }
    codes
}

/// Whatever the bytes, a text of one line.
fn tidy(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.replace(char::is_control, " ");
    text.trim().to_owned()
}

/// The corners in pixels; those that the library gives lie a module too far from the first.
fn corners<G: BitGrid>(code: &Grid<G>) -> [[f32; 2]; 4] {
    let bounds = code.bounds.map(|corner| [corner.x as f32, corner.y as f32]);
    let size = code.grid.size() as f32;
    let nearer = |from: f32, to: f32| from + (to - from) * size / (size + 1.0);
    bounds.map(|corner| [0, 1].map(|axis| nearer(bounds[0][axis], corner[axis])))
}

/// The upright box around the corners, in shares of the picture.
fn around(corners: [[f32; 2]; 4], width: usize, height: usize) -> BBox {
    let share = |pixel: f32, side: usize| (pixel / side.max(1) as f32).clamp(0.0, 1.0);
    let x = corners.map(|[x, _]| share(x, width));
    let y = corners.map(|[_, y]| share(y, height));
    let least = |shares: [f32; 4]| shares.into_iter().fold(1.0, f32::min);
    let most = |shares: [f32; 4]| shares.into_iter().fold(0.0, f32::max);
    BBox {
        x: least(x),
        y: least(y),
        w: most(x) - least(x),
        h: most(y) - least(y),
    }
}

#[cfg(test)]
mod tests;
