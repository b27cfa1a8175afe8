//! The whole way from sound to transcript: find voices, cut windows, tell languages, write down,
//! time the words, and leave out what is not to be trusted.

use std::ops::Range;

use rten_tensor::prelude::*;

use super::SpeechError;
use super::align::{Map, combined, path};
use super::decode::{Decoded, Decoder, Spoken};
use super::guard::{MOST_COMPRESSION, compression_ratio, is_loop, is_silence};
use super::mel::{HOP, Mel};
use super::net::Heard;
use super::tokens::Token;
use super::transcript::{Dropped, Reason, Segment, TimedWord, Transcript, rounded};
use super::vad::{Vad, seconds, stretches};
use super::wav::RATE;
use super::windows::{LONGEST, Piece, Window, pieces, windows};
use super::words::{Word, words};

/// Samples of a moment: one column of the attention, one step of a time token.
const MOMENT: usize = 2 * HOP;
/// Columns of a full window.
const COLUMNS: usize = LONGEST / HOP;
/// A piece shorter than this says too little about its language.
const TELLING: usize = RATE + RATE / 2;
/// The language of a piece is told from its first seconds.
const TASTE: usize = 8 * RATE;
/// A language is believed from here on; below it, the neighbours decide.
const BELIEVED: f32 = 0.6;
/// If the text ends so long before the sound does, the rest is heard again.
const UNHEARD: usize = 2 * RATE;

/// Everything that a transcription needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transcriber<'a> {
    pub(super) decoder: Decoder<'a>,
    pub(super) mel: &'a Mel,
    pub(super) vad: &'a Vad,
}

/// A window that was written down, and where voices are.
#[derive(Clone, Copy)]
struct Scene<'a> {
    window: &'a Window,
    voices: &'a [Range<usize>],
    decoded: &'a Decoded,
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    segments: Vec<Segment>,
    dropped: Vec<Dropped>,
}

