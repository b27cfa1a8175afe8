//! Signs that stand in for letters: the Latin reader sees them wherever they are, and Tesseract,
//! which reads the letters around them, takes them for letters.

use super::recognise::{Glyph, Reading};
use super::tesseract::{Sign, Word};

const MASKS: &str = "*#•@";
/// A sign that the Latin reader has seen less surely may be one of Tesseract's letters.
const SURE: f32 = 0.9;
/// Signs no further apart hide letters in a row.
const NEIGHBOURS: f32 = 0.6;
/// So much too far to the right the Latin reader places a sign, and so far off it may be.
const LAG: f32 = 0.1;
const REACH: f32 = 0.2;

/// A word of Tesseract with the mask that the Latin reader has seen in it; `None` where there is
/// none, or Tesseract has read one there as well.
pub(super) fn masked(word: &Word, reading: &Reading) -> Option<String> {
    let inside = |glyph: &&Glyph| {
        is_mask(&glyph.text)
            && glyph.probability >= SURE
            && (word.from..=word.to + LAG).contains(&glyph.at)
    };
    let seen: Vec<&Glyph> = reading.glyphs.iter().filter(inside).collect();
    let mut signs: Vec<Sign> = word.signs.clone();
    for run in seen.chunk_by(|a, b| b.at - a.at <= NEIGHBOURS) {
        let (from, to) = (run[0].at - LAG - REACH, run[run.len() - 1].at - LAG + REACH);
        let covered = |sign: &Sign| (from..=to).contains(&sign.at);
        if signs
            .iter()
            .any(|sign| covered(sign) && !is_mask(&sign.text))
        {
            signs.retain(|sign| !covered(sign));
            signs.extend(run.iter().map(|glyph| Sign {
                text: glyph.text.clone(),
                at: glyph.at - LAG,
            }));
        }
    }
    signs.sort_by(|a, b| a.at.total_cmp(&b.at));
    let text: String = signs.iter().map(|sign| &*sign.text).collect();
    let told = !word.signs.is_empty() && text != word.text && text.contains(char::is_alphabetic);
    told.then_some(text)
}

fn is_mask(text: &str) -> bool {
    MASKS.contains(text)
}

#[cfg(test)]
mod tests;
