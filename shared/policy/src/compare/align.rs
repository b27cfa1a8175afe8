//! Which stretches of two videos are the same.
//!
//! Moments that look alike vote for the shift between them; along every shift that enough of them
//! agree on, both videos are walked side by side for as long as they stay alike; the best walks
//! are kept and claim their time in both. Cuts, inserts and reordered scenes are several shifts. The
//! surprise: the two are put into an order of their own first, so that swapping them swaps the answer
//! and nothing else.

use shared_domain::Likeness;

use super::claims::{Claims, Piece};
use super::seeds::{Vote, votes};
use super::track::{Pair, Track};

/// A stretch that both versions have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stretch {
    /// Where it begins in the old version.
    pub(crate) old_ms: i64,
    /// Where it begins in the new version.
    pub(crate) new_ms: i64,
    /// How long it is.
    pub(crate) length_ms: i64,
    /// The share of it that is alike, lower where there is little of it; 0 to 1.
    pub(crate) sure: f32,
    /// How far off the shift may be.
    pub(crate) within_ms: i64,
}

impl Stretch {
    /// What has to be added to a time of the old version.
    pub(crate) fn shift_ms(&self) -> i64 {
        self.new_ms - self.old_ms
    }

    fn swapped(self) -> Self {
        Self {
            old_ms: self.new_ms,
            new_ms: self.old_ms,
            ..self
        }
    }
}

/// Steps for each moment that walks may take together, those along the best shifts first: what looks
/// the same everywhere would be walked along every shift.
const STEPS: usize = 64;
/// Steps that find nothing, at the ends of a walk.
const FRUITLESS: usize = 8;
/// Votes for one shift lie in a bin of this width or the next one.
const BIN_MS: i64 = 40;
/// A stretch that stands in the order of its neighbours is believed from this length on.
pub(crate) const SHORTEST_MS: i64 = 400;
/// One that has changed places has to be as long, and to show as many different things: there is
/// black everywhere.
const MOVED: (i64, usize) = (2_000, 3);

/// Two versions of a track.
pub(crate) type Both<'a> = (Track<'a>, Track<'a>);

/// Finds what two versions share, in the order of the old one: by what they show, and where that says
/// nothing by what is said.
pub(crate) fn align(pictures: Both<'_>, words: Both<'_>) -> Vec<Stretch> {
    let order = |(old, new): &Both<'_>| old.order(new);
    let is_swapped = order(&pictures).then(order(&words)).is_gt();
    let [pictures, words] = [pictures, words].map(|(old, new)| match is_swapped {
        true => Pair { a: new, b: old },
        false => Pair { a: old, b: new },
    });
    let mut claims = Claims::default();
    let mut stretches = Vec::new();
    for pair in [&pictures, &words] {
        for piece in walks(pair) {
            claims.offer(piece);
        }
        while let Some(piece) = claims.best(pair) {
            if is_believed(&claims, pair, &piece) {
                claims.take(&piece);
                stretches.push(pair.stretch(&piece, &words));
            }
        }
    }
    if is_swapped {
        stretches = stretches.into_iter().map(Stretch::swapped).collect();
    }
    stretches.sort_by_key(|stretch| (stretch.old_ms, stretch.new_ms));
    stretches
}

fn is_believed(claims: &Claims, pair: &Pair<'_>, piece: &Piece) -> bool {
    let length_ms = piece.end_ms - piece.start_ms;
    if claims.keeps_order(piece) {
        return length_ms >= SHORTEST_MS && piece.alike >= 2;
    }
    let (long_ms, looks) = MOVED;
    length_ms >= long_ms && pair.looks(piece) >= looks
}

/// Everything that stays alike for a while, along the shifts that have most votes.
fn walks(pair: &Pair<'_>) -> Vec<Piece> {
    let mut votes = votes(pair);
    votes.sort_by_key(|vote| (vote.shift_ms, vote.index));
    let mut shifts = shifts(&votes);
    shifts.sort_by_key(|shift| {
        let first = votes[shift.clone()].first().map(|vote| vote.shift_ms);
        (std::cmp::Reverse(weight(&votes[shift.clone()])), first)
    });
    let mut steps = STEPS * (pair.a.items.len() + pair.b.items.len());
    let mut pieces: Vec<Piece> = Vec::new();
    for shift in shifts {
        let mut votes = votes[shift].to_vec();
        let shift_ms = middle(&mut votes);
        votes.sort_by_key(|vote| vote.index);
        let mut walked = 0;
        for vote in votes {
            if vote.index < walked || steps == 0 {
                continue;
            }
            let walk = pair.walk(vote.index, walked, shift_ms);
            let (alike, last) = walk
                .as_ref()
                .map_or((0, vote.index), |(piece, last)| (piece.alike, *last));
            walked = last + 1;
            steps = steps.saturating_sub(alike + FRUITLESS);
            pieces.extend(walk.map(|(piece, _)| piece));
        }
    }
    pieces
}

/// Neighbouring bins that have votes, as ranges of the sorted votes.
fn shifts(votes: &[Vote]) -> Vec<std::ops::Range<usize>> {
    let bin = |vote: &Vote| vote.shift_ms.div_euclid(BIN_MS);
    let mut bins: Vec<std::ops::Range<usize>> = Vec::new();
    for (at, vote) in votes.iter().enumerate() {
        match bins.last_mut() {
            Some(range) if bin(&votes[range.start]) == bin(vote) => range.end = at + 1,
            _ => bins.push(at..at + 1),
        }
    }
    let pairs = bins.iter().enumerate().map(|(at, range)| {
        let next = bins
            .get(at + 1)
            .filter(|next| bin(&votes[next.start]) == bin(&votes[range.start]) + 1);
        range.start..next.map_or(range.end, |next| next.end)
    });
    pairs.collect()
}

fn weight(votes: &[Vote]) -> u64 {
    votes.iter().map(|vote| vote.weight).sum()
}

/// The shift with as much weight below it as above.
fn middle(votes: &mut [Vote]) -> i64 {
    votes.sort_by_key(|vote| vote.shift_ms);
    let half = weight(votes) / 2;
    let mut below = 0;
    for vote in votes.iter() {
        below += vote.weight;
        if below > half {
            return vote.shift_ms;
        }
    }
    0
}

/// The distance up to which two moments are alike: of unrelated ones half of the bits differ.
pub(crate) const ALIKE: u32 = 12;
/// What compression may change in an even picture.
const GRAIN: u32 = 2;

/// Whether two moments show, or say, the same. Dark and even pictures have few bits to differ in: at
/// most a third of what either has may.
pub(crate) fn is_alike(one: Likeness, other: Likeness) -> bool {
    let distance = one.distance(other);
    let bits = (one.bits | other.bits).count_ones();
    distance <= GRAIN || (distance <= ALIKE && distance * 3 <= bits)
}
