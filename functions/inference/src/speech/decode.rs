//! Turns a window into tokens: the likeliest one each time, within the rules, with a second, more
//! careful attempt when the first runs in circles.

use super::SpeechError;
use super::guard::{MOST_COMPRESSION, compression_ratio, is_loop};
use super::net::{Heard, Net};
use super::rules::Rules;
use super::tokens::{Token, Vocabulary};
use crate::predictor::Cancel;

/// Half of what the decoder can hold, as in the reference.
const LONGEST: usize = 224;

/// A token and how sure the model was of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spoken {
    pub(super) token: Token,
    /// Natural logarithm of its probability.
    pub(super) log_probability: f32,
}

/// What was said in a window.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    pub(super) language: Token,
    pub(super) no_speech: f32,
    pub(super) spoken: Vec<Spoken>,
    /// Both attempts ran in circles.
    pub(super) looped: bool,
}

/// Languages and silence, as heard at the very beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Opening {
    pub(super) language: Token,
    /// How certain that is, 0 to 1.
    pub(super) certainty: f32,
    pub(super) no_speech: f32,
}

/// The decoder of one loaded model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) net: &'a Net,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) cancel: &'a Cancel,
}

impl Decoder<'_> {
    /// Fails when nobody waits any more.
    pub(super) fn go_on(&self) -> Result<(), SpeechError> {
        if self.cancel.is_cancelled() {
            Err(SpeechError::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Which language begins here, and whether anybody speaks.
    pub(super) fn opening(&self, heard: &Heard) -> Result<Opening, SpeechError> {
        let v = self.vocabulary;
        let logits = self.net.say(&[v.start], &mut self.net.silent()?, heard)?;
        let no_speech = probability(&logits, v.no_speech);
        let (language, certainty) = choose_language(v, &logits);
        Ok(Opening {
            language,
            certainty,
            no_speech,
        })
    }

    /// Writes down a window.
    pub(super) fn decode(
        &self,
        heard: &Heard,
        language: Option<Token>,
    ) -> Result<Decoded, SpeechError> {
        let opening = self.opening(heard)?;
        let language = language.unwrap_or(opening.language);
        let first = self.attempt(heard, language, false)?;
        let no_speech = opening.no_speech;
        if !self.runs_in_circles(&first) {
            return Ok(Decoded {
                language,
                no_speech,
                spoken: first,
                looped: false,
            });
        }
        let spoken = self.attempt(heard, language, true)?;
        let looped = self.runs_in_circles(&spoken);
        Ok(Decoded {
            language,
            no_speech,
            spoken,
            looped,
        })
    }

    fn runs_in_circles(&self, spoken: &[Spoken]) -> bool {
        let text = self.text(spoken);
        is_loop(&text) || compression_ratio(&self.vocabulary.text(&text)) > MOST_COMPRESSION
    }

    fn text(&self, spoken: &[Spoken]) -> Vec<Token> {
        let tokens = spoken.iter().map(|spoken| spoken.token);
        tokens
            .filter(|token| self.vocabulary.is_text(*token))
            .collect()
    }

    fn attempt(
        &self,
        heard: &Heard,
        language: Token,
        no_repeats: bool,
    ) -> Result<Vec<Spoken>, SpeechError> {
        let v = self.vocabulary;
        let rules = Rules {
            vocabulary: v,
            no_repeats,
        };
        let mut said = self.net.silent()?;
        let mut logits = self
            .net
            .say(&[v.start, language, v.transcribe], &mut said, heard)?;
        let mut spoken: Vec<Spoken> = Vec::new();
        let mut tokens: Vec<Token> = Vec::new();
        while spoken.len() < LONGEST {
            self.go_on()?;
            rules.apply(&tokens, &mut logits);
            let next = likeliest(&logits);
            if next.token == v.end {
                break;
            }
            spoken.push(next);
            tokens.push(next.token);
            if is_loop(&self.text(&spoken)) {
                break;
            }
            logits = self.net.say(&[next.token], &mut said, heard)?;
        }
        Ok(spoken)
    }
}

/// Languages that the product is made for win against a guess at another one.
const HOME: [&str; 2] = ["ru", "en"];
/// Another language must be at least this certain.
const CERTAIN: f32 = 0.7;

/// The language and how certain it is: among all, or for one of ours, among ours.
fn choose_language(v: &Vocabulary, logits: &[f32]) -> (Token, f32) {
    let share = |token: Token, all: &[Token]| {
        let sum: f32 = all
            .iter()
            .map(|other| (logits[*other] - logits[token]).exp())
            .sum();
        1.0 / sum
    };
    let best = |all: &[Token]| {
        let best = all
            .iter()
            .copied()
            .max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
        best.map_or((v.start, 0.0), |token| (token, share(token, all)))
    };
    let any: Vec<Token> = v.languages().collect();
    let home: Vec<Token> = HOME
        .iter()
        .filter_map(|code| v.find_language(code))
        .collect();
    let (guess, certainty) = best(&any);
    if home.is_empty() || (certainty >= CERTAIN && !home.contains(&guess)) {
        return (guess, certainty);
    }
    best(&home)
}

fn probability(logits: &[f32], token: Token) -> f32 {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - top).exp()).sum();
    (logits[token] - top).exp() / sum
}

fn likeliest(logits: &[f32]) -> Spoken {
    let mut best = (0, f32::NEG_INFINITY);
    for (token, &logit) in logits.iter().enumerate() {
        if logit > best.1 {
            best = (token, logit);
        }
    }
    let sum: f32 = logits.iter().map(|logit| (logit - best.1).exp()).sum();
    Spoken {
        token: best.0,
        log_probability: -sum.ln(),
    }
}

#[cfg(test)]
mod tests;