impl Transcriber<'_> {
    /// Writes down a whole sound.
    pub(super) fn transcribe(
        &self,
        sound: &[f32],
        language: Option<Token>,
    ) -> Result<Transcript, SpeechError> {
        let probabilities = self.vad.probabilities(sound, || self.decoder.go_on())?;
        let voices = stretches(&probabilities);
        let mut pieces = pieces(&voices, &probabilities, sound.len());
        self.tell_languages(sound, &mut pieces, language)?;
        let mut found = Found::default();
        for window in windows(&pieces) {
            let mut rest = window;
            while rest.len() > 0 {
                self.decoder.go_on()?;
                let heard = self.window(sound, &rest, &voices, &mut found)?;
                rest = rest.rest(heard);
            }
        }
        Ok(Transcript::new(found.segments, found.dropped))
    }

    /// One window may not mix languages, so each piece is tasted first; a lone piece need not be.
    fn tell_languages(
        &self,
        sound: &[f32],
        pieces: &mut [Piece],
        language: Option<Token>,
    ) -> Result<(), SpeechError> {
        let alone = pieces.len() < 2;
        for piece in pieces {
            piece.language = language;
            if language.is_some() || alone || piece.range.len() < TELLING {
                continue;
            }
            self.decoder.go_on()?;
            let taste = &sound[piece.range.clone()];
            let taste = &taste[..taste.len().min(TASTE)];
            let columns = taste.len().div_ceil(MOMENT) * 2;
            let heard = self.decoder.net.listen(self.mel.picture(taste, columns))?;
            let opening = self.decoder.opening(&heard)?;
            piece.language = (opening.certainty >= BELIEVED).then_some(opening.language);
        }
        Ok(())
    }

    /// Writes down one window; answers how many samples of it are done.
    fn window(
        &self,
        sound: &[f32],
        window: &Window,
        voices: &[Range<usize>],
        found: &mut Found,
    ) -> Result<usize, SpeechError> {
        let heard = self
            .decoder
            .net
            .listen(self.mel.picture(&window.sound(sound), COLUMNS))?;
        let decoded = self.decoder.decode(&heard, window.language)?;
        if is_silence(decoded.no_speech, average(&decoded.spoken)) {
            found.drop(
                window.begins(0),
                window.ends(window.len()),
                Reason::NoSpeech,
            );
            return Ok(window.len());
        }
        let done = self.done(&decoded, window.len());
        let parts = self.parts(&decoded.spoken);
        let times = self.times(&decoded, &parts, &heard, window.len())?;
        let scene = Scene {
            window,
            voices,
            decoded: &decoded,
        };
        let mut first = 0;
        let mut before = String::new();
        let mut circling = false;
        for part in parts {
            let times = &times[first..=first + part.len()];
            first += part.len();
            let Some(segment) = self.segment(part, times, &scene) else {
                continue;
            };
            // Once the model runs in circles, nothing after that is to be trusted.
            circling |= decoded.looped && (self.circles(part) || segment.text == before);
            before.clone_from(&segment.text);
            if circling {
                let (start, end) = (times[0], times[times.len() - 1]);
                found.drop(window.begins(start), window.ends(end), Reason::Repetition);
            } else {
                found.segments.push(segment);
            }
        }
        Ok(done)
    }

    /// How far the window was heard: to its end, or to the last moment if text ends well before.
    fn done(&self, decoded: &Decoded, length: usize) -> usize {
        let v = self.decoder.vocabulary;
        let tokens: Vec<Token> = decoded.spoken.iter().map(|spoken| spoken.token).collect();
        let Some(&last) = tokens.last().filter(|token| v.is_time(**token)) else {
            return length;
        };
        let at = (last - v.first_time) * MOMENT;
        let opens_more = tokens.len() > 1 && v.is_time(tokens[tokens.len() - 2]);
        let unheard = length.saturating_sub(at);
        let more = unheard > UNHEARD || (opens_more && unheard > RATE / 2);
        if more && at >= RATE && !decoded.looped {
            at
        } else {
            length
        }
    }

    fn parts<'s>(&self, spoken: &'s [Spoken]) -> Vec<&'s [Spoken]> {
        let v = self.decoder.vocabulary;
        let parts = spoken.split(|spoken| v.is_time(spoken.token));
        parts.filter(|part| !part.is_empty()).collect()
    }

    /// The sample at which each text token begins, and the end of the last.
    fn times(
        &self,
        decoded: &Decoded,
        parts: &[&[Spoken]],
        heard: &Heard,
        length: usize,
    ) -> Result<Vec<usize>, SpeechError> {
        let v = self.decoder.vocabulary;
        let mut tokens = vec![v.start, decoded.language, v.transcribe, v.no_timestamps];
        let before = tokens.len() - 1;
        tokens.extend(parts.iter().copied().flatten().map(|spoken| spoken.token));
        let rows = tokens.len() - before;
        if rows == 1 {
            return Ok(vec![0]);
        }
        tokens.push(v.end);
        let attention = self.decoder.net.attention(&tokens, heard)?;
        let columns = length.div_ceil(MOMENT).min(attention.size(3)).max(1);
        let map_of = |head: usize| {
            let mut map = Map::zero(rows, columns);
            for row in 0..rows {
                for column in 0..columns {
                    map.values[row * columns + column] = attention[[0, head, row + before, column]];
                }
            }
            map
        };
        let heads = (0..attention.size(1)).map(map_of).collect();
        Ok(path(&combined(heads))
            .into_iter()
            .map(|column| column * MOMENT)
            .collect())
    }

    fn segment(&self, part: &[Spoken], times: &[usize], scene: &Scene<'_>) -> Option<Segment> {
        let v = self.decoder.vocabulary;
        let tokens: Vec<Token> = part.iter().map(|spoken| spoken.token).collect();
        let text = v.text(&tokens).trim().to_owned();
        let placed = |word: Word| {
            let start = scene.window.begins(times[word.first]);
            let range = voiced(start..scene.window.ends(times[word.end]), scene.voices);
            TimedWord {
                word: word.text,
                start: seconds(range.start),
                end: seconds(range.end),
                probability: rounded(word.probability),
            }
        };
        let words: Vec<TimedWord> = words(v, part).into_iter().map(placed).collect();
        let (start, end) = (words.first()?.start, words.last()?.end);
        Some(Segment {
            start,
            end,
            language: v.code(scene.decoded.language).to_owned(),
            avg_logprob: rounded(average(part)),
            no_speech_prob: rounded(scene.decoded.no_speech),
            compression_ratio: rounded(compression_ratio(&text)),
            text,
            words,
        })
    }

    fn circles(&self, part: &[Spoken]) -> bool {
        let tokens: Vec<Token> = part.iter().map(|spoken| spoken.token).collect();
        let text = self.decoder.vocabulary.text(&tokens);
        is_loop(&tokens) || compression_ratio(&text) > MOST_COMPRESSION
    }
}

impl Found {
    fn drop(&mut self, start: usize, end: usize, reason: Reason) {
        self.dropped.push(Dropped {
            start: seconds(start),
            end: seconds(end),
            reason,
        });
    }
}

/// A word lies where a voice is: the path gives pauses to the word before or after.
fn voiced(word: Range<usize>, voices: &[Range<usize>]) -> Range<usize> {
    // The detector is a little late at both ends.
    const EDGE: usize = RATE / 20;
    let overlap = |voice: &&Range<usize>| {
        (voice.end + EDGE)
            .min(word.end)
            .saturating_sub(voice.start.saturating_sub(EDGE).max(word.start))
    };
    let Some(voice) = voices
        .iter()
        .max_by_key(overlap)
        .filter(|voice| overlap(voice) > 0)
    else {
        return word.start..word.end.max(word.start);
    };
    let start = word.start.max(voice.start.saturating_sub(EDGE));
    start..word.end.min(voice.end + EDGE).max(start)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a window has at most 224 tokens"
)]
fn average(spoken: &[Spoken]) -> f32 {
    let sum: f32 = spoken.iter().map(|spoken| spoken.log_probability).sum();
    sum / spoken.len().max(1) as f32
}
