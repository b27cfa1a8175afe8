//! What is told by its shape: a price, a number in a catalogue, a legal form with a name.

use regex::Regex;

use crate::{Hit, How};

/// Patterns, each with what it tells in its first group.
pub(super) fn compiled(patterns: &[&str]) -> Vec<Regex> {
    let compiled = |pattern: &&str| {
        let compiled = Regex::new(pattern);
        debug_assert!(compiled.is_ok(), "{compiled:?}");
        compiled.ok()
    };
    patterns.iter().filter_map(compiled).collect()
}

/// What the first of the patterns that fits tells in a text, under the name of an entry.
pub(super) fn first(patterns: &[Regex], text: &str, entry: &str) -> Option<Hit> {
    let mut found = patterns
        .iter()
        .filter_map(|regex| regex.captures(text)?.get(1));
    let found = found.next()?;
    Some(Hit {
        entry: entry.into(),
        start: found.start(),
        end: found.end(),
        how: How::Plain,
    })
}
