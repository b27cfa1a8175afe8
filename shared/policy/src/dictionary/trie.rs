//! The letters of every entry in one tree, walked along a word.
//!
//! A walk follows the letters of the word, not the entries: its length does not depend on how many
//! entries there are. Only a masked letter opens several ways, and those are counted against a budget.

use std::collections::HashMap;

use crate::normalise::{Place, Reading, Run, Token};

/// Steps that one reading of a word may take; one without masks needs a few per letter.
const BUDGET: usize = 4_000;
/// Longer words are cut: no entry is that long.
const MAX_RUNS: usize = 64;
/// Who leaves so many letters of a word may have counted the hidden ones wrong, and so may have the
/// model that read it: `motherf**er`.
const TELLING: usize = 5;

pub(super) type PatternId = u32;

/// How faithful to an entry a text has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Spelling {
    /// Disguises are seen through.
    Any,
    /// Only as written: no look-alikes, no stretching, no masks.
    Literal,
    /// Only as written and with a capital letter.
    Capital,
}

/// How one word of an entry has to match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    /// Folded letters.
    pub(super) letters: String,
    /// May stand inside a word.
    pub(super) open_start: bool,
    /// May be followed by other letters.
    pub(super) open_end: bool,
    /// How faithful the text has to be.
    pub(super) spelling: Spelling,
}

/// How a word was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// As it is written.
    Plain,
    /// Through look-alikes, digits, stretched or separated letters.
    Disguised,
    /// Through a mask.
    Masked,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by letter.
    next: Vec<(char, u32)>,
    ends: Vec<PatternId>,
}

impl Node {
    fn child(&self, letter: char) -> Option<u32> {
        let at = self
            .next
            .binary_search_by_key(&letter, |(letter, _)| *letter)
            .ok()?;
        Some(self.next[at].1)
    }
}

#[derive(Debug)]
pub(super) struct Trie {
    /// 0: entries that begin a word; 1: entries that may stand inside one.
    nodes: Vec<Node>,
    patterns: Vec<Pattern>,
    ids: HashMap<Pattern, PatternId>,
    /// Whether people hide these words: masks are looked through, and a double letter may be one.
    pub(super) masks: bool,
}

/// What a walk has passed on its way to a node.
#[derive(Debug, Clone, Copy, Default)]
struct Trail {
    real: usize,
    hidden: usize,
    disguised: bool,
    /// A double letter was read as a single one.
    squeezed: bool,
    /// Letters taken for hidden beyond the signs of the mask.
    beyond: usize,
    starts_hidden: bool,
}

/// Which patterns may end at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The letter's run is used up.
    Any,
    /// Within a run: what follows belongs to the rest of the word.
    Open,
    /// Within a run: what follows is a repeat without meaning.
    Whole,
}

struct Walk<'a> {
    token: &'a Token,
    reading: &'a Reading,
    /// Index of the run before which an inner entry begins.
    from: usize,
    steps: usize,
    found: Vec<(PatternId, How)>,
}

impl Default for Trie {
    fn default() -> Self {
        Self {
            nodes: vec![Node::default(), Node::default()],
            patterns: Vec::new(),
            ids: HashMap::new(),
            masks: false,
        }
    }
}

impl Trie {
    /// Adds a pattern once; the same pattern gets the same id.
    pub(super) fn insert(&mut self, pattern: Pattern) -> PatternId {
        if let Some(id) = self.ids.get(&pattern) {
            return *id;
        }
        let mut node = u32::from(pattern.open_start);
        for letter in pattern.letters.chars() {
            let fresh = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
            let children = &mut self.nodes[node as usize].next;
            let next = match children.binary_search_by_key(&letter, |(letter, _)| *letter) {
                Ok(at) => children[at].1,
                Err(at) => {
                    children.insert(at, (letter, fresh));
                    self.nodes.push(Node::default());
                    fresh
                }
            };
            node = next;
        }
        let id = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
        self.nodes[node as usize].ends.push(id);
        self.patterns.push(pattern.clone());
        self.ids.insert(pattern, id);
        id
    }

    pub(super) fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Every pattern that a word matches, and the number of steps that it took.
    pub(super) fn find(&self, token: &Token) -> (Vec<(PatternId, How)>, usize) {
        let (mut found, mut steps) = (Vec::new(), 0);
        for reading in &token.readings {
            let mut walk = Walk {
                token,
                reading,
                from: 0,
                steps: 0,
                found,
            };
            self.step(&mut walk, 0, 0, Trail::default());
            if !reading.whole_words_only && !reading.is_masked() {
                for from in 0..reading.runs.len().min(MAX_RUNS) {
                    walk.from = from;
                    self.step(&mut walk, from, 1, Trail::default());
                }
            }
            found = walk.found;
            steps += walk.steps;
        }
        found.sort_unstable();
        found.dedup_by_key(|(id, _)| *id);
        (found, steps)
    }

