//! What is said, shown, encoded and pictured about advertising, each with its place.

use std::collections::HashMap;
use std::sync::Arc;

use shared_domain::{Detection, QR, Task};

use super::{advertiser, code, erid};
use crate::evaluate::passage::{self, Placed, sound};
use crate::evaluate::{Evidence, Found, Highlight};
use crate::pack::Rule;
use crate::{Dictionaries, Hit, Text};

/// What makes an advertisement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing but an advertisement says so: a promo code, the sponsor of the episode.
    Call,
    /// Points to a link.
    Link,
    /// Asks to buy, order, sign up, install.
    Order,
    /// Speaks of a discount, a present, a trial.
    Offer,
    /// Names or shows a brand.
    Brand,
}

/// What tells the viewer that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// «Реклама».
    Word,
    /// Who pays, or where it is said.
    Advertiser,
    /// The identifier.
    Erid,
}

impl Mark {
    pub(super) const COUNT: usize = 3;
    pub(super) const ALL: [Self; Self::COUNT] = [Self::Word, Self::Advertiser, Self::Erid];
}

/// Lists of words and what they are signs of.
const LISTS: [(&str, Sign); 6] = [
    ("advertising-calls", Sign::Call),
    ("advertising-links", Sign::Link),
    ("advertising-orders", Sign::Order),
    ("advertising-offers", Sign::Offer),
    ("brands", Sign::Brand),
    ("brands-user", Sign::Brand),
];
const WORD: &str = "advertising-mark";
/// Labels of models that see a trade mark.
const LOGOS: [&str; 2] = ["logo", "brand logo"];
/// A weaker score is no logo.
const LOGO_SCORE: f32 = 0.5;
/// Where channels point to themselves: the platform's name makes no advertisement.
const PLATFORMS: [&str; 22] = [
    "телег",
    "telegram",
    "ютуб",
    "youtub",
    "вконтакте",
    "vkontakte",
    "инст",
    "instagram",
    "тикток",
    "тик ток",
    "tiktok",
    "твич",
    "twitch",
    "рутуб",
    "rutube",
    "дзен",
    "бусти",
    "boosty",
    "patreon",
    "фейсбук",
    "facebook",
    "whatsapp",
];

/// One of them at its place.
#[derive(Debug)]
pub(super) struct Note<K> {
    pub(super) kind: K,
    pub(super) task: Task,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
    pub(super) evidence: Evidence,
}

impl<K> Note<K> {
    pub(super) fn lies_in(&self, (start_ms, end_ms): (i64, i64)) -> bool {
        self.start_ms <= end_ms && start_ms <= self.end_ms
    }

    fn of(kind: K, task: Task, placed: Placed) -> Self {
        Self {
            kind,
            task,
            start_ms: placed.start_ms,
            end_ms: placed.end_ms,
            evidence: placed.evidence,
        }
    }

    /// As the hit of a rule.
    pub(super) fn found<'p>(&self, rule: &'p Rule) -> Found<'p> {
        Found {
            rule,
            task: self.task,
            start_ms: self.start_ms,
            end_ms: self.end_ms,
            evidence: self.evidence.clone(),
        }
    }
}

/// Everything about advertising in a video, in the order of time.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) signs: Vec<Note<Sign>>,
    pub(super) marks: Vec<Note<Mark>>,
}

pub(super) fn gather(
    detections: &[Detection],
    unclear_below: f32,
    dictionaries: &Dictionaries,
) -> Notes {
    let all: Vec<&Detection> = detections.iter().collect();
    let mut notes = Notes::default();
    // A caption that stays is in frame after frame: its text is searched once.
    let mut known: HashMap<(Task, String), Read> = HashMap::new();
    for (task, passages) in [
        (Task::Speech, passage::spoken(&all)),
        (Task::Text, passage::shown(&all)),
    ] {
        for passage in passages {
            let key = (task, passage.text.clone());
            let read = known
                .entry(key)
                .or_insert_with(|| Read::new(&passage.text, task, dictionaries));
            let note = |hit: &Hit| passage.place(hit, unclear_below);
            for (kind, hit) in &read.signs {
                notes
                    .signs
                    .extend(note(hit).map(|placed| Note::of(*kind, task, placed)));
            }
            for (kind, hit) in &read.marks {
                notes
                    .marks
                    .extend(note(hit).map(|placed| Note::of(*kind, task, placed)));
            }
        }
    }
    for detection in detections {
        match detection.task {
            Task::Text if detection.label == QR => notes.decode(detection),
            Task::Objects if is_logo(detection) => notes.signs.push(whole(Sign::Brand, detection)),
            _ => {}
        }
    }
    notes.signs.sort_by_key(|note| (note.start_ms, note.end_ms));
    notes.marks.sort_by_key(|note| (note.start_ms, note.end_ms));
    notes
}

/// What a text says about advertising, wherever it stands.
struct Read {
    signs: Vec<(Sign, Hit)>,
    marks: Vec<(Mark, Hit)>,
}

impl Read {
    fn new(written: &str, task: Task, dictionaries: &Dictionaries) -> Self {
        let text = Text::new(written);
        let found = |(list, sign): (&str, Sign)| {
            let hits = dictionaries.search(list, &text).into_iter();
            hits.map(move |hit| (sign, hit))
        };
        let signs = LISTS.into_iter().flat_map(found);
        let signs = signs.filter(|(sign, hit)| *sign != Sign::Brand || !is_platform(&hit.entry));
        let words = dictionaries.find(WORD).map(|list| list.find(&text));
        let words = words.unwrap_or_default();
        // A page with the advertiser on it points to them only where the word stands beside it.
        let page = match task {
            Task::Text if !words.is_empty() => advertiser::page(written),
            _ => None,
        };
        let named = advertiser::find(written).or(page);
        let identifier = match task {
            // Nobody spells a token out: the word is enough.
            Task::Speech => erid::named(written),
            _ => erid::find(written),
        };
        let marks = words
            .into_iter()
            .map(|hit| (Mark::Word, hit))
            .chain(named.map(|hit| (Mark::Advertiser, hit)))
            .chain(identifier.map(|hit| (Mark::Erid, hit)));
        Self {
            signs: signs.collect(),
            marks: marks.collect(),
        }
    }
}

impl Notes {
    fn decode(&mut self, detection: &Detection) {
        let payload = detection.text.as_deref().unwrap_or_default();
        if let Some(sign) = code::sign(payload) {
            self.signs.push(whole(sign, detection));
        }
        if erid::find(payload).is_some() {
            self.marks.push(whole(Mark::Erid, detection));
        }
    }
}

/// A note of the whole of a detection.
fn whole<K>(kind: K, detection: &Detection) -> Note<K> {
    Note {
        kind,
        task: detection.task,
        start_ms: detection.start_ms,
        end_ms: detection.end_ms,
        evidence: Evidence {
            object_key: detection.object_key.clone(),
            at_ms: detection.start_ms,
            end_ms: detection.end_ms,
            label: detection.label.clone(),
            score: sound(detection.score),
            bbox: detection.bbox,
            text: detection.text.clone(),
            highlight: detection.text.as_ref().map(|text| Highlight {
                start: 0,
                end: text.chars().count(),
            }),
            words: Vec::new(),
            unclear: false,
        },
    }
}

fn is_logo(detection: &Detection) -> bool {
    LOGOS.contains(&detection.label.as_str()) && sound(detection.score) >= LOGO_SCORE
}

fn is_platform(entry: &Arc<str>) -> bool {
    let entry = entry.to_lowercase();
    PLATFORMS.iter().any(|platform| entry.starts_with(platform))
}
