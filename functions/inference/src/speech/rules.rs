//! What may be said next: moments come in pairs and never go back, some tokens never come at all,
//! and, in the second attempt at a window, no phrase comes twice.

use super::tokens::{Token, Vocabulary};

/// A first moment later than this is not believed: windows begin with speech.
const LATEST_START: usize = 50;
/// The length of a phrase that may not come twice in the careful attempt.
const PHRASE: usize = 4;

/// The rules of one attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) vocabulary: &'a Vocabulary,
    /// Forbids phrases that were said before: the way out of a loop.
    pub(super) no_repeats: bool,
}

impl Rules<'_> {
    /// Forbids tokens by setting them to minus infinity.
    pub(super) fn apply(&self, said: &[Token], logits: &mut [f32]) {
        let v = self.vocabulary;
        for &token in &v.suppressed {
            forbid(logits, token, token + 1);
        }
        forbid(logits, v.end + 1, v.first_time);
        if said.is_empty() {
            for &token in &v.suppressed_first {
                forbid(logits, token, token + 1);
            }
            forbid(logits, 0, v.first_time);
            forbid(logits, v.first_time + LATEST_START + 1, v.len());
        }
        self.pair_moments(said, logits);
        if self.no_repeats {
            self.forbid_repeats(said, logits);
        }
        self.prefer_moments(logits);
    }

    fn pair_moments(&self, said: &[Token], logits: &mut [f32]) {
        let v = self.vocabulary;
        let last_is_time = said.last().is_some_and(|token| v.is_time(*token));
        let one_before = said.len().checked_sub(2).map(|at| said[at]);
        let opens = one_before.is_none_or(|token| v.is_time(token));
        if last_is_time && opens {
            // A segment was opened: text follows.
            forbid(logits, v.first_time, v.len());
        } else if last_is_time {
            // A segment was closed: the next one opens, or that was all.
            forbid(logits, 0, v.end);
        }
        if let Some(&latest) = said.iter().rev().find(|token| v.is_time(**token)) {
            let next = if last_is_time && !opens {
                latest
            } else {
                latest + 1
            };
            forbid(logits, v.first_time, next);
        }
    }

    /// When all moments together are likelier than any text, a moment comes.
    fn prefer_moments(&self, logits: &mut [f32]) {
        let v = self.vocabulary;
        let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (text, moments) = logits.split_at(v.first_time);
        let moments: f32 = moments.iter().map(|logit| (logit - top).exp()).sum();
        let text = text.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if moments > (text - top).exp() {
            forbid(logits, 0, v.first_time);
        }
    }

    fn forbid_repeats(&self, said: &[Token], logits: &mut [f32]) {
        let text: Vec<Token> = said
            .iter()
            .copied()
            .filter(|token| self.vocabulary.is_text(*token))
            .collect();
        let Some(start) = text.len().checked_sub(PHRASE - 1) else {
            return;
        };
        let tail = &text[start..];
        for phrase in text.windows(PHRASE) {
            if phrase.starts_with(tail) {
                forbid(logits, phrase[PHRASE - 1], phrase[PHRASE - 1] + 1);
            }
        }
    }
}

fn forbid(logits: &mut [f32], from: Token, to: Token) {
    let to = to.min(logits.len());
    if from < to {
        logits[from..to].fill(f32::NEG_INFINITY);
    }
}

#[cfg(test)]
mod tests;
