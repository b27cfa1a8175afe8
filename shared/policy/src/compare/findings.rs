//! What became of every finding.

use std::collections::{BTreeMap, BTreeSet};

use shared_domain::{Span, Task};

use super::align::{Stretch, is_alike};
use super::claims::{moved, shared};
use super::look::{View, span};
use super::track::Pair;
use super::{Change, Fate, Unclear, Version, about, ms, pictures, plain, seconds};
use crate::report::Risk;

/// A finding is where it was when it lies this much beside it: models cut time in pieces of their own.
const BESIDE_MS: i64 = 300;
/// A shift of less than a frame or two is none.
const STILL_MS: i64 = 50;
/// Bits that a picture may change by and show the same.
const SAME: u32 = 8;
/// How sure a stretch has to be for a decision to carry over.
const SURE: f32 = 0.75;
/// What is said around a word decides what it means.
const AROUND_MS: i64 = 1_000;

/// A finding that both versions have.
#[derive(Debug, Clone, Copy)]
struct Link<'s> {
    old: usize,
    new: usize,
    /// Whether the same thing was found, not only something of the same kind.
    same: bool,
    overlap_ms: i64,
    /// None where the place itself has changed.
    stretch: Option<&'s Stretch>,
}

pub(crate) fn fates(versions: &[Version<'_>; 2], stretches: &[Stretch]) -> Vec<Change> {
    let view = View::from_old(*versions, stretches);
    let [old, new] = (*versions).map(|version| &version.report.risks);
    let mut links = links(&view, stretches);
    let [mut old_left, mut new_left] =
        [old.len(), new.len()].map(|n| (0..n).collect::<BTreeSet<_>>());
    links.sort_by_key(|link| std::cmp::Reverse((link.same, link.overlap_ms)));
    // One to one first; what was one event and is two now, or the other way round, comes second.
    let (mut kept, rest): (Vec<_>, Vec<_>) = links
        .into_iter()
        .partition(|link| take_both(link, &mut old_left, &mut new_left));
    for link in rest {
        if old_left.remove(&link.old) | new_left.remove(&link.new) {
            kept.push(link);
        }
    }
    let replaced = match view.is_comparable() {
        true => replaced(&view, &old_left, &new_left),
        false => Vec::new(),
    };
    for link in replaced {
        if take_both(&link, &mut old_left, &mut new_left) {
            kept.push(link);
        }
    }
    let turned = view.turned();
    let both = kept.iter().map(|link| in_both(&view, link));
    let gone = old_left.iter().map(|at| {
        let risk = &old[*at];
        alone(Fate::Fixed, view.why_unclear(risk), (Some(risk), None))
    });
    let come = new_left.iter().map(|at| {
        let risk = &new[*at];
        alone(Fate::New, turned.why_unclear(risk), (None, Some(risk)))
    });
    let mut changes: Vec<Change> = both.chain(gone).chain(come).collect();
    let places: BTreeMap<_, _> = new
        .iter()
        .map(|risk| (risk.id, span(risk).start_ms))
        .collect();
    changes.sort_by_key(|change| {
        let now = change.new.and_then(|id| places.get(&id).copied());
        let then = change.old.as_ref().map(|old| ms(old.start_seconds));
        (now.or(then), then)
    });
    changes
}

fn take_both(link: &Link<'_>, old: &mut BTreeSet<usize>, new: &mut BTreeSet<usize>) -> bool {
    let both = old.contains(&link.old) && new.contains(&link.new);
    both && old.remove(&link.old) && new.remove(&link.new)
}

/// Findings of one kind at one place.
fn links<'s>(view: &View<'_>, stretches: &'s [Stretch]) -> Vec<Link<'s>> {
    let mut by_kind: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, risk) in view.there.report.risks.iter().enumerate() {
        by_kind.entry(kind(risk)).or_default().push(at);
    }
    let mut links = Vec::new();
    for (old, risk) in view.here.report.risks.iter().enumerate() {
        let Some(others) = by_kind.get(&kind(risk)) else {
            continue;
        };
        for (stretch, (here, shift_ms)) in stretches.iter().zip(&view.shared) {
            let part = shared(span(risk), *here);
            if part.length_ms() <= 0 {
                continue;
            }
            let due = widened(moved(part, *shift_ms), BESIDE_MS + stretch.within_ms);
            for new in others {
                let other = &view.there.report.risks[*new];
                let overlap_ms = shared(due, span(other)).length_ms();
                if overlap_ms > 0 {
                    links.push(Link {
                        old,
                        new: *new,
                        same: things(risk) == things(other),
                        overlap_ms,
                        stretch: Some(stretch),
                    });
                }
            }
        }
    }
    links
}

/// The same thing in what stands now in the place of what was there: it is not gone.
fn replaced(
    view: &View<'_>,
    old_left: &BTreeSet<usize>,
    new_left: &BTreeSet<usize>,
) -> Vec<Link<'static>> {
    let mut links = Vec::new();
    for old in old_left {
        let risk = &view.here.report.risks[*old];
        let places = view.places(span(risk));
        for new in new_left {
            let other = &view.there.report.risks[*new];
            let overlaps = places
                .iter()
                .map(|place| shared(*place, span(other)).length_ms());
            let overlap_ms = overlaps.max().unwrap_or(0);
            let same = kind(risk) == kind(other) && things(risk) == things(other);
            if same && overlap_ms > 0 {
                links.push(Link {
                    old: *old,
                    new: *new,
                    same,
                    overlap_ms,
                    stretch: None,
                });
            }
        }
    }
    links
}

