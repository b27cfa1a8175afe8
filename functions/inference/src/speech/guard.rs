//! Guards against what Whisper invents: loops, and text where nobody speaks.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::tokens::Token;

/// Text that compresses better than this repeats itself (the reference's own limit).
pub(super) const MOST_COMPRESSION: f32 = 2.4;
/// With so little confidence and so likely silence, nothing was said.
const SILENCE: f32 = 0.6;
const DOUBT: f32 = -0.8;
/// So many tokens of pure repetition are a loop; people do say "no, no, no".
const LOOP_TOKENS: usize = 20;
const LOOP_TIMES: usize = 4;

/// Length of the text by its compressed length.
#[expect(clippy::cast_precision_loss, reason = "a text is a few hundred bytes")]
pub(super) fn compression_ratio(text: &str) -> f32 {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = zlib.write_all(text.as_bytes()).and_then(|()| zlib.finish());
    packed.map_or(1.0, |packed| text.len() as f32 / packed.len().max(1) as f32)
}

/// Whether the text ends in a phrase said over and over.
pub(super) fn is_loop(text: &[Token]) -> bool {
    (1..=text.len() / LOOP_TIMES).any(|phrase| {
        let times = LOOP_TIMES.max(LOOP_TOKENS.div_ceil(phrase));
        let Some(start) = text.len().checked_sub(phrase * times) else {
            return false;
        };
        let tail = &text[start..];
        tail.iter().zip(&tail[phrase..]).all(|(a, b)| a == b)
    })
}

/// Whether the model itself doubts that somebody spoke.
pub(super) fn is_silence(no_speech: f32, average_log_probability: f32) -> bool {
    no_speech > SILENCE && average_log_probability < DOUBT
}

#[cfg(test)]
mod tests;
