//! Which walk keeps which time: the best one first, and the others what it leaves. What moves slowly is
//! alike a little to either side as well, so that a walk also gives up what another nearby fits better.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

use shared_domain::Span;

use super::align::SHORTEST_MS;
use super::track::Pair;

/// How far apart the shifts of two walks are that what moves slowly may be alike along.
const NEARBY_MS: RangeInclusive<i64> = 111..=1_000;

/// A walk: a stretch of the first version and where it lies in the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) shift_ms: i64,
    /// How much of it is alike, and how closely.
    pub(crate) score: u64,
    /// Moments that are alike.
    pub(crate) alike: usize,
}

impl Piece {
    pub(crate) fn span(&self) -> Span {
        Span {
            start_ms: self.start_ms,
            end_ms: self.end_ms,
        }
    }

    fn rank(&self) -> (u64, Reverse<u64>, Reverse<i64>, Reverse<i64>, i64) {
        (
            self.score,
            Reverse(self.shift_ms.unsigned_abs()),
            Reverse(self.start_ms),
            Reverse(self.shift_ms),
            self.end_ms,
        )
    }
}

impl Ord for Piece {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Piece {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Walks that wait, and those that were taken.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    waiting: BinaryHeap<Piece>,
    taken: Vec<Piece>,
}

impl Claims {
    pub(crate) fn offer(&mut self, piece: Piece) {
        self.waiting.push(piece);
    }

    pub(crate) fn take(&mut self, piece: &Piece) {
        self.taken.push(*piece);
    }

    /// The best walk of which nothing is taken and that no other fits better; of others what is left
    /// is offered again.
    pub(crate) fn best(&mut self, pair: &Pair<'_>) -> Option<Piece> {
        while let Some(piece) = self.waiting.pop() {
            let mut left = self.free(&piece);
            if left == [piece.span()] {
                let Some(part) = self.outdone(pair, &piece) else {
                    return Some(piece);
                };
                left = without(piece.span(), part).collect();
            }
            let left = left.into_iter();
            let left = left.filter_map(|free| pair.measured(free, piece.shift_ms));
            self.waiting.extend(left);
        }
        None
    }

    /// The part of a walk that another one that waits fits better.
    fn outdone(&self, pair: &Pair<'_>, piece: &Piece) -> Option<Span> {
        let better = self.waiting.iter().filter_map(|rival| {
            let apart_ms = (rival.shift_ms - piece.shift_ms).abs();
            let both = shared(rival.span(), piece.span());
            let is_near = NEARBY_MS.contains(&apart_ms) && both.length_ms() >= SHORTEST_MS;
            is_near
                .then(|| pair.outdone(both, piece.shift_ms, rival.shift_ms))
                .flatten()
        });
        better
            .max_by_key(|(gain, part)| (*gain, Reverse(part.start_ms)))
            .map(|(_, part)| part)
    }

    /// What of a walk nobody has taken, in either version.
    fn free(&self, piece: &Piece) -> Vec<Span> {
        let mut free = vec![piece.span()];
        for taken in &self.taken {
            let there = taken.shift_ms - piece.shift_ms;
            for claimed in [taken.span(), moved(taken.span(), there)] {
                free = free
                    .into_iter()
                    .flat_map(|part| without(part, claimed))
                    .collect();
            }
        }
        free
    }

    /// Whether a walk lies after whatever it lies after, in both versions.
    pub(crate) fn keeps_order(&self, piece: &Piece) -> bool {
        self.taken.iter().all(|taken| {
            let here = piece.start_ms < taken.start_ms;
            let there = piece.start_ms + piece.shift_ms < taken.start_ms + taken.shift_ms;
            here == there
        })
    }
}

/// The same stretch at another time.
pub(crate) fn moved(span: Span, by_ms: i64) -> Span {
    Span {
        start_ms: span.start_ms + by_ms,
        end_ms: span.end_ms + by_ms,
    }
}

/// What two stretches share; empty or upside down when it is nothing.
pub(crate) fn shared(one: Span, other: Span) -> Span {
    Span {
        start_ms: one.start_ms.max(other.start_ms),
        end_ms: one.end_ms.min(other.end_ms),
    }
}

/// The parts of a stretch before and behind another.
pub(crate) fn without(part: Span, other: Span) -> impl Iterator<Item = Span> {
    let (before, behind) = match shared(part, other).length_ms() > 0 {
        true => (
            Span {
                end_ms: other.start_ms,
                ..part
            },
            Some(Span {
                start_ms: other.end_ms,
                ..part
            }),
        ),
        false => (part, None),
    };
    [Some(before), behind]
        .into_iter()
        .flatten()
        .filter(|span| span.length_ms() > 0)
}
