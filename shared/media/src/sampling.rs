//! Which candidate pictures are kept for the models.
//!
//! A candidate is kept when it opens a shot, when text or a mark appears or goes that stands still
//! (however much moves behind it), when it differs at all and the last one is old enough, and at
//! least every ten seconds. Shots that follow each other faster than the budget allows wait for their
//! turn; those that are over before it came are listed as hurried. The surprise: the part of the
//! video that a kept picture stands for can begin *before* the picture, since text is only known to
//! stand still once it was seen twice.

use shared_domain::Span;

use crate::gaps::Gaps;
use crate::grid::{Change, Edges, Grid};

mod budget;

use budget::Budget;

/// The first frame after a cut scores at least this with ffmpeg's scene detection.
pub(crate) const CUT: f64 = 0.2;
/// Something is kept at least this often, however still the picture stands.
const HEARTBEAT_MS: i64 = 10_000;
/// Local changes are looked at no more often than this; text shown for half a second lasts longer.
const LOCAL_GAP_MS: i64 = 300;
/// Change in so much of the picture at once is no longer local.
const GLOBAL: f64 = 0.4;
/// A picture of which less than this changes from one candidate to the next is calm: only there
/// does something that pops up stand out from what moves.
const CALM: f64 = 0.03;
/// A change of this share, out of comparative calm, is a cut that scene detection missed.
const UNSEEN_CUT: (f64, f64) = (0.75, 0.25);

/// How still one block has been.
#[derive(Debug, Clone, Copy, Default)]
struct Calm {
    /// Steps without change.
    steps: u8,
    /// Whether the last change was a single one, here and in a calm picture: something popped up.
    jumped: bool,
    /// When the last change was.
    since_ms: i64,
}

impl Calm {
    fn step(&mut self, changed: bool, calm: bool, at_ms: i64) {
        if changed {
            *self = Self {
                steps: 0,
                jumped: calm && self.steps >= 2,
                since_ms: at_ms,
            };
        } else {
            self.steps = self.steps.saturating_add(1);
        }
    }
}

#[derive(Debug)]
struct Kept {
    at_ms: i64,
    grid: Grid,
    /// Text that stood still in it: with the candidate before it unless it opened a shot, and
    /// with the one after it, once that is known.
    anchors: Option<Edges>,
    settled: bool,
}

impl Kept {
    fn opening(at_ms: i64, grid: Grid, anchors: Option<Edges>) -> Self {
        Self {
            at_ms,
            grid,
            anchors,
            settled: false,
        }
    }

    fn settle(&mut self, next: &Grid) {
        if !self.settled {
            let standing = self.grid.standing(next);
            let known = self.anchors.take();
            self.anchors = Some(known.map_or(standing.clone(), |known| known.or(&standing)));
            self.settled = true;
        }
    }
}

#[derive(Debug)]
struct Last {
    at_ms: i64,
    grid: Grid,
    change: f64,
}

/// Decides candidate by candidate, in the order of time.
#[derive(Debug)]
pub(crate) struct Sampler {
    moving_gap_ms: f64,
    kept: Option<Kept>,
    last: Option<Last>,
    calm: Vec<Calm>,
    local_at_ms: i64,
    pending_ms: Option<i64>,
    budget: Budget,
    /// Since when a shot is on that has not had its turn.
    waiting_ms: Option<i64>,
    hurried: Gaps,
}

impl Sampler {
    /// `fps` bounds how often a scene that keeps moving is kept.
    pub(crate) fn new(fps: f64) -> Self {
        Self {
            moving_gap_ms: 1000.0 / fps,
            kept: None,
            last: None,
            calm: Vec::new(),
            local_at_ms: i64::MIN / 2,
            pending_ms: None,
            budget: Budget::new(fps),
            waiting_ms: None,
            hurried: Gaps::default(),
        }
    }

    /// Closes the list of shots that never had their turn.
    pub(crate) fn finish(mut self, end_ms: i64) -> Vec<Span> {
        self.pass_over(end_ms);
        self.hurried.finish()
    }

    /// The shot that waits is over.
    fn pass_over(&mut self, at_ms: i64) {
        if let Some(since_ms) = self.waiting_ms.take() {
            self.hurried.add(since_ms, at_ms);
        }
    }

