//! The vocabulary: ids of the special tokens, and tokens back to bytes.
//!
//! A token is a run of bytes, not of letters: half a Cyrillic letter can be one. The vocabulary
//! writes bytes as printable characters (GPT-2's table), one token a line.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::SpeechError;

/// A position in the vocabulary.
pub(super) type Token = usize;

#[derive(Deserialize)]
struct Config {
    lang_ids: Vec<Token>,
    suppress_ids: Vec<Token>,
    suppress_ids_begin: Vec<Token>,
}

/// Everything that is known of tokens.
#[derive(Debug)]
pub(super) struct Vocabulary {
    bytes: Vec<Vec<u8>>,
    /// `ru`, `en` … by token.
    languages: BTreeMap<Token, String>,
    pub(super) start: Token,
    pub(super) end: Token,
    pub(super) transcribe: Token,
    pub(super) no_speech: Token,
    pub(super) no_timestamps: Token,
    /// The token of 0.00 s; each further one is 20 ms later.
    pub(super) first_time: Token,
    /// Never said.
    pub(super) suppressed: Vec<Token>,
    /// Never said first.
    pub(super) suppressed_first: Vec<Token>,
}

impl Vocabulary {
    pub(super) fn load(vocabulary: &Path, config: &Path) -> Result<Self, SpeechError> {
        const FILE: &str = "vocabulary.txt";
        let read = |path: &Path| std::fs::read(path).map_err(|error| unusable(FILE, &error));
        let text = String::from_utf8(read(vocabulary)?).map_err(|error| unusable(FILE, &error))?;
        let config: Config = serde_json::from_slice(&read(config)?)
            .map_err(|error| unusable("config.json", &error))?;
        Self::parse(&text, config)
    }

    fn parse(text: &str, config: Config) -> Result<Self, SpeechError> {
        let lines: Vec<&str> = text
            .strip_suffix('\n')
            .unwrap_or(text)
            .split('\n')
            .collect();
        let token = |name: &str| {
            let position = lines.iter().position(|line| *line == name);
            position.ok_or_else(|| unusable("vocabulary.txt", &format!("it lacks {name}")))
        };
        let language = |&id: &Token| {
            let name = lines.get(id)?.strip_prefix("<|")?.strip_suffix("|>")?;
            Some((id, name.to_owned()))
        };
        let table = byte_table();
        Ok(Self {
            languages: config.lang_ids.iter().filter_map(language).collect(),
            start: token("<|startoftranscript|>")?,
            end: token("<|endoftext|>")?,
            transcribe: token("<|transcribe|>")?,
            no_speech: token("<|nocaptions|>").or_else(|_| token("<|nospeech|>"))?,
            no_timestamps: token("<|notimestamps|>")?,
            first_time: token("<|0.00|>")?,
            bytes: lines.iter().map(|line| bytes_of(line, &table)).collect(),
            suppressed: config.suppress_ids,
            suppressed_first: config.suppress_ids_begin,
        })
    }

    /// How many tokens there are.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The token of a language code.
    pub(super) fn find_language(&self, code: &str) -> Option<Token> {
        self.languages
            .iter()
            .find(|(_, name)| *name == code)
            .map(|(token, _)| *token)
    }

    /// The code of a language token.
    pub(super) fn code(&self, token: Token) -> &str {
        self.languages.get(&token).map_or("und", String::as_str)
    }

    /// Every language token.
    pub(super) fn languages(&self) -> impl Iterator<Item = Token> {
        self.languages.keys().copied()
    }

    /// Whether a token is a moment.
    pub(super) fn is_time(&self, token: Token) -> bool {
        token >= self.first_time
    }

    /// Whether a token is text.
    pub(super) fn is_text(&self, token: Token) -> bool {
        token < self.end
    }

    /// Whether a word begins with this token.
    pub(super) fn begins_word(&self, token: Token) -> bool {
        self.bytes
            .get(token)
            .is_some_and(|bytes| bytes.first() == Some(&b' '))
    }

    /// The text of some tokens; special ones are left out, broken letters become `U+FFFD`.
    pub(super) fn text(&self, tokens: &[Token]) -> String {
        let tokens = tokens.iter().filter(|token| self.is_text(**token));
        let bytes: Vec<u8> = tokens
            .filter_map(|token| self.bytes.get(*token))
            .flatten()
            .copied()
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn unusable(file: &'static str, reason: &impl ToString) -> SpeechError {
    SpeechError::Vocabulary {
        file,
        reason: reason.to_string(),
    }
}

/// Printable bytes stand for themselves, the others for the characters from U+0100 on, in order.
fn byte_table() -> BTreeMap<char, u8> {
    let mut table = BTreeMap::new();
    let mut next = 0x100;
    for byte in 0..=255u8 {
        let itself = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        if itself {
            table.insert(char::from(byte), byte);
        } else if let Some(stand_in) = char::from_u32(next) {
            table.insert(stand_in, byte);
            next += 1;
        }
    }
    table
}

fn bytes_of(line: &str, table: &BTreeMap<char, u8>) -> Vec<u8> {
    line.chars()
        .filter_map(|letter| table.get(&letter))
        .copied()
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
