//! Reads a line of Latin letters, digits or Chinese. It knows no Cyrillic: such letters come out as
//! Latin ones of the same look, or not at all, and it is sure of itself either way.

use std::path::Path;

use bytes::Bytes;
use prost::Message;

use crate::engine::Engine;
use crate::onnx::ModelProto;
use crate::vision::VisionError;
use crate::vision::net::{Answer, Net};
use crate::vision::picture::{Layout, Levels, Picture};

const NAME: &str = "PP-OCR recognition";
const HEIGHT: usize = 48;
/// A longer line is squeezed: 100 letters and more.
const MAX_WIDTH: usize = 3200;
/// Key of the file's metadata with one character a line.
const ALPHABET: &str = "character";

const LEVELS: Levels = Levels {
    blue_first: true,
    mean: [127.5; 3],
    std: [127.5; 3],
    layout: Layout::Planes,
};

/// One character at its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    pub(super) text: Box<str>,
    pub(super) probability: f32,
    /// Middle of the character, in heights of the line from its left end.
    pub(super) at: f32,
}

/// A line as this network reads it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) glyphs: Vec<Glyph>,
    /// Width of the line over its height.
    pub(super) length: f32,
}

impl Reading {
    pub(super) fn text(&self) -> String {
        let all: String = self.glyphs.iter().map(|glyph| &*glyph.text).collect();
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// With another reading of the place that begins at `from`.
    pub(super) fn patched(&mut self, from: f32, other: Self) {
        let to = from + other.length;
        self.glyphs.retain(|glyph| glyph.at < from || glyph.at > to);
        self.glyphs
            .extend(other.glyphs.into_iter().map(|glyph| Glyph {
                at: glyph.at + from,
                ..glyph
            }));
        self.glyphs.sort_by(|a, b| a.at.total_cmp(&b.at));
    }

    /// Mean over the characters.
    pub(super) fn probability(&self) -> f32 {
        mean(self.glyphs.iter().map(|glyph| glyph.probability))
    }
}

#[expect(clippy::cast_precision_loss, reason = "characters of a line")]
pub(super) fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f32 }
}

/// The network and its alphabet.
#[derive(Debug)]
pub(super) struct Recogniser {
    net: Net,
    alphabet: Vec<Box<str>>,
}

impl Recogniser {
    pub(super) fn load(file: &Path, engine: &Engine) -> Result<Self, VisionError> {
        let alphabet = alphabet(file)?;
        let net = Net::load(NAME, file, engine)?;
        Ok(Self { net, alphabet })
    }

    /// Reads one upright line.
    pub(super) fn read(&self, line: &Picture) -> Result<Reading, VisionError> {
        let width = (line.width * HEIGHT)
            .div_ceil(line.height)
            .clamp(HEIGHT, MAX_WIDTH);
        let input = line.resized(width, HEIGHT)?.levels(&LEVELS);
        let answers = self.net.run(&[1, 3, HEIGHT, width], &input)?;
        let answer = answers.first().ok_or_else(|| VisionError::shape(NAME))?;
        #[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
        let length = line.width as f32 / line.height as f32;
        let glyphs = self.glyphs(answer, length)?;
        Ok(Reading { glyphs, length })
    }

    /// Best character of each step, repeats joined, blanks (index 0) left out.
    #[expect(clippy::cast_precision_loss, reason = "steps of a line")]
    fn glyphs(&self, answer: &Answer, length: f32) -> Result<Vec<Glyph>, VisionError> {
        let classes = self.alphabet.len();
        if answer.shape.last() != Some(&classes) {
            return Err(VisionError::shape(NAME));
        }
        let steps = answer.values.len() / classes;
        let mut glyphs: Vec<Glyph> = Vec::new();
        let mut last = 0;
        for (step, scores) in answer.values.chunks_exact(classes).enumerate() {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let Some((class, &probability)) = best else {
                continue;
            };
            if class != 0 && class != last {
                glyphs.push(Glyph {
                    text: self.alphabet[class].clone(),
                    probability,
                    at: (step as f32 + 0.5) / steps as f32 * length,
                });
            }
            last = class;
        }
        Ok(glyphs)
    }
}

/// Blank, the characters of the metadata, a space.
fn alphabet(file: &Path) -> Result<Vec<Box<str>>, VisionError> {
    let failed = |reason: String| VisionError::Load {
        file: file.to_owned(),
        reason,
    };
    let bytes = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
    let model =
        ModelProto::decode(Bytes::from(bytes)).map_err(|error| failed(error.to_string()))?;
    let characters = model
        .find_metadata(ALPHABET)
        .ok_or_else(|| failed("it has no alphabet in its metadata".to_owned()))?;
    let mut alphabet: Vec<Box<str>> = vec!["".into()];
    alphabet.extend(characters.lines().map(Box::from));
    alphabet.push(" ".into());
    Ok(alphabet)
}