    /// Whether this candidate is kept: then from when on it stands for the video.
    pub(crate) fn offer(&mut self, at_ms: i64, cut_score: f64, grid: Grid) -> Option<i64> {
        let (Some(kept), Some(last)) = (self.kept.take(), self.last.take()) else {
            self.kept = Some(Kept::opening(at_ms, grid.clone(), None));
            self.last = Some(Last {
                at_ms,
                grid,
                change: 0.0,
            });
            return Some(at_ms);
        };
        let step = grid.change(&last.grid);
        let against = grid.change(&kept.grid);
        self.calm.resize(step.blocks.len(), Calm::default());
        for (calm, changed) in self.calm.iter_mut().zip(&step.blocks) {
            calm.step(*changed, last.change < CALM, at_ms);
        }
        let share = step.share();
        let cut = cut_score >= CUT || (share > UNSEEN_CUT.0 && last.change < UNSEEN_CUT.1);
        if cut || !against.any() {
            self.pass_over(at_ms);
        }
        if cut && against.any() {
            self.waiting_ms = Some(at_ms);
        }

        let start = self.start(at_ms, (&grid, share), (kept, &last), &against);
        if let Some(start_ms) = start {
            // Nothing of the shot before it stands still in it.
            let opens = cut && start_ms == at_ms;
            let anchors = (!opens).then(|| grid.standing(&last.grid));
            self.kept = Some(Kept::opening(at_ms, grid.clone(), anchors));
            self.pending_ms = None;
            self.waiting_ms = None;
        }
        self.last = Some(Last {
            at_ms,
            grid,
            change: share,
        });
        start
    }

    /// From when on this candidate stands for the video, if it is kept; if not, `kept` stays.
    fn start(
        &mut self,
        at_ms: i64,
        (grid, share): (&Grid, f64),
        (mut kept, last): (Kept, &Last),
        against: &Change,
    ) -> Option<i64> {
        let is_due = self.is_due(at_ms, &kept, against);
        let start = if let Some(since_ms) = self.waiting_ms {
            (is_due || self.budget.take(at_ms)).then_some(since_ms)
        } else {
            kept.settle(grid);
            let calm = if share < CALM { &self.calm[..] } else { &[] };
            let local = local_change((&kept, last), (at_ms, grid), calm, against);
            self.pending_ms =
                local.map(|since| self.pending_ms.map_or(since, |earlier| earlier.min(since)));
            let ripe = self
                .pending_ms
                .filter(|_| at_ms - self.local_at_ms >= LOCAL_GAP_MS && self.budget.take(at_ms));
            if ripe.is_some() {
                self.local_at_ms = at_ms;
            }
            ripe.map(|since| since.max(kept.at_ms + 1))
                .or(is_due.then_some(at_ms))
        };
        self.kept = Some(kept);
        start
    }

    fn is_due(&self, at_ms: i64, kept: &Kept, against: &Change) -> bool {
        let age = at_ms - kept.at_ms;
        // A candidate may come a little before the beat; the next one would be far behind it.
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
        let moved = against.any() && age as f64 >= self.moving_gap_ms - 20.0;
        age >= HEARTBEAT_MS || moved
    }
}

/// Since when something small and still is there that `kept` does not show, or gone that it does.
fn local_change(
    (kept, last): (&Kept, &Last),
    (at_ms, grid): (i64, &Grid),
    calm: &[Calm],
    against: &Change,
) -> Option<i64> {
    let appeared = grid.text_missing_in(&last.grid, &kept.grid);
    let vanished = kept
        .anchors
        .as_ref()
        .map(|anchors| grid.text_lost(&kept.grid, anchors));
    let popped = calm
        .iter()
        .zip(&against.blocks)
        .filter_map(|(calm, differs)| {
            (*differs && calm.jumped && calm.steps >= 1).then_some(calm.since_ms)
        });

    let shares = |blocks: &[bool]| Change {
        blocks: blocks.to_vec(),
    };
    let local = |blocks: &[bool]| {
        let change = shares(blocks);
        change.any() && change.share() < GLOBAL
    };
    // Text seen standing still was there at the candidate before already.
    let since_before = local(&appeared).then_some(last.at_ms);
    let earliest = popped
        .chain(since_before)
        .filter(|since| *since > kept.at_ms)
        .min();
    let gone = || {
        vanished
            .is_some_and(|blocks| local(&blocks))
            .then_some(at_ms)
    };
    earliest.or_else(gone)
}

#[cfg(test)]
mod tests;
