//! Lists of words, compiled: every entry is a phrase of one or more patterns.
//!
//! Two automata work one behind the other: a tree of letters tells which patterns a word matches, a
//! tree of patterns tells which words in a row are an entry. The time to read a text does not grow
//! with the number of entries.

mod lists;
mod parse;
mod trie;

use std::collections::HashMap;
use std::sync::Arc;

use crate::normalise::{Text, Token};
use parse::Part;
use trie::{PatternId, Trie};

pub use lists::{BUILT_IN, Dictionaries, ListError, PolicyConfig};
pub use trie::How;

/// A list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("dictionary {name}, line {line}: {reason}")]
pub struct DictionaryError {
    /// Which list.
    pub name: String,
    /// From 1; 0 when it is about the whole list.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Exception,
}

#[derive(Debug, Clone)]
struct Entry {
    text: Arc<str>,
    kind: Kind,
}

/// An entry found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The entry as the list has it, without its marks.
    pub entry: Arc<str>,
    /// Byte range in the text.
    pub start: usize,
    /// End of the range, exclusive.
    pub end: usize,
    /// How it was recognised.
    pub how: How,
}

impl Hit {
    /// Whether this one, as an exception, covers another. A mask hides too much to excuse anything.
    fn excuses(&self, other: &Self) -> bool {
        self.how != How::Masked && self.start <= other.start && other.end <= self.end
    }
}

#[derive(Debug, Default)]
struct State {
    next: HashMap<PatternId, u32>,
    /// Where a phrase goes on that lets other words stand here.
    gap: Option<u32>,
    entry: Option<u32>,
}

/// A compiled list.
#[derive(Debug)]
pub struct Dictionary {
    trie: Trie,
    states: Vec<State>,
    entries: Vec<Entry>,
}

/// A phrase under way: its state, where it began, how its words were recognised.
#[derive(Debug, Clone, Copy)]
struct Partial {
    state: u32,
    start: usize,
    how: How,
    /// Words that may still be passed over.
    gap: u8,
}

impl Partial {
    fn begun(token: &Token, how: How) -> Self {
        Self {
            state: 0,
            start: token.start,
            how,
            gap: 0,
        }
    }

    /// With a word passed over.
    fn passing(self) -> Self {
        Self {
            gap: self.gap - 1,
            ..self
        }
    }
}

/// How many words may stand at `…`.
const MAX_GAP: u8 = 4;

/// Phrases under way at the same time; entries that share words rarely need more than a handful.
const MAX_PARTIALS: usize = 64;

impl Dictionary {
    /// Compiles a list; `name` is for messages.
    pub fn parse(name: &str, text: &str) -> Result<Self, DictionaryError> {
        let parsed = parse::parse(name, text)?;
        let mut dictionary = Self {
            trie: Trie::default(),
            states: vec![State::default()],
            entries: Vec::new(),
        };
        dictionary.trie.masks = parsed.masks;
        for (entry, parts) in parsed.entries {
            dictionary.add(entry, parts);
        }
        Ok(dictionary)
    }

    fn add(&mut self, entry: Entry, parts: Vec<Part>) {
        let mut state = 0_u32;
        for part in parts {
            let fresh = u32::try_from(self.states.len()).unwrap_or(u32::MAX);
            let from = &mut self.states[state as usize];
            let next = match part {
                Part::Word(pattern) => {
                    *(from.next.entry(self.trie.insert(pattern))).or_insert(fresh)
                }
                Part::Gap => *from.gap.get_or_insert(fresh),
            };
            if next == fresh {
                self.states.push(State::default());
            }
            state = next;
        }
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let known = &mut self.states[state as usize].entry;
        // An exception wins over the same words as an entry.
        if known.is_none() || entry.kind == Kind::Exception {
            *known = Some(index);
        }
        self.entries.push(entry);
    }

    /// How many entries it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many different words it knows.
    pub fn patterns(&self) -> usize {
        self.trie.len()
    }

    /// Every entry in a text, in its order, without overlaps.
    pub fn find(&self, text: &Text) -> Vec<Hit> {
        self.search(text).0
    }

