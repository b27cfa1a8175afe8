//! Reads a list of words, line by line. The format is in the crate's README.

use super::trie::{Pattern, Spelling};
use super::{DictionaryError, Entry, Kind};
use crate::normalise::entry_words;

/// Nobody writes longer lists by hand.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_ENTRIES: usize = 200_000;
const MAX_LINE_CHARS: usize = 400;
const MAX_WORDS: usize = 8;
/// What one line with `|` may stand for.
const MAX_PHRASES: usize = 4_000;
/// Other words may stand here.
const GAP: &str = "…";

/// Before a root that begins with a consonant.
const PREFIXES: &[&str] = &[
    "", "в", "вз", "вы", "до", "за", "из", "ис", "на", "над", "недо", "не", "ни", "о", "об", "обо",
    "от", "ото", "пере", "по", "под", "подо", "пона", "при", "про", "раз", "разо", "рас", "с",
    "со", "у", "пр",
];
/// Before a root that begins with `е`: a consonant takes `ъ`, often written `ь`.
const HARD_PREFIXES: &[&str] = &[
    "",
    "вы",
    "до",
    "за",
    "на",
    "недо",
    "не",
    "пере",
    "по",
    "пона",
    "при",
    "про",
    "у",
    "о",
    "въ",
    "взъ",
    "изъ",
    "надъ",
    "объ",
    "отъ",
    "подъ",
    "разъ",
    "съ",
    "вь",
    "изь",
    "надь",
    "обь",
    "оть",
    "подь",
    "разь",
    "сь",
    "долбо",
    "мудо",
];

/// Of a phrase.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Word(Pattern),
    Gap,
}

/// What a list holds.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) entries: Vec<(Entry, Vec<Part>)>,
    pub(super) masks: bool,
}

pub(super) fn parse(name: &str, text: &str) -> Result<Parsed, DictionaryError> {
    let fail = |line: usize, reason: String| DictionaryError {
        name: name.to_owned(),
        line,
        reason,
    };
    if text.len() > MAX_BYTES {
        return Err(fail(
            0,
            format!("the list is larger than {MAX_BYTES} bytes"),
        ));
    }
    let mut parsed = Parsed::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "@masks" {
            parsed.masks = true;
            continue;
        }
        add(&mut parsed, line).map_err(|reason| fail(index + 1, reason))?;
        if parsed.entries.len() > MAX_ENTRIES {
            return Err(fail(
                index + 1,
                format!("there are more than {MAX_ENTRIES} entries"),
            ));
        }
    }
    Ok(parsed)
}

fn add(parsed: &mut Parsed, line: &str) -> Result<(), String> {
    if line.chars().count() > MAX_LINE_CHARS {
        return Err(format!(
            "an entry is longer than {MAX_LINE_CHARS} characters"
        ));
    }
    let (mark, rest) = match line.split_at_checked(1) {
        Some((mark @ ("=" | "!" | "+"), rest)) => (mark, rest.trim()),
        _ => ("", line),
    };
    let kind = if mark == "!" {
        Kind::Exception
    } else {
        Kind::Word
    };
    if mark == "+" {
        let core = rest.trim_end_matches('*');
        if core.contains(char::is_whitespace) || core.contains(['*', '|']) {
            return Err("a root with prefixes is one word".into());
        }
        let root = core.to_lowercase().replace('ё', "е");
        let prefixes = if root.starts_with('е') {
            HARD_PREFIXES
        } else {
            PREFIXES
        };
        let end = if rest.ends_with('*') { "*" } else { "" };
        for prefix in prefixes {
            let word = format!("{prefix}{root}");
            let shown = Entry {
                text: word.as_str().into(),
                kind,
            };
            parsed
                .entries
                .push((shown, patterns(&format!("{word}{end}"), "")?));
        }
        return Ok(());
    }
    for phrase in phrases(rest)? {
        let entry = Entry {
            text: phrase.trim_matches('*').into(),
            kind,
        };
        parsed.entries.push((entry, patterns(&phrase, mark)?));
    }
    Ok(())
}

/// Every phrase that a line with alternatives stands for: `купи*|закажи* здесь`.
fn phrases(line: &str) -> Result<Vec<String>, String> {
    let mut phrases = vec![String::new()];
    for word in line.split_whitespace() {
        let ways: Vec<&str> = word.split('|').collect();
        if ways.contains(&"") {
            return Err("`|` stands between two words".into());
        }
        if phrases.len() * ways.len() > MAX_PHRASES {
            return Err(format!("a line stands for more than {MAX_PHRASES} phrases"));
        }
        phrases = phrases
            .iter()
            .flat_map(|phrase| ways.iter().map(move |way| format!("{phrase} {way}")))
            .collect();
    }
    Ok(phrases.iter().map(|phrase| phrase.trim().into()).collect())
}

fn patterns(text: &str, mark: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for written in text.split_whitespace() {
        if written == GAP {
            parts.push(Part::Gap);
            continue;
        }
        let (open_start, open_end) = (written.starts_with('*'), written.ends_with('*'));
        let core = written.trim_matches('*');
        if core.contains('*') {
            return Err("`*` stands at the beginning or the end of a word".into());
        }
        let words = entry_words(core);
        let last = words.len().saturating_sub(1);
        for (index, letters) in words.into_iter().enumerate() {
            let open = (open_start && index == 0, open_end && index == last);
            parts.push(Part::Word(pattern(letters, open, mark == "=", core)?));
        }
    }
    let is_gap = |part: Option<&Part>| part == Some(&Part::Gap);
    let doubled = parts.windows(2).any(|two| two == [Part::Gap, Part::Gap]);
    if is_gap(parts.first()) || is_gap(parts.last()) || doubled {
        return Err(format!("`{GAP}` stands between two words"));
    }
    match parts.len() {
        0 => Err("an entry has no letters".into()),
        1..=MAX_WORDS => Ok(parts),
        _ => Err(format!("a phrase has more than {MAX_WORDS} words")),
    }
}

fn pattern(
    letters: String,
    open: (bool, bool),
    literal: bool,
    core: &str,
) -> Result<Pattern, String> {
    let (open_start, open_end) = open;
    let length = letters.chars().count();
    let least = match open {
        (true, _) => 3,
        (false, true) => 2,
        (false, false) => 1,
    };
    if length < least {
        return Err(format!(
            "`{letters}` with `*` is too short: it would match too much"
        ));
    }
    let spelling = match (literal, core.starts_with(char::is_uppercase)) {
        (false, _) => Spelling::Any,
        (true, false) => Spelling::Literal,
        (true, true) => Spelling::Capital,
    };
    Ok(Pattern {
        letters,
        open_start,
        open_end,
        spelling,
    })
}
