//! What is said, shown, encoded and pictured about advertising, each with its place.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use shared_domain::{Detection, QR, Task};

use super::{advertiser, code, coupon, erid, price};
use crate::evaluate::passage::{self, Placed, sound};
use crate::evaluate::{Evidence, Found, Highlight};
use crate::pack::Rule;
use crate::{Dictionaries, Hit, Text};

/// What makes an advertisement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing but an advertisement says so: a promo code to be entered, the sponsor of the episode.
    Call,
    /// Points to a link, an address, a number in a catalogue.
    Link,
    /// Asks to buy, order, sign up, install.
    Order,
    /// Speaks of a discount, a price, a credit.
    Offer,
    /// Speaks of a present, a trial, of what costs nothing.
    Gift,
    /// Names a code, a coupon.
    Code,
    /// Hurries, or says that something is to be had.
    Haste,
    /// Bears a part of the marking.
    Marking,
    /// Bears all of the marking, or enough of it to say what it is.
    Marked,
    /// Names or shows a brand.
    Brand,
    /// Names or praises what is sold.
    Goods,
    /// Names a price.
    Price,
    /// Speaks to the viewer.
    Address,
}

impl Sign {
    /// What shows nothing by itself.
    pub(super) fn is_half(self) -> bool {
        matches!(self, Self::Goods | Self::Price | Self::Address)
    }
}

/// What speaks against an advertisement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// Advertising, fraud, a law, are what is talked about.
    Topic,
    /// News, a law, a household; the link leads to sources, or to pages of the channel.
    Aside,
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
const LISTS: [(&str, Sign); 11] = [
    ("advertising-calls", Sign::Call),
    ("advertising-links", Sign::Link),
    ("advertising-orders", Sign::Order),
    ("advertising-offers", Sign::Offer),
    ("advertising-gifts", Sign::Gift),
    ("advertising-codes", Sign::Code),
    ("advertising-haste", Sign::Haste),
    ("advertising-goods", Sign::Goods),
    ("advertising-address", Sign::Address),
    ("brands", Sign::Brand),
    ("brands-user", Sign::Brand),
];
const AGAINST: [(&str, Against); 2] = [
    ("advertising-topic", Against::Topic),
    ("advertising-aside", Against::Aside),
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
    pub(super) against: Vec<Note<Against>>,
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
            place(&mut notes.signs, &read.signs, task, note);
            place(&mut notes.against, &read.against, task, note);
            place(&mut notes.marks, &read.marks, task, note);
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
    notes.against.sort_by_key(|note| note.start_ms);
    notes.marks.sort_by_key(|note| (note.start_ms, note.end_ms));
    notes
}

fn place<K: Copy>(
    notes: &mut Vec<Note<K>>,
    read: &[(K, Hit)],
    task: Task,
    placed: impl Fn(&Hit) -> Option<Placed>,
) {
    let note = |(kind, hit): &(K, Hit)| Some(Note::of(*kind, task, placed(hit)?));
    notes.extend(read.iter().filter_map(note));
}

/// What a text says about advertising, wherever it stands.
struct Read {
    signs: Vec<(Sign, Hit)>,
    against: Vec<(Against, Hit)>,
    marks: Vec<(Mark, Hit)>,
}

impl Read {
    fn new(written: &str, task: Task, dictionaries: &Dictionaries) -> Self {
        let text = Text::new(written);
        let hits = |list: &str| dictionaries.search(list, &text);
        let found = |(list, sign)| hits(list).into_iter().map(move |hit| (sign, hit));
        let signs = LISTS.into_iter().flat_map(found);
        let mut signs: Vec<_> = signs
            .filter(|(sign, hit)| *sign != Sign::Brand || !is_platform(&hit.entry))
            .collect();
        let found = |(list, kind)| hits(list).into_iter().map(move |hit| (kind, hit));
        let against = AGAINST.into_iter().flat_map(found).collect();
        let page = advertiser::page(written);
        signs.extend(page.clone().map(|hit| (Sign::Link, hit)));
        signs.extend(advertiser::telephone(written).map(|hit| (Sign::Link, hit)));
        signs.extend(coupon::named(written).map(|hit| (Sign::Code, hit)));
        signs.extend(coupon::article(written).map(|hit| (Sign::Link, hit)));
        signs.extend(price::off(written).map(|hit| (Sign::Offer, hit)));
        signs.extend(price::named(written).map(|hit| (Sign::Price, hit)));
        let marks = marks(
            written,
            task,
            dictionaries.find(WORD).map(|list| list.find(&text)),
            page,
        );
        signs.extend(marking(&marks, task));
        // What a call says already is no second sign.
        let called: Vec<_> = hits_of(&signs, Sign::Call);
        signs.retain(|(sign, hit)| {
            *sign == Sign::Call || !called.iter().any(|call| overlap(call, hit))
        });
        Self {
            signs,
            against,
            marks,
        }
    }
}

fn hits_of(signs: &[(Sign, Hit)], kind: Sign) -> Vec<Range<usize>> {
    let of = signs.iter().filter(|(sign, _)| *sign == kind);
    of.map(|(_, hit)| hit.start..hit.end).collect()
}

fn overlap(range: &Range<usize>, hit: &Hit) -> bool {
    range.start < hit.end && hit.start < range.end
}

/// What of the marking is there.
fn marks(
    written: &str,
    task: Task,
    words: Option<Vec<Hit>>,
    page: Option<Hit>,
) -> Vec<(Mark, Hit)> {
    let words = words.unwrap_or_default();
    // A page, or a name in the small letters of a speech recogniser, is the advertiser only where the word
    // stands beside it.
    let beside = || page.or_else(|| advertiser::beside(written));
    let has_word = !words.is_empty();
    let named = advertiser::find(written).or_else(|| has_word.then(beside)?);
    let identifier = match task {
        // Nobody spells a token out: the word is enough.
        Task::Speech => erid::named(written),
        _ => erid::find(written),
    };
    let words = words.into_iter().map(|hit| (Mark::Word, hit));
    words
        .chain(named.map(|hit| (Mark::Advertiser, hit)))
        .chain(identifier.map(|hit| (Mark::Erid, hit)))
        .collect()
}

/// A marking is itself a sign: the whole of it of an advertisement, a part of it of what may be one. Spoken, the
/// identifier is a word that people talk about.
fn marking(marks: &[(Mark, Hit)], task: Task) -> Option<(Sign, Hit)> {
    let of = |kind: Mark| marks.iter().find(|(mark, _)| *mark == kind);
    let [word, advertiser, erid] = Mark::ALL.map(of);
    let kinds = [word, advertiser, erid].into_iter().flatten().count();
    let written = erid.filter(|_| task == Task::Text);
    let sign = match (kinds, written) {
        (3, _) | (2, Some(_)) => Sign::Marked,
        (2, None) | (1, Some(_)) => Sign::Marking,
        _ => return None,
    };
    let (_, hit) = erid.or(advertiser)?;
    Some((sign, hit.clone()))
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