    fn step(&self, walk: &mut Walk<'_>, at: usize, node: u32, trail: Trail) {
        let Some(run) = walk.reading.runs.get(at).filter(|_| at < MAX_RUNS) else {
            return;
        };
        match run.place {
            Place::Hidden if self.masks => {
                let starts_hidden = trail.starts_hidden || at == 0;
                let may_miscount = run.count > 1 && walk.reading.letters() >= TELLING;
                for beyond in 0..=usize::from(may_miscount) {
                    let count = run.count + beyond;
                    let trail = Trail {
                        hidden: trail.hidden + count,
                        beyond: trail.beyond + beyond,
                        starts_hidden,
                        ..trail
                    };
                    self.hidden(walk, (at, count), node, trail);
                }
            }
            Place::Hidden => {}
            Place::Letters(letters) => {
                for (index, letter) in letters.chars().iter().enumerate() {
                    let disguised = trail.disguised || !(letters.literal && index == 0);
                    let trail = Trail { disguised, ..trail };
                    self.repeated(walk, (at, *run), *letter, (node, trail));
                }
            }
        }
    }

    /// Takes a letter as often as its run may be read: `сууука` as one or two, `суука` as two or one.
    fn repeated(
        &self,
        walk: &mut Walk<'_>,
        (at, run): (usize, Run),
        letter: char,
        (from, trail): (u32, Trail),
    ) {
        let mut node = from;
        for taken in 1..=run.count.min(3) {
            walk.steps += 1;
            let Some(next) = self.nodes[node as usize].child(letter) else {
                return;
            };
            if walk.steps > BUDGET {
                return;
            }
            node = next;
            let kept = Trail {
                real: trail.real + taken,
                ..trail
            };
            if taken == run.count {
                self.note(walk, node, (at, Ends::Any), kept);
                self.step(walk, at + 1, node, kept);
                continue;
            }
            // An open entry may end between two equal letters; for all others the rest is dropped.
            self.note(walk, node, (at, Ends::Open), kept);
            if run.count < 3 && !walk.reading.doubles {
                continue;
            }
            let mut read = kept;
            if run.count >= 3 {
                read.disguised = true;
            } else {
                read.squeezed = true;
            }
            self.note(walk, node, (at, Ends::Whole), read);
            self.step(walk, at + 1, node, read);
        }
    }

    /// Takes any `count` letters.
    fn hidden(&self, walk: &mut Walk<'_>, (at, count): (usize, usize), node: u32, trail: Trail) {
        for (_, next) in &self.nodes[node as usize].next {
            walk.steps += 1;
            if walk.steps > BUDGET {
                return;
            }
            if count > 1 {
                self.hidden(walk, (at, count - 1), *next, trail);
            } else {
                self.note(walk, *next, (at, Ends::Any), trail);
                self.step(walk, at + 1, *next, trail);
            }
        }
    }

    /// Notes the patterns that end at this node, if the way here allows them.
    fn note(&self, walk: &mut Walk<'_>, node: u32, (at, ends): (usize, Ends), trail: Trail) {
        let last = at + 1 == walk.reading.runs.len() && ends != Ends::Open;
        for id in &self.nodes[node as usize].ends {
            let pattern = &self.patterns[*id as usize];
            let inside = pattern.open_start && walk.from > 0;
            let fits = match ends {
                Ends::Open => pattern.open_end,
                Ends::Whole => last && !pattern.open_end,
                Ends::Any => last || pattern.open_end,
            };
            if !fits {
                continue;
            }
            let plain = !trail.disguised && !trail.squeezed && trail.hidden == 0;
            let open = !last || inside;
            let as_written = plain && !walk.reading.whole_words_only;
            let unfaithful = match pattern.spelling {
                Spelling::Any => false,
                Spelling::Literal => !as_written,
                Spelling::Capital => !as_written || !walk.token.capital,
            };
            let refused = unfaithful
                || (walk.reading.whole_words_only && open)
                || (trail.squeezed && (!self.masks || open || pattern.letters.chars().count() < 3))
                || (trail.beyond > 0 && (open || trail.real < TELLING))
                || (trail.hidden > 0 && !mask_is_telling(walk.reading, trail, open));
            if refused {
                continue;
            }
            let how = match (trail.hidden, as_written) {
                (0, true) => How::Plain,
                (0, false) => How::Disguised,
                _ => How::Masked,
            };
            walk.found.push((*id, how));
        }
    }
}

/// Whether enough of a masked word is left to tell it.
fn mask_is_telling(reading: &Reading, trail: Trail, open: bool) -> bool {
    if open {
        return trail.real >= 3 && trail.hidden <= trail.real && !trail.starts_hidden;
    }
    let ends_hidden = reading
        .runs
        .last()
        .is_some_and(|run| run.place == Place::Hidden);
    if trail.starts_hidden {
        // `*опа` in a list with bullets is told from `*` by its length only.
        return trail.real >= 4 && !ends_hidden;
    }
    let cyrillic = reading.runs.iter().any(|run| match run.place {
        Place::Letters(letters) => letters.chars().iter().any(|c| ('а'..='я').contains(c)),
        Place::Hidden => false,
    });
    // `as*` is a footnote, `ху*` is not.
    trail.real >= 2 && (!ends_hidden || cyrillic || trail.real + trail.hidden >= 4)
}

impl Reading {
    /// How many letters are left.
    fn letters(&self) -> usize {
        let seen = |run: &&Run| run.place != Place::Hidden;
        self.runs.iter().filter(seen).map(|run| run.count).sum()
    }

    fn is_masked(&self) -> bool {
        self.runs.iter().any(|run| run.place == Place::Hidden)
    }
}
