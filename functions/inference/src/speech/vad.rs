//! Where somebody speaks: Silero's detector over chunks of 32 ms.
//!
//! The detector is the first guard against invented speech: Whisper never hears music or silence
//! that the detector did not take for a voice.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rten::{Model, NodeId, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::SpeechError;
use super::wav::RATE;

/// Samples of a chunk.
pub(super) const CHUNK: usize = 512;
/// Samples of the chunk before that the model wants to see again.
const CONTEXT: usize = 64;

/// Speech begins at this probability …
const BEGINS: f32 = 0.5;
/// … and ends after `PAUSE` chunks below this one.
const ENDS: f32 = 0.35;
/// 128 ms.
const PAUSE: usize = 4;
/// 96 ms: a shout is short, a click is shorter.
const SHORTEST: usize = 3;

/// The detector.
#[derive(Debug)]
pub(super) struct Vad {
    model: Model,
    input: NodeId,
    state: NodeId,
    rate: NodeId,
    output: NodeId,
    next_state: NodeId,
    pool: Option<Arc<ThreadPool>>,
}

impl Vad {
    pub(super) fn load(path: &Path, pool: Option<Arc<ThreadPool>>) -> Result<Self, SpeechError> {
        let model = Model::load_file(path).map_err(|source| SpeechError::Load {
            file: "silero-vad.onnx",
            source: Box::new(source),
        })?;
        let node = |name: &str| {
            model
                .node_id(name)
                .map_err(SpeechError::run("voice detector"))
        };
        Ok(Self {
            input: node("input")?,
            state: node("state")?,
            rate: node("sr")?,
            output: node("output")?,
            next_state: node("stateN")?,
            model,
            pool,
        })
    }

    /// The probability of speech in each chunk; the last one is filled up with silence.
    pub(super) fn probabilities(
        &self,
        sound: &[f32],
        mut go_on: impl FnMut() -> Result<(), SpeechError>,
    ) -> Result<Vec<f32>, SpeechError> {
        const PART: &str = "voice detector";
        let mut state = Tensor::<f32>::zeros(&[2, 1, 128]);
        let rate = Tensor::from_scalar(16_000i32);
        let mut window = vec![0.0; CONTEXT + CHUNK];
        let mut probabilities = Vec::with_capacity(sound.len() / CHUNK + 1);
        for (index, chunk) in sound.chunks(CHUNK).enumerate() {
            if index % 64 == 0 {
                go_on()?;
            }
            window.copy_within(CHUNK.., 0);
            window[CONTEXT..].fill(0.0);
            window[CONTEXT..CONTEXT + chunk.len()].copy_from_slice(chunk);
            let input = NdTensor::from_data([1, CONTEXT + CHUNK], window.clone());
            let inputs = vec![
                (self.input, input.view().into()),
                (self.state, state.view().into()),
                (self.rate, rate.view().into()),
            ];
            let options = RunOptions::default().with_thread_pool(self.pool.clone());
            let outputs = [self.output, self.next_state];
            let answers = self.model.run(inputs, &outputs, Some(options));
            let mut answers = answers.map_err(SpeechError::run(PART))?.into_iter();
            let mut tensor = || -> Option<Tensor<f32>> { answers.next()?.try_into().ok() };
            let probability = tensor().ok_or_else(|| SpeechError::shape(PART))?;
            state = tensor().ok_or_else(|| SpeechError::shape(PART))?;
            probabilities.push(probability.iter().next().copied().unwrap_or(0.0));
        }
        Ok(probabilities)
    }
}

/// Stretches of speech in samples, without padding.
pub(super) fn stretches(probabilities: &[f32]) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    let mut start = None;
    let mut quiet = 0;
    for (index, &probability) in probabilities.iter().enumerate() {
        match start {
            None if probability >= BEGINS => start = Some(index),
            Some(from) => {
                quiet = if probability < ENDS { quiet + 1 } else { 0 };
                if quiet == PAUSE {
                    keep(&mut stretches, from..index + 1 - PAUSE);
                    start = None;
                    quiet = 0;
                }
            }
            None => {}
        }
    }
    if let Some(from) = start {
        keep(&mut stretches, from..probabilities.len() - quiet);
    }
    stretches
}

fn keep(stretches: &mut Vec<Range<usize>>, chunks: Range<usize>) {
    if chunks.len() >= SHORTEST {
        stretches.push(chunks.start * CHUNK..chunks.end * CHUNK);
    }
}

/// Samples as seconds, to the millisecond.
#[expect(
    clippy::cast_precision_loss,
    reason = "an hour of samples is exact in 64-bit floats"
)]
pub(super) fn seconds(samples: usize) -> f64 {
    (samples as f64 * 1000.0 / RATE as f64).round() / 1000.0
}

#[cfg(test)]
mod tests;