    /// What would be an entry if no exception covered it, with the exception.
    pub fn excused(&self, text: &Text) -> Vec<(Hit, Arc<str>)> {
        let (hits, innocent) = self.parted(self.walk(text).0);
        let by = |hit: &Hit| innocent.iter().find(|around| around.excuses(hit));
        hits.into_iter()
            .filter_map(|hit| by(&hit).map(|around| (hit.clone(), around.entry.clone())))
            .collect()
    }

    /// As `find`, with the number of steps that it took.
    fn search(&self, text: &Text) -> (Vec<Hit>, usize) {
        let (found, steps) = self.walk(text);
        (self.chosen(found), steps)
    }

    /// Every way to read an entry in a text, and the number of steps.
    fn walk(&self, text: &Text) -> (Vec<(u32, Hit)>, usize) {
        let mut found: Vec<(u32, Hit)> = Vec::new();
        let mut steps = 0;
        let mut partials: Vec<Partial> = Vec::new();
        for token in &text.words {
            steps += partials.len();
            let (patterns, taken) = self.trie.find(token);
            steps += taken;
            let mut next = Vec::new();
            for partial in partials.iter().chain([&Partial::begun(token, How::Plain)]) {
                self.advance(*partial, &patterns, &mut next);
                // No phrase goes on in the next sentence with other words between.
                if partial.gap > 0 && !token.ends_sentence {
                    next.push(partial.passing());
                }
            }
            next.truncate(MAX_PARTIALS);
            found.extend(
                next.iter()
                    .filter_map(|partial| self.finished(*partial, token)),
            );
            partials = next;
        }
        for token in &text.disguised {
            let (patterns, taken) = self.trie.find(token);
            steps += taken;
            let mut ends = Vec::new();
            let begun = Partial::begun(token, How::Disguised);
            self.advance(begun, &patterns, &mut ends);
            found.extend(
                ends.iter()
                    .filter_map(|partial| self.finished(*partial, token)),
            );
        }
        (found, steps)
    }

    fn advance(&self, from: Partial, patterns: &[(PatternId, How)], into: &mut Vec<Partial>) {
        for (pattern, how) in patterns {
            if let Some(state) = self.states[from.state as usize].next.get(pattern) {
                let next = Partial {
                    state: *state,
                    start: from.start,
                    how: from.how.max(*how),
                    gap: 0,
                };
                into.push(next);
                let gap = self.states[*state as usize].gap;
                into.extend(gap.map(|state| Partial {
                    state,
                    gap: MAX_GAP,
                    ..next
                }));
            }
        }
    }

    fn finished(&self, partial: Partial, token: &Token) -> Option<(u32, Hit)> {
        let index = self.states[partial.state as usize].entry?;
        let entry = self.entries[index as usize].text.clone();
        Some((
            index,
            Hit {
                entry,
                start: partial.start,
                end: token.end,
                how: partial.how,
            },
        ))
    }

    /// Entries, and exceptions.
    fn parted(&self, found: Vec<(u32, Hit)>) -> (Vec<Hit>, Vec<Hit>) {
        let is_entry = |index: u32| self.entries[index as usize].kind == Kind::Word;
        let (entries, exceptions): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(index, _)| is_entry(*index));
        let hits = |found: Vec<(u32, Hit)>| found.into_iter().map(|(_, hit)| hit).collect();
        (hits(entries), hits(exceptions))
    }

    /// Drops what an exception covers, then keeps the longest of overlapping hits.
    fn chosen(&self, found: Vec<(u32, Hit)>) -> Vec<Hit> {
        let (mut hits, innocent) = self.parted(found);
        if !innocent.is_empty() {
            hits.retain(|hit| !innocent.iter().any(|around| around.excuses(hit)));
        }
        hits.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end), hit.how));
        let mut kept: Vec<Hit> = Vec::new();
        for hit in hits {
            if kept.last().is_none_or(|last| last.end <= hit.start) {
                kept.push(hit);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests;
