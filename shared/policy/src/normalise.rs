//! Words as a reader sees them, whatever signs they are written with.
//!
//! Nothing is guessed here: a word keeps *all* its possible readings (`сук@` may be `сука`, `x*й` has
//! one letter unknown), and the dictionary decides whether one of them is an entry. Every word keeps
//! its byte range in the text it was cut from, so that a match finds its own place and time.

mod letters;
mod tokens;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use letters::Class;

/// A sign after folding: lower case, compatibility form, without marks.
#[derive(Debug, Clone, Copy)]
struct Sign {
    letter: char,
    class: Class,
    /// Written as a capital letter.
    capital: bool,
    /// Byte range in the original.
    start: usize,
    end: usize,
}

/// The letters that one written sign may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Letters {
    chars: [char; 4],
    len: u8,
    /// The first of them is what is really written.
    pub(crate) literal: bool,
}

impl Letters {
    fn new(written: Option<char>, twins: &str) -> Self {
        let mut chars = ['\0'; 4];
        let mut len = 0;
        for (slot, letter) in chars
            .iter_mut()
            .zip(written.into_iter().chain(twins.chars()))
        {
            *slot = letter;
            len += 1;
        }
        Self {
            chars,
            len,
            literal: written.is_some(),
        }
    }

    pub(crate) fn chars(&self) -> &[char] {
        &self.chars[..usize::from(self.len)]
    }
}

/// What stands at one place of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// One of these letters.
    Letters(Letters),
    /// Any letter: it is masked.
    Hidden,
}

/// A place and how often it stands there in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) place: Place,
    pub(crate) count: usize,
}

/// One way to read a word.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) runs: Vec<Run>,
    /// A daring reading, put together or carried over from another alphabet: entries that leave
    /// their end open would match too much.
    pub(crate) whole_words_only: bool,
    /// A double letter may be a stretched single one. Not in English, where every other word has
    /// one: there only three are.
    pub(crate) doubles: bool,
}

/// A word of the text.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// Byte range in the original.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) readings: Vec<Reading>,
    /// Written with a capital letter.
    pub(crate) capital: bool,
    /// A full stop, or another sign of its kind, stands behind.
    pub(crate) ends_sentence: bool,
}

/// A text cut into words.
#[derive(Debug, Clone, Default)]
pub struct Text {
    /// Words in their order; phrases are looked for here.
    pub(crate) words: Vec<Token>,
    /// Further candidates: masked, spaced, hyphenated words. They overlap `words`.
    pub(crate) disguised: Vec<Token>,
}

impl Text {
    /// Cuts and folds a text.
    pub fn new(text: &str) -> Self {
        tokens::cut(&fold(text), text)
    }
}

/// The words of a dictionary entry, folded as texts are.
pub(crate) fn entry_words(entry: &str) -> Vec<String> {
    let signs = fold(entry);
    let spelled = |range: std::ops::Range<usize>| signs[range].iter().map(|s| s.letter).collect();
    tokens::word_ranges(&signs)
        .into_iter()
        .map(spelled)
        .collect()
}

/// Folds signs one by one, so that each keeps its place.
fn fold(text: &str) -> Vec<Sign> {
    let mut signs: Vec<Sign> = Vec::with_capacity(text.len());
    for (start, original) in text.char_indices() {
        if letters::is_invisible(original) {
            continue;
        }
        let end = start + original.len_utf8();
        // `й` may come in two parts; its mark is no ornament.
        if original == '\u{306}'
            && let Some(last) = signs.last_mut()
            && last.letter == 'и'
        {
            last.letter = 'й';
            last.end = end;
            continue;
        }
        for letter in simple(original) {
            signs.push(Sign {
                letter,
                class: letters::class(letter),
                capital: original.is_uppercase(),
                start,
                end,
            });
        }
    }
    apostrophes(&signs)
}

/// Lower case, compatibility form, without combining marks.
fn simple(original: char) -> impl Iterator<Item = char> {
    std::iter::once(original)
        .nfkc()
        .flat_map(char::to_lowercase)
        .nfc()
        .flat_map(|letter| {
            let keep = matches!(letter, 'й' | 'ї');
            let (kept, split) = if keep {
                (Some(letter), None)
            } else {
                (None, Some(letter))
            };
            kept.into_iter()
                .chain(split.into_iter().nfd().filter(|c| !is_combining_mark(*c)))
        })
        .map(letters::folded)
}

/// An apostrophe in a Russian word stands for `ъ`, in an English one for nothing.
fn apostrophes(signs: &[Sign]) -> Vec<Sign> {
    let class_at = |at: Option<usize>| at.and_then(|at| signs.get(at)).map(|sign| sign.class);
    let mut kept = Vec::with_capacity(signs.len());
    for (at, sign) in signs.iter().enumerate() {
        if sign.class != Class::Apostrophe {
            kept.push(*sign);
            continue;
        }
        match (class_at(at.checked_sub(1)), class_at(Some(at + 1))) {
            (Some(Class::Cyrillic), Some(Class::Cyrillic)) => {
                kept.push(Sign {
                    letter: 'ъ',
                    class: Class::Cyrillic,
                    ..*sign
                });
            }
            (Some(Class::Latin), Some(Class::Latin)) => {}
            _ => kept.push(Sign {
                class: Class::Other,
                ..*sign
            }),
        }
    }
    kept
}

#[cfg(test)]
mod tests;
