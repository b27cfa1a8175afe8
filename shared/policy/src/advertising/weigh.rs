//! Whether signs that stand together make an advertisement.
//!
//! A call is enough, other signs by twos. A brand and goods count in full beside a link or a code only: an
//! offer of a brand may be news of it, an order of goods a household's. What speaks against it is taken off.

use shared_domain::Task;

use super::JOIN_MS;
use super::notes::{Against, Note, Sign};

/// What is enough alone, were it not for what speaks against it; a topic takes as much off.
const ALONE: i32 = 6;
/// So much makes an advertisement.
const ENOUGH: i32 = 4;
/// What counts in full.
const FULL: i32 = 2;
/// What needs more than one other.
const HALF: i32 = 1;
/// What is talked about is talked about in the same sentence, or in the next.
const TALK_MS: i64 = 5_000;
/// So many notes are looked at around one sign: a caption that stays is one in every frame.
const MOST: usize = 200;

const SIGNS: [Sign; 13] = [
    Sign::Call,
    Sign::Link,
    Sign::Order,
    Sign::Offer,
    Sign::Gift,
    Sign::Code,
    Sign::Haste,
    Sign::Marking,
    Sign::Marked,
    Sign::Brand,
    Sign::Goods,
    Sign::Price,
    Sign::Address,
];

/// Until when each kind of sign is near, as time goes on.
#[derive(Default)]
struct Near {
    signs: [Option<i64>; SIGNS.len()],
    at_ms: i64,
}

impl Near {
    fn add(&mut self, note: &Note<Sign>) {
        self.at_ms = note.start_ms;
        // A caption that promises or asks something speaks to who reads it.
        let speaks =
            note.task == Task::Text && matches!(note.kind, Sign::Offer | Sign::Gift | Sign::Order);
        for (kind, until) in SIGNS.iter().zip(&mut self.signs) {
            if *kind == note.kind || (speaks && *kind == Sign::Address) {
                *until = (*until).max(Some(note.end_ms.saturating_add(JOIN_MS)));
            }
        }
    }

    fn has(&self, kind: Sign) -> bool {
        let mut signs = SIGNS.iter().zip(&self.signs);
        signs.any(|(sign, until)| *sign == kind && until.is_some_and(|until| until >= self.at_ms))
    }

    fn has_any(&self, kinds: &[Sign]) -> bool {
        kinds.iter().any(|kind| self.has(*kind))
    }

    fn points(&self) -> i32 {
        let single = [
            Sign::Link,
            Sign::Order,
            Sign::Offer,
            Sign::Gift,
            Sign::Code,
            Sign::Haste,
            Sign::Marking,
        ];
        let single = single.into_iter().filter(|kind| self.has(*kind));
        let single: i32 = single.map(|_| FULL).sum();
        let call = i32::from(self.has_any(&[Sign::Call, Sign::Marked])) * ALONE;
        single + call + self.sold() + self.halves()
    }

    fn sold(&self) -> i32 {
        let pointed = self.has_any(&[Sign::Link, Sign::Code, Sign::Marking]);
        let ordered = self.has(Sign::Brand) && self.has(Sign::Order);
        match self.has_any(&[Sign::Brand, Sign::Goods]) {
            true if pointed || ordered => FULL,
            true => HALF,
            false => 0,
        }
    }

    fn halves(&self) -> i32 {
        let halves = [Sign::Price, Sign::Address].into_iter();
        halves.map(|kind| HALF * i32::from(self.has(kind))).sum()
    }
}

/// Whether enough of the signs, in the order of time, stand near each other.
pub(super) fn advertises(signs: &[&Note<Sign>], against: &[Note<Against>]) -> bool {
    let mut near = Near::default();
    signs.iter().any(|sign| {
        near.add(sign);
        near.points() >= ENOUGH && near.points() - taken(sign, against) >= ENOUGH
    })
}

/// What is taken off for what is said beside a sign.
fn taken(sign: &Note<Sign>, against: &[Note<Against>]) -> i32 {
    let around = (
        sign.start_ms.saturating_sub(TALK_MS),
        sign.end_ms.saturating_add(TALK_MS),
    );
    let behind = against.partition_point(|note| note.start_ms <= around.1);
    let beside = against[..behind]
        .iter()
        .rev()
        .take(MOST)
        .filter(|note| note.lies_in(around));
    let weight = |note: &Note<Against>| match note.kind {
        Against::Topic => ALONE,
        Against::Aside => FULL,
    };
    beside.map(weight).max().unwrap_or(0)
}
