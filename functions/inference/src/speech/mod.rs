//! Speech to text: Whisper base behind a voice detector, with a time for every word.
//!
//! Sound goes through `vad` (where is a voice), `windows` (what is heard at once), `mel`, `net`,
//! `decode` under `rules` (what is said), `align` (when), `guard` (what is not to be believed), and
//! `coverage` and `found` (what was left out).

mod align;
mod coverage;
mod decode;
mod error;
mod found;
mod guard;
mod hear;
mod mel;
mod net;
mod rules;
mod tokens;
mod transcribe;
mod transcript;
mod vad;
mod wav;
mod windows;
mod words;

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use shared_domain::Task;

pub use error::SpeechError;

use crate::engine::Engine;
use crate::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};
use crate::weights::{Folder, WeightsError};
use decode::Decoder;
use mel::Mel;
use net::Net;
use tokens::{Token, Vocabulary};
use transcribe::Transcriber;
use vad::Vad;

const FILES: [&str; 5] = [
    "silero-vad.onnx",
    "whisper-base/encoder.onnx",
    "whisper-base/decoder.onnx",
    "whisper-base/config.json",
    "whisper-base/vocabulary.txt",
];

/// The model `local/whisper-base`.
#[derive(Debug)]
pub struct Whisper {
    card: ModelCard,
    folder: Folder,
    threads: usize,
    /// Loaded by the first question and shared by all.
    loaded: Mutex<Option<Arc<Loaded>>>,
}

#[derive(Debug)]
struct Loaded {
    net: Net,
    vocabulary: Vocabulary,
    mel: Mel,
    vad: Vad,
}

impl Whisper {
    /// Makes the model ready to load; fails at once when a file of it is not there.
    ///
    /// `threads` is for one question.
    pub fn connect(folder: &Folder, threads: usize) -> Result<Self, WeightsError> {
        folder.require(&FILES)?;
        let card = ModelCard {
            task: Task::Speech,
            owner_name: "local/whisper-base",
            version: Folder::version(&FILES),
            adapter: "whisper-diarization",
            file_fields: &["audio"],
            licence: "MIT (Whisper base, Silero VAD)",
            summary: "Writes down speech in Russian, English and other languages, with word times.",
            limits: Vec::new(),
        };
        Ok(Self {
            card,
            folder: folder.clone(),
            threads,
            loaded: Mutex::default(),
        })
    }

    fn loaded(&self) -> Result<Arc<Loaded>, SpeechError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = &*loaded {
            return Ok(Arc::clone(loaded));
        }
        let fresh = Arc::new(Loaded::load(&self.folder, self.threads)?);
        *loaded = Some(Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl Loaded {
    fn load(folder: &Folder, threads: usize) -> Result<Self, SpeechError> {
        let [vad, encoder, decoder, config, vocabulary] = FILES;
        let engine = Engine::start(folder, threads)?;
        Ok(Self {
            vad: Vad::load(&folder.path(vad)?, &engine)?,
            net: Net::load(&folder.path(encoder)?, &folder.path(decoder)?, &engine)?,
            vocabulary: Vocabulary::load(&folder.path(vocabulary)?, &folder.path(config)?)?,
            mel: Mel::new(),
        })
    }

    /// The token of the language that was asked for; none for `auto`.
    fn language(&self, input: &Input) -> Result<Option<Token>, SpeechError> {
        match input.text("language").map(str::trim) {
            None | Some("" | "auto") => Ok(None),
            Some(code) => self
                .vocabulary
                .find_language(code)
                .map(Some)
                .ok_or_else(|| {
                    SpeechError::Sound(format!("{code:?} is no language code of this model"))
                }),
        }
    }
}

impl Predictor for Whisper {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError> {
        let sound = wav::samples(input.file("audio")?)?;
        let loaded = self.loaded()?;
        let language = loaded.language(input)?;
        let decoder = Decoder {
            net: &loaded.net,
            vocabulary: &loaded.vocabulary,
            cancel,
        };
        let transcriber = Transcriber {
            decoder,
            mel: &loaded.mel,
            vad: &loaded.vad,
        };
        let transcript = transcriber.transcribe(&sound, language)?;
        serde_json::to_value(transcript).map_err(|error| PredictError::Model(error.to_string()))
    }
}

#[cfg(test)]
mod tests;
