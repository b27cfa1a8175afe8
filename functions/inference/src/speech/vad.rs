//! Where somebody speaks: Silero's detector over chunks of 32 ms.
//!
//! The detector is the first guard against invented speech: Whisper never hears music or silence
//! that the detector did not take for a voice.

use std::ops::Range;
use std::path::Path;

use ort::value::{Tensor, TensorRef};

use super::SpeechError;
use super::wav::RATE;
use crate::engine::{Engine, Network};

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

const PART: &str = "voice detector";

/// The detector.
#[derive(Debug)]
pub(super) struct Vad {
    network: Network,
    wanted: [String; 2],
}

impl Vad {
    pub(super) fn load(path: &Path, engine: &Engine) -> Result<Self, SpeechError> {
        let network = engine.open(path);
        Ok(Self {
            network: network.map_err(SpeechError::load("silero-vad.onnx"))?,
            wanted: ["output", "stateN"].map(str::to_owned),
        })
    }

    /// The probability of speech in each chunk; the last one is filled up with silence.
    pub(super) fn probabilities(
        &self,
        sound: &[f32],
        mut go_on: impl FnMut() -> Result<(), SpeechError>,
    ) -> Result<Vec<f32>, SpeechError> {
        let failed = SpeechError::run(PART);
        let rate = Tensor::from_array(((), vec![16_000_i64])).map_err(&failed)?;
        let silence = Tensor::from_array(([2, 1, 128], vec![0.0_f32; 256]));
        let mut state = silence.map_err(&failed)?.into_dyn();
        let mut window = vec![0.0_f32; CONTEXT + CHUNK];
        let mut probabilities = Vec::with_capacity(sound.len() / CHUNK + 1);
        for (index, chunk) in sound.chunks(CHUNK).enumerate() {
            if index % 64 == 0 {
                go_on()?;
            }
            window.copy_within(CHUNK.., 0);
            window[CONTEXT..].fill(0.0);
            window[CONTEXT..CONTEXT + chunk.len()].copy_from_slice(chunk);
            let input = TensorRef::from_array_view(([1, CONTEXT + CHUNK], window.as_slice()));
            let inputs = vec![
                ("input".into(), input.map_err(&failed)?.into()),
                ("state".into(), (&state).into()),
                ("sr".into(), (&rate).into()),
            ];
            let answers = self.network.run(inputs, &self.wanted).map_err(&failed)?;
            let Ok([probability, next]) = <[_; 2]>::try_from(answers) else {
                return Err(SpeechError::shape(PART));
            };
            state = next;
            let (_, values) = probability.try_extract_tensor::<f32>().map_err(&failed)?;
            probabilities.push(values.first().copied().unwrap_or(0.0));
        }
        Ok(probabilities)
    }
}

/// Stretches of speech in samples of a sound of this length, without padding.
pub(super) fn stretches(probabilities: &[f32], length: usize) -> Vec<Range<usize>> {
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
    // The last chunk was filled up with silence.
    if let Some(last) = stretches.last_mut() {
        last.end = last.end.min(length);
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
