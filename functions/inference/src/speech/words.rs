//! Tokens become words: a word begins at a space, punctuation belongs to the word it touches.

use super::decode::Spoken;
use super::tokens::{Token, Vocabulary};

/// Punctuation that belongs to the word after it.
const OPENING: &str = "\"“„«‹([{¿¡‘";

/// A word and the tokens that it is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// Without spaces around.
    pub(super) text: String,
    /// First token, counted from the first one of the segment.
    pub(super) first: usize,
    /// One past the last token.
    pub(super) end: usize,
    /// Mean probability of its tokens.
    pub(super) probability: f32,
}

/// The words of one segment's text tokens.
pub(super) fn words(vocabulary: &Vocabulary, spoken: &[Spoken]) -> Vec<Word> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for (index, token) in spoken.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if !vocabulary.begins_word(token.token) => group.1 = index + 1,
            _ => groups.push((index, index + 1)),
        }
    }
    let text = |&(first, end): &(usize, usize)| {
        let tokens: Vec<Token> = spoken[first..end]
            .iter()
            .map(|spoken| spoken.token)
            .collect();
        vocabulary.text(&tokens).trim().to_owned()
    };
    let mut words: Vec<Word> = Vec::new();
    let mut opening: Option<(usize, String)> = None;
    for group in &groups {
        let text = text(group);
        let bare = !text.chars().any(char::is_alphanumeric);
        if bare && text.chars().all(|letter| OPENING.contains(letter)) {
            let (first, before) = opening.take().unwrap_or((group.0, String::new()));
            opening = Some((first, before + &text));
        } else if bare && let Some(last) = words.last_mut() {
            last.text.push_str(&text);
            last.end = group.1;
        } else {
            let (first, before) = opening.take().unwrap_or((group.0, String::new()));
            words.push(Word {
                text: before + &text,
                first,
                end: group.1,
                probability: 0.0,
            });
        }
    }
    for word in &mut words {
        word.probability = mean(&spoken[word.first..word.end]);
    }
    words.retain(|word| word.text.chars().any(char::is_alphanumeric));
    words
}

/// The language of a text: the model sometimes writes a sentence in the other alphabet than that of
/// the language it was told, and is then right.
pub(super) fn language_of<'a>(text: &str, told: &'a str) -> &'a str {
    let letters = || text.chars().filter(|letter| letter.is_alphabetic());
    let cyrillic = letters()
        .filter(|letter| ('\u{400}'..='\u{4ff}').contains(letter))
        .count();
    match told {
        "ru" if cyrillic == 0 && letters().count() > 3 => "en",
        "en" if cyrillic * 2 > letters().count() => "ru",
        _ => told,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a word has a few tokens")]
fn mean(spoken: &[Spoken]) -> f32 {
    let sum: f32 = spoken
        .iter()
        .map(|spoken| spoken.log_probability.exp())
        .sum();
    sum / spoken.len().max(1) as f32
}

#[cfg(test)]
mod tests;
