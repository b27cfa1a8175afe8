//! Reads a list of words, line by line. The format is in the crate's README.

use super::trie::{Pattern, Spelling};
use super::{DictionaryError, Entry, Kind};
use crate::normalise::entry_words;

/// Nobody writes longer lists by hand.
pub(super) const MAX_BYTES: usize = 4 * 1024 * 1024;
const MAX_ENTRIES: usize = 200_000;
const MAX_LINE_CHARS: usize = 200;
const MAX_WORDS: usize = 8;

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

/// What a list holds.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) entries: Vec<(Entry, Vec<Pattern>)>,
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
    let entry = Entry {
        text: rest.trim_matches('*').into(),
        kind,
    };
    if mark == "+" {
        let core = rest.trim_end_matches('*');
        if core.contains(char::is_whitespace) || core.contains('*') {
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
    parsed.entries.push((entry, patterns(rest, mark)?));
    Ok(())
}

fn patterns(text: &str, mark: &str) -> Result<Vec<Pattern>, String> {
    let mut patterns = Vec::new();
    for written in text.split_whitespace() {
        let (open_start, open_end) = (written.starts_with('*'), written.ends_with('*'));
        let core = written.trim_matches('*');
        if core.contains('*') {
            return Err("`*` stands at the beginning or the end of a word".into());
        }
        let words = entry_words(core);
        let last = words.len().saturating_sub(1);
        for (index, letters) in words.into_iter().enumerate() {
            let open = (open_start && index == 0, open_end && index == last);
            patterns.push(pattern(letters, open, mark == "=", core)?);
        }
    }
    match patterns.len() {
        0 => Err("an entry has no letters".into()),
        1..=MAX_WORDS => Ok(patterns),
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
