//! One track of a video, and two of them side by side.

use std::cmp::Ordering;

use shared_domain::{Likeness, Span};

use super::align::{ALIKE, Stretch, is_alike};
use super::claims::Piece;

/// What one version shows, or says, in the order of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Track<'a> {
    pub(crate) items: &'a [Likeness],
    /// When the video ends.
    pub(crate) end_ms: i64,
    pub(crate) kind: Kind,
}

/// What the moments of a track are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A picture stands until the next one; five are looked at in a second.
    Pictures,
    /// A word is over soon; its time is the model's.
    Words,
}

/// Two versions of one track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) a: Track<'a>,
    pub(crate) b: Track<'a>,
}

/// Moments that differ between ones that are alike are let pass up to this many in a row.
const PATIENCE: i64 = 6;
/// One that differs counts as much as this many that are alike.
const SPOILS: i64 = 2;
/// Partners that are looked at for one moment.
const MOST_PARTNERS: usize = 32;
/// How far off a shift may be that was read from cuts, from words, and from movement.
const EXACT_MS: i64 = 20;
const SPOKEN_MS: i64 = 60;
const ROUGH_MS: i64 = 100;
/// What a walk leaves to be told more closely.
const FARTHEST_MS: i64 = 150;
/// Fewest moments that a shift between two moments is estimated from, and the fewest bits that a
/// picture has to change by to tell it.
const ESTIMATES: usize = 5;
const MOVING: u32 = 3;
/// By how many bits, all moments taken together, another shift has to fit better.
const MUCH_BETTER: i64 = 40;

impl Track<'_> {
    /// Any order, so long as it is one.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.items
            .cmp(other.items)
            .then(self.end_ms.cmp(&other.end_ms))
    }

    fn reach_ms(&self) -> i64 {
        match self.kind {
            Kind::Pictures => 110,
            Kind::Words => 350,
        }
    }

    /// Until when a moment stands, and whether that is exact.
    fn next(&self, index: usize) -> (i64, bool) {
        let next = self.items.get(index + 1);
        let (next_ms, opens) = next.map_or((self.end_ms, false), |item| (item.at_ms, item.opens));
        let at_ms = self.items[index].at_ms;
        match self.kind {
            Kind::Pictures => (next_ms.max(at_ms), opens),
            Kind::Words => (next_ms.clamp(at_ms, at_ms + 500), false),
        }
    }
}

