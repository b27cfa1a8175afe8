//! Cuts a line out of a picture so that it reads from left to right.

use super::hull::Rect;
use crate::vision::picture::{Area, Picture};

/// A box whose height is this many halves of its width holds a line that stands.
const STANDS: usize = 3;

/// The line inside the box. A line that stands is taken to be read upwards.
pub(super) fn straighten(picture: &Picture, rect: &Rect) -> Picture {
    let line = if rect.is_upright() {
        picture.cut(covering(rect))
    } else {
        sampled(picture, rect)
    };
    if line.height * 2 >= line.width * STANDS {
        line.turned()
    } else {
        line
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the picture by `cut`"
)]
fn covering(rect: &Rect) -> Area {
    let [[left, top], _, [right, bottom], _] = rect.corners();
    let first = |edge: f32| edge.floor().max(0.0) as usize;
    let after = |edge: f32| edge.ceil().max(0.0) as usize;
    Area {
        left: first(left),
        top: first(top),
        width: after(right).saturating_sub(first(left)),
        height: after(bottom).saturating_sub(first(top)),
    }
}

/// Every pixel of the line is mixed from the four around its place.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "pixels of a picture"
)]
fn sampled(picture: &Picture, rect: &Rect) -> Picture {
    let (width, height) = (rect.width.ceil() as usize, rect.height.ceil() as usize);
    let (width, height) = (width.max(1), height.max(1));
    let [origin, ..] = rect.corners();
    let [x, y] = rect.along;
    let mut rgb = Vec::with_capacity(width * height * 3);
    for row in 0..height {
        for column in 0..width {
            let (u, v) = (column as f32 + 0.5, row as f32 + 0.5);
            let place = [origin[0] + x * u - y * v, origin[1] + y * u + x * v];
            rgb.extend_from_slice(&mixed(picture, place));
        }
    }
    Picture { width, height, rgb }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped to the picture"
)]
fn mixed(picture: &Picture, [x, y]: [f32; 2]) -> [u8; 3] {
    let inside = |value: f32, side: usize| (value - 0.5).clamp(0.0, (side - 1) as f32);
    let (x, y) = (inside(x, picture.width), inside(y, picture.height));
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = (
        (left + 1).min(picture.width - 1),
        (top + 1).min(picture.height - 1),
    );
    let (right_share, lower_share) = (x - left as f32, y - top as f32);
    let around = [
        picture.pixel(left, top),
        picture.pixel(right, top),
        picture.pixel(left, bottom),
        picture.pixel(right, bottom),
    ];
    std::array::from_fn(|channel| {
        let levels = around.map(|pixel| f32::from(pixel[channel]));
        let upper = levels[0] + (levels[1] - levels[0]) * right_share;
        let lower = levels[2] + (levels[3] - levels[2]) * right_share;
        (upper + (lower - upper) * lower_share).round() as u8
    })
}