fn in_both(view: &View<'_>, link: &Link<'_>) -> Change {
    let risk = &view.here.report.risks[link.old];
    let other = &view.there.report.risks[link.new];
    let shift_ms = link.stretch.map_or_else(
        || span(other).start_ms - span(risk).start_ms,
        Stretch::shift_ms,
    );
    let within_ms = link.stretch.map_or(0, |stretch| stretch.within_ms);
    let is_still = shift_ms.abs() <= STILL_MS.max(within_ms);
    Change {
        fate: if is_still {
            Fate::StillThere
        } else {
            Fate::Moved
        },
        old: Some(about(risk)),
        new: Some(other.id),
        shift_seconds: Some(seconds(shift_ms)),
        unchanged: link.same
            && link
                .stretch
                .is_some_and(|stretch| is_unchanged(view, (risk, other), stretch)),
        reason: None,
    }
}

fn alone(
    fate: Fate,
    reason: Option<Unclear>,
    (old, new): (Option<&Risk>, Option<&Risk>),
) -> Change {
    Change {
        fate: if reason.is_some() {
            Fate::Unknown
        } else {
            fate
        },
        old: old.map(about),
        new: new.map(|risk| risk.id),
        shift_seconds: None,
        unchanged: false,
        reason,
    }
}

/// Whether what was decided about one still holds for the other: the same rule has found the same
/// thing, and all that surrounds it is as it was.
fn is_unchanged(view: &View<'_>, (risk, other): (&Risk, &Risk), stretch: &Stretch) -> bool {
    let shift_ms = stretch.shift_ms();
    let whole = Span {
        start_ms: stretch.old_ms,
        end_ms: stretch.old_ms + stretch.length_ms,
    };
    let both = [span(risk), moved(span(other), -shift_ms)];
    let lie_in = both
        .iter()
        .all(|part| shared(widened(whole, BESIDE_MS), *part).length_ms() == part.length_ms());
    let judged = |risk: &Risk| (risk.code.clone(), risk.reason.rule.clone(), risk.unclear);
    if stretch.sure < SURE || !lie_in || judged(risk) != judged(other) {
        return false;
    }
    match risk.kind {
        Task::Speech => {
            let around = shared(widened(both[0], AROUND_MS), whole);
            let then = spoken(&view.here, around);
            !then.is_empty() && then == spoken(&view.there, moved(around, shift_ms))
        }
        _ => {
            let [here, there] = [&view.here, &view.there].map(pictures);
            let forth = Pair { a: here, b: there };
            let back = Pair { a: there, b: here };
            looks_same(&forth, both[0], shift_ms) && looks_same(&back, span(other), -shift_ms)
        }
    }
}

/// What is said in a stretch, word by word.
fn spoken(version: &Version<'_>, span: Span) -> Vec<String> {
    let middle = |start_ms: i64, end_ms: i64| i64::midpoint(start_ms, end_ms);
    let words = version
        .words
        .iter()
        .filter(|word| (span.start_ms..span.end_ms).contains(&middle(word.start_ms, word.end_ms)));
    words
        .map(|word| plain(&word.text))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Whether every picture of a stretch looks as it does in the other version.
fn looks_same(pair: &Pair<'_>, span: Span, shift_ms: i64) -> bool {
    let items = pair.a.items;
    let from = items.partition_point(|item| item.at_ms < span.start_ms);
    let to = items.partition_point(|item| item.at_ms < span.end_ms);
    // Between two pictures the one before stands.
    let from = if from < to {
        from
    } else {
        to.saturating_sub(1)
    };
    let mut shown = (from..to).map(|at| {
        let partner = pair.partner(at, shift_ms);
        partner.is_some_and(|other| {
            let (ours, theirs) = (items[at], pair.b.items[other]);
            is_alike(ours, theirs) && ours.distance(theirs) <= SAME
        })
    });
    from < to && shown.all(|same| same)
}

fn kind(risk: &Risk) -> (&str, Task, &str) {
    (&risk.category, risk.kind, &risk.source)
}

/// What was found: labels, or entries and the words that they matched.
fn things(risk: &Risk) -> BTreeSet<String> {
    let thing = |piece: &crate::EvidenceFacts| match (&piece.text, piece.highlight) {
        (Some(text), Some(part)) => {
            let matched = text.chars().skip(part.start);
            let matched: String = matched.take(part.end.saturating_sub(part.start)).collect();
            plain(&matched)
        }
        _ => piece.label.clone(),
    };
    risk.evidence.iter().map(thing).collect()
}

fn widened(span: Span, by_ms: i64) -> Span {
    Span {
        start_ms: span.start_ms - by_ms,
        end_ms: span.end_ms + by_ms,
    }
}