impl Pair<'_> {
    /// The moment of `b` that fits a moment of `a` best.
    pub(crate) fn partner(&self, index: usize, shift_ms: i64) -> Option<usize> {
        let item = self.a.items[index];
        let (due_ms, near) = (item.at_ms + shift_ms, self.near(index, shift_ms));
        let fit = |at: &usize| {
            let other = self.b.items[*at];
            (item.distance(other), other.at_ms.abs_diff(due_ms))
        };
        let stands = || {
            let stands = self.a.kind == Kind::Pictures && due_ms < self.b.end_ms;
            stands.then(|| near.start.checked_sub(1)).flatten()
        };
        near.clone().min_by_key(fit).or_else(stands)
    }

    /// Moments of `b` that are due about when a moment of `a` is.
    fn near(&self, index: usize, shift_ms: i64) -> std::ops::Range<usize> {
        let (due_ms, reach_ms) = (self.a.items[index].at_ms + shift_ms, self.a.reach_ms());
        let items = self.b.items;
        let from = items.partition_point(|other| other.at_ms < due_ms - reach_ms);
        let near = items[from..].iter().take(MOST_PARTNERS);
        let count = near.take_while(|other| other.at_ms <= due_ms + reach_ms);
        from..from + count.count()
    }

    /// The same, as far as they are alike.
    fn alike_near(&self, index: usize, shift_ms: i64) -> impl DoubleEndedIterator<Item = usize> {
        let near = self.near(index, shift_ms);
        near.filter(move |at| is_alike(self.a.items[index], self.b.items[*at]))
    }

    fn alike(&self, index: usize, shift_ms: i64) -> Option<usize> {
        let partner = self.partner(index, shift_ms)?;
        is_alike(self.a.items[index], self.b.items[partner]).then_some(partner)
    }

    /// Goes from a moment both ways for as long as the versions stay alike, backwards not before
    /// `from`; answers the index of the last moment, too.
    pub(crate) fn walk(&self, index: usize, from: usize, shift_ms: i64) -> Option<(Piece, usize)> {
        let last = self.farthest(index..self.a.items.len(), shift_ms)?;
        let first = self
            .farthest((from..index).rev(), shift_ms)
            .unwrap_or(index);
        let span = Span {
            start_ms: self.start(first, shift_ms),
            end_ms: self.end(last, shift_ms)?,
        };
        Some((self.measured(span, shift_ms)?, last))
    }

    fn farthest(&self, way: impl Iterator<Item = usize>, shift_ms: i64) -> Option<usize> {
        let (mut sum, mut best, mut farthest) = (0, 0, None);
        for index in way {
            match self.alike(index, shift_ms) {
                Some(_) => sum += 1,
                None => sum -= SPOILS,
            }
            if sum > best {
                (best, farthest) = (sum, Some(index));
            }
            if sum <= best - PATIENCE {
                break;
            }
        }
        farthest
    }

    /// Where the stretch begins whose first moment this is: a cut in the other version tells best, or
    /// its beginning.
    fn start(&self, index: usize, shift_ms: i64) -> i64 {
        let opening = self
            .alike_near(index, shift_ms)
            .find(|at| *at == 0 || self.b.items[*at].opens);
        let ours_ms = self.a.items[index].at_ms;
        opening.map_or(ours_ms, |at| self.b.items[at].at_ms - shift_ms)
    }

    /// Where the stretch ends whose last moment this is.
    fn end(&self, index: usize, shift_ms: i64) -> Option<i64> {
        let latest = self.alike_near(index, shift_ms).next_back();
        let partner = latest.or_else(|| self.alike(index, shift_ms))?;
        let (ours_ms, ours_exact) = self.a.next(index);
        let (theirs_ms, theirs_exact) = self.b.next(partner);
        let theirs_ms = theirs_ms - shift_ms;
        let near = |ms: i64, other: i64| ms <= other + self.a.reach_ms();
        Some(match (ours_exact, theirs_exact) {
            (true, false) if near(ours_ms, theirs_ms) => ours_ms,
            (false, true) if near(theirs_ms, ours_ms) => theirs_ms,
            _ => ours_ms.min(theirs_ms),
        })
    }

    /// What a stretch of time is worth along a shift; none when nothing in it is alike.
    pub(crate) fn measured(&self, span: Span, shift_ms: i64) -> Option<Piece> {
        let (mut score, mut alike) = (0, 0);
        for index in self.within(span) {
            if let Some(partner) = self.alike(index, shift_ms) {
                let distance = self.a.items[index].distance(self.b.items[partner]);
                score += u64::from(ALIKE + 1 - distance);
                alike += 1;
            }
        }
        (alike > 0 && span.length_ms() > 0).then_some(Piece {
            start_ms: span.start_ms,
            end_ms: span.end_ms,
            shift_ms,
            score,
            alike,
        })
    }

    /// The part of a stretch that fits much better along another shift, after how much better.
    pub(crate) fn outdone(&self, span: Span, mine_ms: i64, theirs_ms: i64) -> Option<(i64, Span)> {
        let fit = |index: usize, shift_ms: i64| {
            let partner = self.partner(index, shift_ms);
            let distance = partner.map(|at| self.a.items[index].distance(self.b.items[at]));
            i64::from(ALIKE + 1 - distance.unwrap_or(ALIKE + 1).min(ALIKE + 1))
        };
        let within = self.within(span);
        let (mut sum, mut from, mut best, mut part) = (0, within.start, 0, None);
        for index in within.clone() {
            if sum <= 0 {
                (sum, from) = (0, index);
            }
            sum += fit(index, theirs_ms) - fit(index, mine_ms);
            if sum > best {
                (best, part) = (sum, Some((from, index + 1)));
            }
        }
        let (from, to) = part.filter(|_| best >= MUCH_BETTER)?;
        let at_ms = |index: usize| {
            self.a
                .items
                .get(index)
                .map_or(span.end_ms, |item| item.at_ms)
        };
        let part = Span {
            start_ms: if from == within.start {
                span.start_ms
            } else {
                at_ms(from)
            },
            end_ms: if to == within.end {
                span.end_ms
            } else {
                at_ms(to)
            },
        };
        Some((best, part))
    }

    /// Moments of `a` that lie in a stretch. One that a rounding puts just before it does, too.
    fn within(&self, span: Span) -> std::ops::Range<usize> {
        let from_ms = span.start_ms - self.a.reach_ms();
        let count = |before_ms| self.a.items.partition_point(|item| item.at_ms < before_ms);
        let from = count(from_ms);
        from..count(span.end_ms).max(from)
    }

    /// How many different things a piece shows, or says.
    pub(crate) fn looks(&self, piece: &Piece) -> usize {
        let (mut looks, mut last) = (0, None);
        for item in &self.a.items[self.within(piece.span())] {
            if last.is_none_or(|last| !is_alike(last, *item)) {
                (looks, last) = (looks + 1, Some(*item));
            }
        }
        looks
    }

    /// A piece as a stretch, with its shift as exact as it can be told: by cuts, by words, by movement.
    pub(crate) fn stretch(&self, piece: &Piece, words: &Pair<'_>) -> Stretch {
        let moments = self.within(piece.span()).len() + 1;
        let shifts = [
            (self.shifts(piece, Pair::cut), 1, EXACT_MS),
            (words.shifts(piece, Pair::said), ESTIMATES, SPOKEN_MS),
            (self.shifts(piece, Pair::between), ESTIMATES, ROUGH_MS),
        ];
        let told = shifts
            .into_iter()
            .find(|(all, least, _)| all.len() >= *least);
        let rough_ms = piece.shift_ms;
        let (told_ms, within_ms) = told.map_or((rough_ms, ROUGH_MS), |(all, _, within_ms)| {
            (median(all), within_ms)
        });
        let shift_ms = told_ms.clamp(rough_ms - FARTHEST_MS, rough_ms + FARTHEST_MS);
        #[expect(clippy::cast_precision_loss, reason = "a share to look at")]
        let sure = piece.alike as f32 / moments as f32;
        // A picture that stood before the cut is alike behind it: what is not in both versions is cut off.
        let start_ms = piece.start_ms.max(-shift_ms).max(0);
        let end_ms = piece.end_ms.min(self.a.end_ms);
        let end_ms = end_ms.min(self.b.end_ms - shift_ms).max(start_ms);
        Stretch {
            old_ms: start_ms,
            new_ms: start_ms + shift_ms,
            length_ms: end_ms - start_ms,
            sure,
            within_ms,
        }
    }

    /// What the moments of a piece say of its shift.
    fn shifts(&self, piece: &Piece, tell: fn(&Self, usize, usize) -> Option<i64>) -> Vec<i64> {
        let moments = self.within(piece.span());
        let told = moments.filter_map(|index| {
            let partner = self.alike(index, piece.shift_ms)?;
            tell(self, index, partner)
        });
        told.collect()
    }

    /// The time from a word to the same one of the other version.
    fn said(&self, index: usize, partner: usize) -> Option<i64> {
        let apart_ms = self.b.items[partner].at_ms - self.a.items[index].at_ms;
        (self.a.kind == Kind::Words).then_some(apart_ms)
    }

    /// The time from the first frame of a shot to the same one of the other version.
    fn cut(&self, index: usize, partner: usize) -> Option<i64> {
        let (ours, theirs) = (self.a.items[index], self.b.items[partner]);
        (ours.opens && theirs.opens).then_some(theirs.at_ms - ours.at_ms)
    }

    /// The shift of a picture that lies between two of the other version, by how far it is from each.
    fn between(&self, index: usize, partner: usize) -> Option<i64> {
        let ours = self.a.items[index];
        let near = self.b.items[partner];
        let sides = [partner.checked_sub(1), Some(partner + 1)];
        let other = sides
            .into_iter()
            .filter_map(|at| self.b.items.get(at?))
            .filter(|other| other.at_ms.abs_diff(near.at_ms) <= 250)
            .min_by_key(|other| (ours.distance(**other), other.at_ms))?;
        let (here, there) = (ours.distance(near), ours.distance(*other));
        let apart_ms = (other.at_ms - near.at_ms) * i64::from(here);
        (here + there >= MOVING)
            .then(|| near.at_ms - ours.at_ms + apart_ms / i64::from(here + there))
    }
}

fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[values.len() / 2]
}
