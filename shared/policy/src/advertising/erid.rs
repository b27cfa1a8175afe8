//! The identifier of an advertisement: `erid: 2VtzqxXyZ12`, `?erid=LjN8Kaaxi`.
//!
//! Tokens of the registries are written in base 58; screens are read by machines that take `е` for `e`,
//! `O` for `0` and a line's end for a blank, so letters of the same shape are folded and any letter or
//! digit of the Latin alphabet is let through. What is not let through is a word: a token has a digit
//! in it, or capitals inside.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::{Hit, How};

/// Of a token, in characters: those of the largest registry have nine, none is longer than a line.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=64;
/// A token that was read with a blank in it is put together of so many pieces.
const MOST_PIECES: usize = 3;
/// Beginnings by which a token is told where nothing announces it.
const KNOWN: [&str; 12] = [
    "2Vtz", "2Vfn", "2VSb", "2SDn", "2W5z", "LatgB", "LjN8K", "Kra2", "Pb3Xm", "F7NfY", "5jtCe",
    "4CQwV",
];

/// The word itself, as it is read and as it is heard.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:^|[^\p{L}\p{N}])([eеéë][rг][i1lіíɪ|!](?:d|cl)|[еэ]-?рид(?:а|у|ом)?|e[ .-]r[ .-]i[ .-]d|[еэ][ .-]р[ .-]и[ .-]д|[ие][ -][эа]р[ -]ай[ -]ди)(?:[^\p{L}]|$)",
    )
    .ok()
});

/// The word as it is heard: «ерид», "e-rid", its letters one by one.
pub(super) fn named(text: &str) -> Option<Hit> {
    let found = NAME.as_ref()?.captures(text)?.get(1)?;
    Some(hit(found.range()))
}

/// The token, announced or of a known beginning.
pub(super) fn find(text: &str) -> Option<Hit> {
    let announced = NAME.as_ref()?.captures_iter(text).find_map(|captures| {
        let name = captures.get(1)?;
        token_after(text, name.end()).map(|end| name.start()..end)
    });
    let known = || {
        let mut pieces = pieces(text);
        pieces.find(|range| {
            let token = folded(&text[range.clone()]);
            token.as_deref().is_some_and(|token| {
                is_token(token) && KNOWN.iter().any(|start| token.starts_with(start))
            })
        })
    };
    announced.or_else(known).map(hit)
}

fn hit(range: Range<usize>) -> Hit {
    Hit {
        entry: "ERID".into(),
        start: range.start,
        end: range.end,
        how: How::Plain,
    }
}

/// Where the token ends that begins behind a place, put together of what was torn apart.
fn token_after(text: &str, from: usize) -> Option<usize> {
    let mut token = String::new();
    for range in pieces(&text[from..]).take(MOST_PIECES) {
        token.push_str(&folded(&text[from..][range.clone()])?);
        if is_token(&token) {
            return Some(from + range.end);
        }
    }
    None
}

/// Stretches of letters and digits.
fn pieces(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let rest = &text[start..];
        let length = rest.find(|c: char| !c.is_alphanumeric());
        at = start + length.unwrap_or(rest.len());
        Some(start..at)
    })
}

fn is_token(token: &str) -> bool {
    let has = |is: fn(&char) -> bool| token.chars().any(|c| is(&c));
    let mixed =
        has(char::is_ascii_lowercase) && token.chars().skip(1).any(|c| c.is_ascii_uppercase());
    let coded = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
    LENGTH.contains(&token.len()) && (mixed || coded)
}

/// Letters of the shape of Latin ones as these; `None` when one has no such shape, or when nothing
/// Latin is there to begin with.
fn folded(piece: &str) -> Option<String> {
    let latin_at_all = piece.contains(|c: char| c.is_ascii_alphanumeric());
    piece
        .chars()
        .map(latin)
        .collect::<Option<String>>()
        .filter(|_| latin_at_all)
}

fn latin(sign: char) -> Option<char> {
    let twin = match sign {
        _ if sign.is_ascii_alphanumeric() => sign,
        'А' => 'A',
        'В' => 'B',
        'С' => 'C',
        'Е' => 'E',
        'Н' => 'H',
        'І' => 'I',
        'К' => 'K',
        'М' => 'M',
        'О' => 'O',
        'Р' => 'P',
        'Ѕ' => 'S',
        'Т' => 'T',
        'Х' => 'X',
        'У' => 'Y',
        'З' => '3',
        'а' => 'a',
        'с' => 'c',
        'е' => 'e',
        'і' => 'i',
        'к' => 'k',
        'м' => 'm',
        'о' => 'o',
        'р' => 'p',
        'ѕ' => 's',
        'т' => 't',
        'х' => 'x',
        'у' => 'y',
        'в' => 'b',
        'н' => 'h',
        'з' => '3',
        'б' => '6',
        _ => return None,
    };
    Some(twin)
}
