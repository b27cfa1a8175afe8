//! Reads the one form of sound that the pipeline makes: WAV, 16 kHz, mono.

use std::io::Cursor;

use hound::{SampleFormat, WavReader};

use super::SpeechError;

/// Samples in a second.
pub(super) const RATE: usize = 16_000;

/// More than this is refused: 64 minutes.
const MOST: usize = 64 * 60 * RATE;

/// The samples, -1 to 1.
pub(super) fn samples(bytes: &[u8]) -> Result<Vec<f32>, SpeechError> {
    let refuse = |reason: &str| {
        SpeechError::Sound(format!(
            "the sound is not usable ({reason}): send WAV, 16 kHz, mono"
        ))
    };
    let mut wav = WavReader::new(Cursor::new(bytes)).map_err(|error| refuse(&error.to_string()))?;
    let spec = wav.spec();
    if spec.sample_rate != 16_000 || spec.channels != 1 {
        return Err(refuse(&format!(
            "{} Hz, {} channels",
            spec.sample_rate, spec.channels
        )));
    }
    if usize::try_from(wav.duration()).unwrap_or(usize::MAX) > MOST {
        return Err(refuse("longer than 64 minutes"));
    }
    let samples: Result<Vec<f32>, hound::Error> = match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Int, 16) => wav
            .samples::<i16>()
            .map(|sample| sample.map(|value| f32::from(value) / 32768.0))
            .collect(),
        (SampleFormat::Float, 32) => wav.samples::<f32>().collect(),
        (_, bits) => return Err(refuse(&format!("{bits} bits"))),
    };
    let mut samples = samples.map_err(|error| refuse(&error.to_string()))?;
    for sample in &mut samples {
        // Not-a-number would spread through the whole model.
        *sample = if sample.is_finite() {
            sample.clamp(-1.0, 1.0)
        } else {
            0.0
        };
    }
    Ok(samples)
}
