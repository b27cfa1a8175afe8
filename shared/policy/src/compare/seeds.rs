//! Moments of two versions that look alike, found without comparing each with each.

use shared_domain::Likeness;

use super::align::{ALIKE, is_alike};
use super::track::Pair;

/// Two moments that are alike, and so vote for the shift between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vote {
    pub(crate) shift_ms: i64,
    /// The moment of the first version.
    pub(crate) index: usize,
    pub(crate) weight: u64,
}

/// Bits that have to be equal for two moments to be looked at; one band of four is enough.
const BAND: u32 = 16;
/// Moments that have this many partners say nothing; only their places in the row count then.
const MOST_PAIRS: usize = 64;
/// A first frame of a shot in both tells the shift to the frame.
const OPENS: u64 = 8;

/// Every vote, in no order, each pair once.
pub(crate) fn votes(pair: &Pair<'_>) -> Vec<Vote> {
    let mut pairs = Vec::new();
    for band in 0..u64::BITS / BAND {
        let (a, b) = (banded(pair.a.items, band), banded(pair.b.items, band));
        let mut b = b.chunk_by(same).peekable();
        for ours in a.chunk_by(same) {
            while b.next_if(|theirs| theirs[0].0 < ours[0].0).is_some() {}
            if let Some(theirs) = b.next_if(|theirs| theirs[0].0 == ours[0].0) {
                meet(ours, theirs, &mut pairs);
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    let vote = |(a, b): (usize, usize)| {
        let (one, other) = (pair.a.items[a], pair.b.items[b]);
        let weight = u64::from(ALIKE + 1 - one.distance(other).min(ALIKE));
        let exact = if one.opens && other.opens { OPENS } else { 1 };
        is_alike(one, other).then_some(Vote {
            shift_ms: other.at_ms - one.at_ms,
            index: a,
            weight: weight * exact,
        })
    };
    pairs.into_iter().filter_map(vote).collect()
}

type Banded = (u64, usize);

fn same(one: &Banded, other: &Banded) -> bool {
    one.0 == other.0
}

/// What one band shows, sorted, with where it is.
fn banded(items: &[Likeness], band: u32) -> Vec<Banded> {
    let value = |item: &Likeness| item.bits >> (band * BAND) & ((1 << BAND) - 1);
    let mut banded: Vec<Banded> = items.iter().map(value).zip(0..).collect();
    banded.sort_unstable();
    banded
}

/// A picture that stands, or comes again and again, would meet itself everywhere: the first then
/// meets the first, and the last the last.
fn meet(ours: &[Banded], theirs: &[Banded], pairs: &mut Vec<(usize, usize)>) {
    if ours.len().saturating_mul(theirs.len()) <= MOST_PAIRS {
        let all = ours
            .iter()
            .flat_map(|(_, a)| theirs.iter().map(move |(_, b)| (*a, *b)));
        pairs.extend(all);
        return;
    }
    let from_front = ours.iter().zip(theirs);
    let from_back = ours.iter().rev().zip(theirs.iter().rev());
    pairs.extend(from_front.chain(from_back).map(|((_, a), (_, b))| (*a, *b)));
}
