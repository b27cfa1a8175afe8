//! The model `local/ppocr-tesseract`: words on the screen, Russian and English.
//!
//! `detect` and `regions` say where lines stand, `straighten` cuts them out, `recognise` reads Latin
//! letters and `tesseract` Cyrillic ones after `clean`, `choose` takes each word from the one who is
//! right about it, `masks` puts the stars of one between the letters of the other, and `memory`
//! spares captions that stay.
//!
//! Without Tesseract and its Russian data only Latin text is read, and both the card and every
//! answer say so.

mod choose;
mod clean;
mod detect;
mod hull;
mod lines;
mod masks;
mod memory;
mod recognise;
mod regions;
mod script;
mod straighten;
mod tesseract;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shared_domain::Task;

use super::VisionError;
use super::net::OnDemand;
use super::picture::Picture;
use crate::engine::Engine;
use crate::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};
use crate::weights::{Folder, WeightsError};
use detect::Detector;
use lines::Reader;
use memory::Memory;
use recognise::Recogniser;
use straighten::straighten;
use tesseract::Tesseract;

const DETECTION: &str = "ppocr-det.onnx";
const RECOGNITION: &str = "ppocr-rec.onnx";
/// Said when Tesseract or its Russian data is not installed.
pub const NO_RUSSIAN: &str = "ru_text_not_checked";
/// Length of the longer side at which lines are looked for. Of captions in a 1280×720 frame, drawn
/// in four fonts and colours over real frames, 960 found 94, 95 and 98 % at 14, 16 and 20 pixels;
/// 832 found 91, 95 and 96 % in three quarters of the time, 640 found 58, 76 and 83 %.
const SIDE: usize = 832;

/// The model `local/ppocr-tesseract`.
#[derive(Debug)]
pub struct ScreenText {
    card: ModelCard,
    nets: OnDemand<Nets>,
    tesseract: Option<Tesseract>,
    memory: Memory,
}

#[derive(Debug)]
struct Nets {
    detector: Detector,
    recogniser: Recogniser,
}

impl ScreenText {
    /// Makes the model ready to load, and looks whether Tesseract is installed; fails at once when
    /// a file of the networks is not there. `threads` is for one question.
    pub fn connect(folder: &Folder, threads: usize) -> Result<Self, WeightsError> {
        Self::with_reader(folder, threads, Path::new("tesseract"))
    }

    /// As `connect`, with the program that reads Cyrillic.
    pub fn with_reader(
        folder: &Folder,
        threads: usize,
        program: &Path,
    ) -> Result<Self, WeightsError> {
        folder.require(&[DETECTION, RECOGNITION])?;
        let tesseract = Tesseract::find(program);
        let limits = if tesseract.is_some() {
            Vec::new()
        } else {
            tracing::warn!(
                "tesseract with Russian and English is not installed: Russian text on the screen is \
                 not checked (Debian: tesseract-ocr tesseract-ocr-rus tesseract-ocr-eng)"
            );
            vec![NO_RUSSIAN.to_owned()]
        };
        let card = ModelCard {
            task: Task::Text,
            owner_name: "local/ppocr-tesseract",
            version: Folder::version(&[DETECTION, RECOGNITION]),
            adapter: "pp-ocr",
            file_fields: &["image"],
            licence: "Apache-2.0 (PP-OCRv6, Tesseract)",
            summary: "Reads words on the screen in Russian and English.",
            limits,
        };
        let folder = folder.clone();
        let nets = OnDemand::new(move || {
            let engine = Engine::start(&folder, threads)?;
            Ok(Nets {
                detector: Detector::load(&folder.path(DETECTION)?, SIDE, &engine)?,
                recogniser: Recogniser::load(&folder.path(RECOGNITION)?, &engine)?,
            })
        });
        Ok(Self {
            card,
            nets,
            tesseract,
            memory: Memory::default(),
        })
    }

    /// With another scratch folder than the system's, if one is set.
    #[must_use]
    pub fn with_temp_dir(mut self, temp_dir: Option<PathBuf>) -> Self {
        let tesseract = self.tesseract.take();
        self.tesseract = tesseract.map(|tesseract| tesseract.with_temp_dir(temp_dir));
        self
    }

    fn read(&self, picture: &Picture, cancel: &Cancel) -> Result<Value, VisionError> {
        let nets = self.nets.loaded()?;
        cancel.check()?;
        let regions = nets.detector.find(picture)?;
        let cut = |region: &regions::Region| straighten(picture, &region.rect);
        let crops: Vec<Picture> = regions.iter().map(cut).collect();
        let reader = Reader {
            recogniser: &nets.recogniser,
            tesseract: self.tesseract.as_ref(),
            memory: &self.memory,
            cancel,
        };
        let mut results = Vec::new();
        let mut unread = Vec::new();
        for (region, line) in regions.iter().zip(reader.read(&crops)?) {
            let corners = corners(region, picture);
            match line {
                Some(line) => results.push(json!({
                    "box": corners,
                    "text": line.text,
                    "confidence": line.confidence,
                    "alternatives": line.alternatives,
                })),
                None if region.is_line() => unread.push(json!({ "box": corners })),
                // Fur, leaves and windows: what nobody can read and is no line's shape is no text.
                None => {}
            }
        }
        Ok(json!({ "results": results, "unread": unread, "limits": self.card.limits }))
    }
}

/// The corners of a box within the picture, to a tenth of a pixel.
fn corners(region: &regions::Region, picture: &Picture) -> [[f64; 2]; 4] {
    #[expect(clippy::cast_precision_loss, reason = "sides of a picture")]
    let most = [picture.width as f64, picture.height as f64];
    let tenths =
        |value: f32, most: f64| (f64::from(value) * 10.0).round().clamp(0.0, most * 10.0) / 10.0;
    let corners = region.rect.corners();
    corners.map(|[x, y]| [tenths(x, most[0]), tenths(y, most[1])])
}

impl Predictor for ScreenText {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError> {
        let picture = Picture::decode(input.file("image")?)?;
        Ok(self.read(&picture, cancel)?)
    }
}

#[cfg(test)]
mod tests;
