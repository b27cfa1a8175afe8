//! Cuts folded signs into words, and into the words that hide between them.

use std::ops::Range;

use super::letters::{self, Alphabet, Class};
use super::{Letters, Place, Reading, Run, Sign, Text, Token};

/// A longer run of single letters is a table or a code.
const MAX_SPACED: usize = 40;
/// A longer mask hides a name or a number, not a word.
const MAX_MASK: usize = 10;
/// Single letters that are words by themselves and may stand beside a spaced word.
const ONE_LETTER_WORDS: &str = "яивскуоаiaб";

pub(super) fn cut(signs: &[Sign], original: &str) -> Text {
    let ranges = word_ranges(signs);
    let words: Vec<Token> = ranges
        .iter()
        .map(|range| {
            token(
                signs,
                range.clone(),
                original,
                readings(&signs[range.clone()]),
            )
        })
        .collect();
    let mut disguised = Vec::new();
    for range in chunk_ranges(signs) {
        let readings = readings(&signs[range.clone()]);
        disguised.push(token(signs, range, original, readings));
    }
    joined(signs, &ranges, original, &mut disguised);
    spaced(signs, &ranges, original, &mut disguised);
    disguised.retain(|token| !token.readings.is_empty());
    Text { words, disguised }
}

fn token(signs: &[Sign], range: Range<usize>, original: &str, readings: Vec<Reading>) -> Token {
    let start = signs[range.start].start;
    let end = signs[range.end - 1].end;
    let capital = original[start..end]
        .chars()
        .next()
        .is_some_and(char::is_uppercase);
    Token {
        start,
        end,
        readings,
        capital,
        ends_sentence: ends_sentence(&signs[range.end..]),
    }
}

/// Whether what stands before the next word parts two sentences: `. `, not the point in `shop.ru`.
fn ends_sentence(behind: &[Sign]) -> bool {
    let between = behind.iter().take_while(|sign| !is_word(sign));
    let mut stopped = false;
    for sign in between.take(MAX_MASK) {
        if stopped && sign.letter.is_whitespace() {
            return true;
        }
        stopped |= matches!(sign.letter, '.' | '!' | '?' | ';');
    }
    false
}

fn is_letter(sign: &Sign) -> bool {
    matches!(sign.class, Class::Cyrillic | Class::Latin | Class::Foreign)
}

fn is_word(sign: &Sign) -> bool {
    is_letter(sign) || sign.class == Class::Digit
}

/// Stretches of letters and digits.
pub(super) fn word_ranges(signs: &[Sign]) -> Vec<Range<usize>> {
    stretches(signs, is_word)
}

fn stretches(signs: &[Sign], belongs: impl Fn(&Sign) -> bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = None;
    for (at, sign) in signs.iter().enumerate() {
        match (belongs(sign), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                ranges.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    ranges.extend(start.map(|from| from..signs.len()));
    ranges
}

/// Stretches in which symbols or masks stand in for letters: `сук@`, `б***ь`, `f--k`.
fn chunk_ranges(signs: &[Sign]) -> Vec<Range<usize>> {
    let is_mask_joint = |at: usize| {
        signs[at].class == Class::Joint
            && [at.checked_sub(1), Some(at + 1)]
                .into_iter()
                .flatten()
                .any(|beside| {
                    signs
                        .get(beside)
                        .is_some_and(|s| s.letter == signs[at].letter)
                })
    };
    let belongs = |at: usize| {
        is_word(&signs[at])
            || matches!(signs[at].class, Class::Symbol | Class::Mask)
            || is_mask_joint(at)
    };
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < signs.len() {
        let start = at;
        while at < signs.len() && belongs(at) {
            at += 1;
        }
        if let Some(range) = trimmed(signs, start..at) {
            // A leading `@` may be a letter or only a sign before a name: both are tried.
            let first_word = range.clone().find(|at| is_word(&signs[*at]));
            if first_word != Some(range.start) {
                ranges.extend(first_word.and_then(|from| trimmed(signs, from..range.end)));
            }
            ranges.push(range);
        }
        at += 1;
    }
    ranges
}

/// Without what is punctuation at the ends; `None` when nothing but an ordinary word is left.
fn trimmed(signs: &[Sign], mut range: Range<usize>) -> Option<Range<usize>> {
    let is_end = |sign: &Sign| sign.class == Class::Joint || "!|#&%^_¡".contains(sign.letter);
    while !range.is_empty() && is_end(&signs[range.end - 1]) {
        range.end -= 1;
    }
    while !range.is_empty() && is_end(&signs[range.start]) {
        range.start += 1;
    }
    let special = signs[range.clone()].iter().any(|sign| !is_word(sign));
    (special && signs[range.clone()].iter().any(is_letter)).then_some(range)
}

/// Words broken by one hyphen, as at the end of a line: `су-ка`.
fn joined(signs: &[Sign], ranges: &[Range<usize>], original: &str, into: &mut Vec<Token>) {
    let is_hyphen = |pair: &[Range<usize>]| {
        let gap = &signs[pair[0].end..pair[1].start];
        gap.len() == 1 && gap[0].class == Class::Joint && gap[0].letter != '.'
    };
    let mut at = 0;
    while at < ranges.len() {
        let mut last = at;
        while last + 1 < ranges.len() && is_hyphen(&ranges[last..=last + 1]) {
            last += 1;
        }
        let parts = &ranges[at..=last];
        let letters = parts.iter().map(ExactSizeIterator::len).sum::<usize>();
        if (2..=4).contains(&parts.len()) && (4..=24).contains(&letters) {
            put_together(signs, parts, original, into);
        }
        at = last + 1;
    }
}

/// Letters that stand alone: `с у к а`, `с.у.к.а`, `с/у/к/а`.
fn spaced(signs: &[Sign], ranges: &[Range<usize>], original: &str, into: &mut Vec<Token>) {
    let is_gap = |pair: &[Range<usize>]| {
        let gap = &signs[pair[0].end..pair[1].start];
        (1..=3).contains(&gap.len())
            && gap.iter().all(|sign| {
                matches!(sign.class, Class::Joint | Class::Mask)
                    || matches!(sign.letter, '/' | '\\')
                    || sign.letter.is_whitespace()
            })
    };
    let mut at = 0;
    while at < ranges.len() {
        let mut last = at;
        while ranges[at].len() == 1
            && last + 1 < ranges.len()
            && ranges[last + 1].len() == 1
            && is_gap(&ranges[last..=last + 1])
        {
            last += 1;
        }
        let run = &ranges[at..=last];
        if (3..=MAX_SPACED).contains(&run.len()) {
            for part in candidates(signs, run) {
                put_together(signs, part, original, into);
            }
        }
        at = last + 1;
    }
}

/// The run, and the run without the one-letter words at its ends.
fn candidates<'a>(signs: &[Sign], run: &'a [Range<usize>]) -> Vec<&'a [Range<usize>]> {
    let alone = |range: &Range<usize>| ONE_LETTER_WORDS.contains(signs[range.start].letter);
    let before = run.iter().take_while(|range| alone(range)).take(3).count();
    let after = run
        .iter()
        .rev()
        .take_while(|range| alone(range))
        .take(3)
        .count();
    let mut parts = Vec::new();
    for skip in 0..=before {
        for drop in 0..=after {
            if skip + drop + 3 <= run.len() {
                parts.push(&run[skip..run.len() - drop]);
            }
        }
    }
    parts
}

