//! The whole way from sound to transcript: find voices, cut windows, tell languages, write down,
//! time the words, and leave out what is not to be trusted.

use std::ops::Range;

use super::SpeechError;
use super::decode::Decoder;
use super::found::Found;
use super::hear::MOMENT;
use super::mel::Mel;
use super::tokens::Token;
use super::transcript::Transcript;
use super::vad::{Vad, seconds, stretches};
use super::wav::RATE;
use super::windows::{Piece, Window, pieces, utterances, windows};

/// An utterance shorter than this says too little about its language.
const TELLING: usize = RATE * 3 / 4;
/// The language of an utterance is told from its first seconds.
const TASTE: usize = 4 * RATE;
/// A language is believed from here on; below it, the neighbours decide.
const BELIEVED: f32 = 0.75;
/// A stretch that is heard a second time is believed from this average log-probability on.
const CLEAR: f64 = -1.0;

/// Everything that a transcription needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transcriber<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) mel: &'a Mel,
    pub(super) vad: &'a Vad,
}

impl Transcriber<'_> {
    /// Writes down a whole sound.
    pub(super) fn transcribe(
        &self,
        sound: &[f32],
        language: Option<Token>,
    ) -> Result<Transcript, SpeechError> {
        let probabilities = self.vad.probabilities(sound, || self.decoder.go_on())?;
        let voices = stretches(&probabilities, sound.len());
        let mut said = utterances(&voices, sound.len());
        self.tell_languages(sound, &mut said, language)?;
        let pieces = pieces(said, &probabilities);
        let mut found = Found::default();
        for window in windows(&pieces) {
            self.hear(sound, &window, &voices, &mut found)?;
            for gap in found.left_out(&window.pieces, &voices) {
                let again = self.hear_again(sound, &gap, language, &voices)?;
                found.take(&gap, &voices, again, CLEAR);
            }
            found.close(&window.pieces, &voices);
        }
        Ok(found.into_transcript())
    }

    /// Hears a stretch alone.
    fn hear_again(
        &self,
        sound: &[f32],
        gap: &Range<usize>,
        language: Option<Token>,
        voices: &[Range<usize>],
    ) -> Result<Found, SpeechError> {
        let mut again = Found::default();
        let window = Window {
            pieces: vec![gap.clone()],
            language,
        };
        self.hear(sound, &window, voices, &mut again)?;
        Ok(again)
    }

    /// A window that mixes languages is translated instead of written down, so each utterance is
    /// tasted first; a lone one need not be.
    fn tell_languages(
        &self,
        sound: &[f32],
        utterances: &mut [Piece],
        language: Option<Token>,
    ) -> Result<(), SpeechError> {
        let alone = utterances.len() < 2;
        for utterance in utterances {
            utterance.language = language;
            if language.is_some() || alone || utterance.range.len() < TELLING {
                continue;
            }
            self.decoder.go_on()?;
            let taste = &sound[utterance.range.clone()];
            let taste = &taste[..taste.len().min(TASTE)];
            let columns = taste.len().div_ceil(MOMENT) * 2;
            let heard = self.decoder.net.listen(self.mel.picture(taste, columns))?;
            let opening = self.decoder.opening(&heard)?;
            tracing::debug!(
                start = seconds(utterance.range.start),
                language = self.decoder.vocabulary.code(opening.language),
                certainty = opening.certainty,
                "an utterance was tasted"
            );
            utterance.language = (opening.certainty >= BELIEVED).then_some(opening.language);
        }
        Ok(())
    }
}
