//! Advertising that a viewer is not told about.
//!
//! 38-FZ, article 18.1, asks of every advertisement in the internet the word «Реклама», the advertiser
//! or a pointer to them, and an identifier (ERID). A brand alone is a mention and a talk about
//! advertising is a topic: only a call to act makes an advertisement. What marks it is looked for around
//! it, in speech and on screen alike; which of it is a risk, and how grave, the pack says.

mod advertiser;
mod code;
mod coupon;
mod describe;
mod erid;
mod notes;
mod price;
mod shape;
mod weigh;

use shared_domain::Detection;

use crate::Dictionaries;
use crate::evaluate::merge;
use crate::evaluate::{Evidence, Found, MAX_EVIDENCE, Trigger};
use crate::pack::{Pack, Rule};
use notes::{Mark, Note, Notes, Sign};

/// Calls that are no further apart belong to one advertisement, and so does a brand beside them.
const JOIN_MS: i64 = 20_000;
/// What marks an advertisement stands no further away from it.
const NEAR_MS: i64 = 20_000;

/// How far an advertisement says that it is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marking {
    Unmarked,
    Partly,
    Marked,
}

impl Marking {
    const ALL: [Self; 3] = [Self::Unmarked, Self::Partly, Self::Marked];

    fn of(marks: usize) -> Self {
        match marks {
            0 => Self::Unmarked,
            1..Mark::COUNT => Self::Partly,
            _ => Self::Marked,
        }
    }

    /// The label by which a rule of a pack asks for it.
    fn label(self) -> &'static str {
        match self {
            Self::Unmarked => "unmarked advertising",
            Self::Partly => "partly marked advertising",
            Self::Marked => "marked advertising",
        }
    }

    fn rule(self, pack: &Pack) -> Option<&Rule> {
        let asks = |rule: &&Rule| rule.labels.iter().any(|label| label == self.label());
        pack.rules.iter().find(asks)
    }
}

/// One advertisement.
struct Advert<'n> {
    signs: Vec<&'n Note<Sign>>,
    /// The first of each kind, in the order of the law.
    marks: Vec<&'n Note<Mark>>,
}

/// Every advertisement that a rule of the pack asks for.
pub(crate) fn triggers(
    detections: &[Detection],
    pack: &Pack,
    dictionaries: &Dictionaries,
) -> Vec<Trigger> {
    if Marking::ALL
        .iter()
        .all(|marking| marking.rule(pack).is_none())
    {
        return Vec::new();
    }
    let notes = notes::gather(detections, pack.unclear_below, dictionaries);
    let adverts = adverts(&notes).into_iter();
    adverts
        .filter_map(|advert| trigger(advert, &notes, pack))
        .collect()
}

/// Signs that stand together, with the brands, the goods, the address beside them.
fn adverts(notes: &Notes) -> Vec<Advert<'_>> {
    let is_beside = |note: &&Note<Sign>| note.kind == Sign::Brand || note.kind.is_half();
    let mut groups: Vec<Vec<&Note<Sign>>> = Vec::new();
    let mut end_ms = 0;
    for call in notes.signs.iter().filter(|note| !is_beside(note)) {
        match groups.last_mut() {
            Some(group) if call.start_ms <= end_ms + JOIN_MS => group.push(call),
            _ => {
                groups.push(vec![call]);
                end_ms = call.end_ms;
            }
        }
        end_ms = end_ms.max(call.end_ms);
    }
    let mut adverts = Vec::new();
    for mut signs in groups {
        let around = span(&signs, JOIN_MS);
        let beside = notes.signs.iter().filter(is_beside);
        signs.extend(beside.filter(|brand| brand.lies_in(around)));
        signs.sort_by_key(|note| (note.start_ms, note.end_ms));
        let near = span(&signs, NEAR_MS);
        let first = |kind: Mark| {
            let mut marks = notes.marks.iter();
            marks.find(|mark| mark.kind == kind && mark.lies_in(near))
        };
        let marks = Mark::ALL.into_iter().filter_map(first).collect();
        adverts.push(Advert { signs, marks });
    }
    adverts
}

/// From the first to the last, with something around.
fn span(signs: &[&Note<Sign>], around_ms: i64) -> (i64, i64) {
    let start = signs.iter().map(|note| note.start_ms).min();
    let end = signs.iter().map(|note| note.end_ms).max();
    (
        start.unwrap_or(0).saturating_sub(around_ms),
        end.unwrap_or(0).saturating_add(around_ms),
    )
}

fn trigger(advert: Advert<'_>, notes: &Notes, pack: &Pack) -> Option<Trigger> {
    let marking = Marking::of(advert.marks.len());
    let rule = marking.rule(pack)?;
    let Advert { mut signs, marks } = advert;
    signs.retain(|note| note.evidence.score >= rule.min_score);
    if !weigh::advertises(&signs, &notes.against) {
        return None;
    }
    // Who speaks of goods to somebody shows nothing yet.
    signs.retain(|note| !note.kind.is_half());
    let is_marking = |note: &&Note<Sign>| matches!(note.kind, Sign::Marking | Sign::Marked);
    if !signs.iter().all(is_marking) {
        signs.retain(|note| !is_marking(note));
    }
    let found: Vec<Found<'_>> = signs.iter().map(|note| note.found(rule)).collect();
    let mut trigger = merge::event(&found, pack)?;
    trigger.description = describe::advert(&found, marking, &marks, pack);
    let marks = marks.iter().map(|mark| mark.evidence.clone());
    show(&mut trigger, marks.collect());
    Some(trigger)
}

/// Adds what marks the advertisement to what makes it one.
fn show(trigger: &mut Trigger, mut marks: Vec<Evidence>) {
    // A marking may be the sign as well.
    marks.retain(|mark| !trigger.evidence.contains(mark));
    let best = trigger.evidence.get(trigger.best).cloned();
    let room = MAX_EVIDENCE.saturating_sub(trigger.evidence.len());
    trigger.evidence.extend(marks.into_iter().take(room));
    trigger
        .evidence
        .sort_by_key(|evidence| (evidence.at_ms, evidence.end_ms));
    let place = trigger
        .evidence
        .iter()
        .position(|evidence| Some(evidence) == best.as_ref());
    trigger.best = place.unwrap_or(0);
}

#[cfg(test)]
mod tests;