fn put_together(signs: &[Sign], parts: &[Range<usize>], original: &str, into: &mut Vec<Token>) {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return;
    };
    let letters: Vec<Sign> = parts
        .iter()
        .flat_map(|part| signs[part.clone()].to_vec())
        .collect();
    let mut readings = readings(&letters);
    for reading in &mut readings {
        reading.whole_words_only = true;
    }
    into.push(token(signs, first.start..last.end, original, readings));
}

/// Every way to read a word.
fn readings(signs: &[Sign]) -> Vec<Reading> {
    let count = |class| signs.iter().filter(|sign| sign.class == class).count();
    let (cyrillic, latin) = (count(Class::Cyrillic), count(Class::Latin));
    let letters = cyrillic + latin + count(Class::Foreign);
    // `A55` is a telephone and `5x` a number: few letters among many signs disguise nothing.
    let may_disguise = letters >= 2 && letters >= count(Class::Digit) + count(Class::Symbol);
    let mut found = Vec::new();
    if cyrillic > 0 || latin == 0 {
        found.extend(reading(signs, Alphabet::Cyrillic, may_disguise));
    }
    if latin > 0 || cyrillic == 0 {
        found.extend(reading(signs, Alphabet::Latin, may_disguise));
    }
    found.extend(capitals(signs));
    let word = signs
        .iter()
        .position(is_letter)
        .zip(signs.iter().rposition(is_letter));
    if let Some((first, last)) = word
        && last - first + 1 < signs.len()
        && signs[first..=last].iter().all(is_letter)
        && signs.iter().all(is_word)
    {
        // A number glued to a word is not part of it: `слово2024`.
        found.extend(readings(&signs[first..=last]));
    }
    found
}

/// Latin capitals that all have the shape of a Cyrillic one: `CYKA`. In lower case, or by the
/// sound of a letter, ordinary English words would turn into Russian ones.
fn capitals(signs: &[Sign]) -> Option<Reading> {
    if signs.len() < 4 || !signs.iter().all(|sign| sign.capital) {
        return None;
    }
    let mut written = signs.to_vec();
    for sign in &mut written {
        *sign = Sign {
            letter: letters::capital_twin(sign.letter)?,
            class: Class::Cyrillic,
            ..*sign
        };
    }
    let reading = reading(&written, Alphabet::Cyrillic, false)?;
    Some(Reading {
        whole_words_only: true,
        doubles: false,
        ..reading
    })
}

fn reading(signs: &[Sign], alphabet: Alphabet, may_disguise: bool) -> Option<Reading> {
    let mut runs: Vec<Run> = Vec::with_capacity(signs.len());
    for sign in signs {
        let place = place(sign, alphabet, may_disguise)?;
        match runs.last_mut() {
            Some(last) if last.place == place => last.count += 1,
            _ => runs.push(Run { place, count: 1 }),
        }
    }
    let is_long = |run: &Run| run.place == Place::Hidden && run.count > MAX_MASK;
    (!runs.iter().any(is_long)).then_some(Reading {
        runs,
        whole_words_only: false,
        doubles: alphabet == Alphabet::Cyrillic,
    })
}

/// `None` when the sign cannot stand in a word of this alphabet.
fn place(sign: &Sign, alphabet: Alphabet, may_disguise: bool) -> Option<Place> {
    let twins = if may_disguise {
        letters::letters(sign.letter, alphabet)
    } else {
        ""
    };
    let own = match (sign.class, alphabet) {
        (Class::Mask | Class::Joint, _) => return Some(Place::Hidden),
        (Class::Cyrillic, Alphabet::Cyrillic) | (Class::Latin, Alphabet::Latin) => {
            Some(sign.letter)
        }
        (Class::Digit | Class::Foreign, _) => Some(sign.letter),
        _ => None,
    };
    let letters = Letters::new(own, twins);
    (!letters.chars().is_empty()).then_some(Place::Letters(letters))
}
