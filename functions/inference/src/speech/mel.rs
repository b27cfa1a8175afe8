//! The log-mel picture of sound that Whisper looks at: 80 bands, one column every 10 ms.
//!
//! Values are relative to the loudest one of the same window, so a window must be computed whole.

#![expect(
    clippy::cast_precision_loss,
    reason = "indices into a window of 480 000 samples are exact in 32-bit floats"
)]

use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::wav::RATE;

/// Bands.
pub(super) const BANDS: usize = 80;
/// Samples between two columns.
pub(super) const HOP: usize = 160;

const SIZE: usize = 400;
const BINS: usize = SIZE / 2 + 1;
const HALF: usize = SIZE / 2;

/// One band: the first bin it takes and the weight of each.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

/// Computes log-mel pictures.
pub(super) struct Mel {
    bands: Vec<Band>,
    window: Vec<f32>,
    fft: Arc<dyn Fft<f32>>,
}

impl std::fmt::Debug for Mel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mel")
            .field("bands", &self.bands.len())
            .finish_non_exhaustive()
    }
}

impl Mel {
    pub(super) fn new() -> Self {
        let turn = |i: usize| std::f32::consts::TAU * i as f32 / SIZE as f32;
        Self {
            bands: bands(),
            window: (0..SIZE).map(|i| 0.5 - 0.5 * turn(i).cos()).collect(),
            fft: FftPlanner::new().plan_fft_forward(SIZE),
        }
    }

    /// `BANDS` rows of `columns` values; sound that is too short is followed by silence.
    pub(super) fn picture(&self, sound: &[f32], columns: usize) -> Vec<f32> {
        let length = columns * HOP;
        let sound = &sound[..sound.len().min(length)];
        let mut picture = vec![0.0; BANDS * columns];
        let mut buffer = vec![Complex::default(); SIZE];
        let mut scratch = vec![Complex::default(); self.fft.get_inplace_scratch_len()];
        let mut power = [0.0f32; BINS];
        let mut loudest = f32::MIN;
        for column in 0..columns {
            for (i, (slot, window)) in buffer.iter_mut().zip(&self.window).enumerate() {
                let at = mirrored(column * HOP + i, length);
                *slot = Complex::new(sound.get(at).copied().unwrap_or(0.0) * window, 0.0);
            }
            self.fft.process_with_scratch(&mut buffer, &mut scratch);
            for (power, value) in power.iter_mut().zip(&buffer) {
                *power = value.norm_sqr();
            }
            for (row, band) in self.bands.iter().enumerate() {
                let bins = power[band.first..].iter().zip(&band.weights);
                let energy: f32 = bins.map(|(power, weight)| power * weight).sum();
                let value = energy.max(1e-10).log10();
                picture[row * columns + column] = value;
                loudest = loudest.max(value);
            }
        }
        for value in &mut picture {
            *value = (value.max(loudest - 8.0) + 4.0) / 4.0;
        }
        picture
    }
}

/// The sample at a padded position: columns are centred, the edges mirror the sound.
fn mirrored(padded: usize, length: usize) -> usize {
    if padded < HALF {
        HALF - padded
    } else {
        let at = padded - HALF;
        if at < length { at } else { 2 * length - 2 - at }
    }
}

/// Triangles of equal area, evenly spaced on Slaney's scale (linear below 1 kHz, then logarithmic).
fn bands() -> Vec<Band> {
    const STEP: f32 = 200.0 / 3.0;
    let log_step = 6.4f32.ln() / 27.0;
    let hertz = |mel: f32| {
        if mel < 15.0 {
            mel * STEP
        } else {
            1000.0 * ((mel - 15.0) * log_step).exp()
        }
    };
    let top = 15.0 + (8000.0f32 / 1000.0).ln() / log_step;
    let edge = |i: usize| hertz(top * i as f32 / (BANDS + 1) as f32);
    let band = |i: usize| {
        let (low, middle, high) = (edge(i), edge(i + 1), edge(i + 2));
        let weight = |bin: usize| {
            let frequency = bin as f32 * RATE as f32 / SIZE as f32;
            let rise = (frequency - low) / (middle - low);
            let fall = (high - frequency) / (high - middle);
            rise.min(fall).max(0.0) * 2.0 / (high - low)
        };
        let first = (0..BINS).find(|&bin| weight(bin) > 0.0).unwrap_or(0);
        let weights = (first..BINS)
            .map(weight)
            .take_while(|&weight| weight > 0.0)
            .collect();
        Band { first, weights }
    };
    (0..BANDS).map(band).collect()
}

#[cfg(test)]
mod tests;
