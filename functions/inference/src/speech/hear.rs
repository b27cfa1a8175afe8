//! Hears one window: its text, the time of each word, and what of it is to be believed.

use std::ops::Range;

use super::SpeechError;
use super::align::{Map, combined, path};
use super::coverage::cut_words;
use super::decode::{Decoded, Spoken};
use super::found::Found;
use super::guard::{MOST_COMPRESSION, compression_ratio, is_loop, is_silence};
use super::mel::HOP;
use super::net::Heard;
use super::tokens::Token;
use super::transcribe::Transcriber;
use super::transcript::{Reason, Segment, TimedWord, rounded};
use super::vad::seconds;
use super::wav::RATE;
use super::windows::{LONGEST, Window};
use super::words::{Word, language_of, words};

/// Samples of a moment: one column of the attention, one step of a time token.
pub(super) const MOMENT: usize = 2 * HOP;
/// Columns of a full window.
const COLUMNS: usize = LONGEST / HOP;
/// If the text ends so long before the sound does, the rest is heard again.
const UNHEARD: usize = 2 * RATE;

/// How far a segment may reach beyond the time that the model gave it, in columns.
const SLACK: usize = RATE * 2 / 5 / MOMENT;

/// Text with a lower average log-probability is invented: another language, or no language at all.
const DOUBTFUL: f64 = -1.5;

/// A window that was written down, and where voices are.
#[derive(Clone, Copy)]
struct Scene<'a> {
    window: &'a Window,
    voices: &'a [Range<usize>],
    decoded: &'a Decoded,
}

impl Transcriber<'_> {
    /// Writes down one window to its end.
    pub(super) fn hear(
        &self,
        sound: &[f32],
        window: &Window,
        voices: &[Range<usize>],
        found: &mut Found,
    ) -> Result<(), SpeechError> {
        let mut rest = window.clone();
        while rest.len() > 0 {
            self.decoder.go_on()?;
            let done = self.window(sound, &rest, voices, found)?;
            rest = rest.rest(done);
        }
        Ok(())
    }

    /// Writes down what is said at once; answers how many samples of the window are done.
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
                window.begins(0)..window.ends(window.len()),
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
            let Some((segment, heard)) = self.segment(part, times, &scene) else {
                continue;
            };
            // Once the model runs in circles, nothing after that is to be trusted.
            circling |= decoded.looped && (self.circles(part) || segment.text == before);
            before.clone_from(&segment.text);
            if circling {
                let (start, end) = (times[0], times[times.len() - 1]);
                found.drop(window.begins(start)..window.ends(end), Reason::Repetition);
            } else if segment.avg_logprob < DOUBTFUL {
                // It counts as not heard: a long one is heard again alone, a short one is listed.
                found.doubt(&heard);
            } else {
                found.say(segment, heard);
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

    /// The columns where each text token can lie: its segment, as the model has timed it, and a
    /// little more. Attention alone strays to the same words said at another time.
    fn places(&self, spoken: &[Spoken], columns: usize) -> Vec<Range<usize>> {
        let v = self.decoder.vocabulary;
        let moment = |at: usize| (spoken[at].token - v.first_time).min(columns);
        let mut places = Vec::new();
        let mut start = 0;
        for (at, token) in spoken.iter().enumerate() {
            if v.is_time(token.token) {
                start = moment(at);
                continue;
            }
            let end = (at..spoken.len()).find(|at| v.is_time(spoken[*at].token));
            let end = end.map_or(columns, moment);
            places.push(start.saturating_sub(SLACK)..(end + SLACK).min(columns));
        }
        places
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
        let columns = length.div_ceil(MOMENT).min(attention.moments).max(1);
        let map_of = |head: usize| {
            let mut map = Map::zero(rows, columns);
            for row in 0..rows {
                let seen = attention.row(head, row + before);
                map.values[row * columns..][..columns].copy_from_slice(&seen[..columns]);
            }
            map
        };
        let mut map = combined((0..attention.heads).map(map_of).collect());
        for (row, place) in self.places(&decoded.spoken, columns).iter().enumerate() {
            map.confine(row, place);
        }
        Ok(path(&map)
            .into_iter()
            .map(|column| column * MOMENT)
            .collect())
    }

    /// A segment, and the samples of its words; none when it is punctuation only.
    fn segment(
        &self,
        part: &[Spoken],
        times: &[usize],
        scene: &Scene<'_>,
    ) -> Option<(Segment, Vec<Range<usize>>)> {
        let v = self.decoder.vocabulary;
        let tokens: Vec<Token> = part.iter().map(|spoken| spoken.token).collect();
        let text = v.text(&tokens).trim().to_owned();
        let words = words(v, part);
        let place = |word: &Word| {
            let start = scene.window.begins(times[word.first]);
            let range = voiced(start..scene.window.ends(times[word.end]), scene.voices);
            (word.text.chars().count(), range)
        };
        let mut places: Vec<_> = words.iter().map(place).collect();
        cut_words(&mut places);
        let heard: Vec<Range<usize>> = places.into_iter().map(|(_, range)| range).collect();
        let spoken = words
            .into_iter()
            .zip(&heard)
            .map(|(word, range)| TimedWord {
                word: word.text,
                start: seconds(range.start),
                end: seconds(range.end),
                probability: rounded(word.probability),
            });
        let segment = Segment {
            start: seconds(heard.first()?.start),
            end: seconds(heard.last()?.end),
            language: language_of(&text, v.code(scene.decoded.language)).to_owned(),
            avg_logprob: rounded(average(part)),
            no_speech_prob: rounded(scene.decoded.no_speech),
            compression_ratio: rounded(compression_ratio(&text)),
            words: spoken.collect(),
            text,
        };
        Some((segment, heard))
    }

    fn circles(&self, part: &[Spoken]) -> bool {
        let tokens: Vec<Token> = part.iter().map(|spoken| spoken.token).collect();
        let text = self.decoder.vocabulary.text(&tokens);
        is_loop(&tokens) || compression_ratio(&text) > MOST_COMPRESSION
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

/// Mean log-probability; no text at all is no reason to believe that somebody spoke.
#[expect(
    clippy::cast_precision_loss,
    reason = "a window has at most 224 tokens"
)]
fn average(spoken: &[Spoken]) -> f32 {
    if spoken.is_empty() {
        return f32::NEG_INFINITY;
    }
    let sum: f32 = spoken.iter().map(|spoken| spoken.log_probability).sum();
    sum / spoken.len().max(1) as f32
}
