//! From a map of probabilities to boxes of text (differentiable binarisation, Liao et al. 2020).
//!
//! The network paints the *core* of each line, shrunk by a share of its area over its outline; the
//! box found around the core is grown back by the same measure.

use super::hull::{Rect, smallest_rect};

/// A pixel at least this probable belongs to a core.
const CORE: f32 = 0.3;
/// A core less probable than this on average is no text.
const SURE: f32 = 0.5;
/// Cores thinner than this many pixels are specks.
const THINNEST: f32 = 3.0;
/// How far a core is grown, times its area over its outline.
const GROWTH: f32 = 1.6;
/// An upright box may be this much larger than the tilted one and still be taken.
const UPRIGHT: f32 = 1.25;
/// A word is this much longer than it is high. Of 40 boxes in films without any text, none was.
const LINE: f32 = 2.0;
/// A frame with more lines is no picture but a document.
const MAX_REGIONS: usize = 200;

/// A box of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Region {
    pub(super) rect: Rect,
    pub(super) score: f32,
}

impl Region {
    /// Whether it is at least twice as long as it is high, or as high as it is long, as words are.
    pub(super) fn is_line(&self) -> bool {
        let (width, height) = (self.rect.width, self.rect.height);
        width.max(height) >= LINE * width.min(height)
    }
}

/// Boxes in pixels of the map, top to bottom.
pub(super) fn regions(map: &[f32], width: usize) -> Vec<Region> {
    let mut seen: Vec<bool> = map.iter().map(|&p| p < CORE).collect();
    let mut found = Vec::new();
    for start in 0..map.len() {
        if !seen[start] {
            let core = flood(&mut seen, width, start);
            found.extend(region(map, width, &core));
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(MAX_REGIONS);
    found.sort_by(|a, b| a.rect.centre[1].total_cmp(&b.rect.centre[1]));
    found
}

/// Takes the pixels that touch each other, corners included.
fn flood(seen: &mut [bool], width: usize, start: usize) -> Vec<usize> {
    let height = seen.len() / width;
    let mut core = vec![start];
    seen[start] = true;
    let mut next = 0;
    while let Some(&at) = core.get(next) {
        next += 1;
        let (x, y) = (at % width, at / width);
        for row in y.saturating_sub(1)..=(y + 1).min(height - 1) {
            for column in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                let other = row * width + column;
                if !seen[other] {
                    seen[other] = true;
                    core.push(other);
                }
            }
        }
    }
    core
}

/// The grown box of a core, unless it is a speck or unsure.
#[expect(clippy::cast_precision_loss, reason = "pixels of a map")]
fn region(map: &[f32], width: usize, core: &[usize]) -> Option<Region> {
    let score = core.iter().map(|&at| map[at]).sum::<f32>() / core.len() as f32;
    if score < SURE {
        return None;
    }
    let corners = |&at: &usize| {
        let (x, y) = ((at % width) as f32, (at / width) as f32);
        [[x, y], [x + 1.0, y], [x + 1.0, y + 1.0], [x, y + 1.0]]
    };
    let points: Vec<[f32; 2]> = edge(core, width).iter().flat_map(corners).collect();
    let tilted = smallest_rect(&points)?;
    let upright = upright(&points);
    let rect = if upright.area() <= tilted.area() * UPRIGHT {
        upright
    } else {
        tilted
    };
    if rect.width.min(rect.height) < THINNEST {
        return None;
    }
    let grown = rect.grown(rect.area() * GROWTH / (2.0 * (rect.width + rect.height)));
    Some(Region { rect: grown, score })
}

/// The first and last pixel of each row of a core: all that a hull needs.
fn edge(core: &[usize], width: usize) -> Vec<usize> {
    let mut sorted = core.to_vec();
    sorted.sort_unstable();
    let rows = sorted.chunk_by(|a, b| a / width == b / width);
    rows.flat_map(|row| [row[0], row[row.len() - 1]]).collect()
}

fn upright(points: &[[f32; 2]]) -> Rect {
    let range = |axis: usize| {
        points.iter().fold((f32::MAX, f32::MIN), |(low, high), p| {
            (low.min(p[axis]), high.max(p[axis]))
        })
    };
    let ((left, right), (top, bottom)) = (range(0), range(1));
    Rect::upright(left, top, right, bottom)
}

#[cfg(test)]
mod tests;
