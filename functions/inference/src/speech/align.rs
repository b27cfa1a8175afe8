//! When each token was said: some heads of the decoder look at the sound of the token that comes
//! next. Their attention, cleaned, is a map whose cheapest path from corner to corner is the timing.

#![expect(
    clippy::cast_precision_loss,
    reason = "counts of tokens and moments are below two thousand"
)]

use std::ops::Range;

/// Width of the median filter, in moments of 20 ms.
const MEDIAN: usize = 7;

/// What a moment outside a token's segment costs, in deviations of the attention of all heads.
const OUTSIDE: f32 = 20.0;

/// Attention of one head: a row for each token, a column for each moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<f32>,
}

impl Map {
    pub(super) fn zero(rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            values: vec![0.0; rows * columns],
        }
    }

    /// Makes moments at which a token cannot have been said costly, so that the path avoids them.
    pub(super) fn confine(&mut self, row: usize, columns: &Range<usize>) {
        let row = &mut self.values[row * self.columns..(row + 1) * self.columns];
        for (column, value) in row.iter_mut().enumerate() {
            if !columns.contains(&column) {
                *value -= OUTSIDE;
            }
        }
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.columns + column]
    }

    /// Each row gets the sum 1: what the token sees beyond the window says nothing about its time.
    fn share(&mut self) {
        for row in self.values.chunks_mut(self.columns.max(1)) {
            let sum = row.iter().sum::<f32>().max(1e-9);
            for value in row {
                *value /= sum;
            }
        }
    }

    /// Each column gets mean 0 and deviation 1: what a moment means to this token, not to all.
    fn standardise(&mut self) {
        for column in 0..self.columns {
            let values = || (0..self.rows).map(|row| self.at(row, column));
            let mean = values().sum::<f32>() / self.rows as f32;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f32>();
            let deviation = (variance / self.rows as f32).sqrt().max(1e-9);
            for row in 0..self.rows {
                let value = &mut self.values[row * self.columns + column];
                *value = (*value - mean) / deviation;
            }
        }
    }

    /// Adds the median-filtered rows of another map.
    fn add_filtered(&mut self, other: &Self) {
        if self.columns <= MEDIAN / 2 {
            self.values
                .iter_mut()
                .zip(&other.values)
                .for_each(|(sum, value)| *sum += value);
            return;
        }
        let mut near = [0.0f32; MEDIAN];
        for row in 0..self.rows {
            for column in 0..self.columns {
                for (offset, slot) in near.iter_mut().enumerate() {
                    *slot = other.at(row, mirrored(column + offset, self.columns));
                }
                near.sort_unstable_by(f32::total_cmp);
                self.values[row * self.columns + column] += near[MEDIAN / 2];
            }
        }
    }
}

/// The column at a padded position; the edges mirror the row.
fn mirrored(padded: usize, columns: usize) -> usize {
    let at = padded.abs_diff(MEDIAN / 2);
    if at < columns {
        at
    } else {
        2 * columns - 2 - at
    }
}

/// The sum of all heads, cleaned.
pub(super) fn combined(heads: Vec<Map>) -> Map {
    let (rows, columns) = heads
        .first()
        .map_or((0, 0), |head| (head.rows, head.columns));
    let mut sum = Map::zero(rows, columns);
    for mut head in heads {
        head.share();
        head.standardise();
        sum.add_filtered(&head);
    }
    sum
}

/// The column at which the best path enters each row; both only grow.
pub(super) fn path(map: &Map) -> Vec<usize> {
    #[derive(Clone, Copy)]
    enum From {
        Both,
        Row,
        Column,
    }
    let (rows, columns) = (map.rows, map.columns);
    let width = columns + 1;
    let mut cost = vec![f32::INFINITY; (rows + 1) * width];
    let mut from = vec![From::Both; (rows + 1) * width];
    cost[0] = 0.0;
    for row in 1..=rows {
        for column in 1..=columns {
            let both = cost[(row - 1) * width + column - 1];
            let above = cost[(row - 1) * width + column];
            let left = cost[row * width + column - 1];
            // Of equally cheap steps the one that begins a token at its own moment is taken.
            let (best, step) = if both <= above && both <= left {
                (both, From::Both)
            } else if above < left {
                (above, From::Row)
            } else {
                (left, From::Column)
            };
            cost[row * width + column] = best - map.at(row - 1, column - 1);
            from[row * width + column] = step;
        }
    }
    let mut enters = vec![0; rows];
    let (mut row, mut column) = (rows, columns);
    while row > 0 && column > 0 {
        enters[row - 1] = column - 1;
        match from[row * width + column] {
            From::Both => (row, column) = (row - 1, column - 1),
            From::Row => row -= 1,
            From::Column => column -= 1,
        }
    }
    enters
}

#[cfg(test)]
mod tests;
