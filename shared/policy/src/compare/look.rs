//! Where something would be in the other version, and whether anybody has looked there.

use shared_domain::{Span, Task};

use super::align::Stretch;
use super::claims::{moved, shared, without};
use super::{Unclear, Version, ms};
use crate::evaluate::NotRun;
use crate::report::{CoverageFacts, Report, Risk};

/// Frames and roundings leave slits of this width between stretches.
const SLIT_MS: i64 = 150;
/// Versions that share less than one part in so many of the shorter one are two videos.
const LEAST_SHARE: i64 = 20;

/// Both versions and what they share, seen from one of them.
#[derive(Debug, Clone)]
pub(crate) struct View<'a> {
    pub(crate) here: Version<'a>,
    pub(crate) there: Version<'a>,
    /// Where each stretch is here, and what takes a time of it to the other version.
    pub(crate) shared: Vec<(Span, i64)>,
}

impl<'a> View<'a> {
    /// From the old version.
    pub(crate) fn from_old([here, there]: [Version<'a>; 2], stretches: &[Stretch]) -> Self {
        let shared = stretches.iter().map(|stretch| {
            let span = Span {
                start_ms: stretch.old_ms,
                end_ms: stretch.old_ms + stretch.length_ms,
            };
            (span, stretch.shift_ms())
        });
        Self {
            here,
            there,
            shared: shared.collect(),
        }
    }

    /// From the other one.
    pub(crate) fn turned(&self) -> Self {
        let turn = |(span, shift_ms): &(Span, i64)| (moved(*span, *shift_ms), -shift_ms);
        let mut shared: Vec<_> = self.shared.iter().map(turn).collect();
        shared.sort_unstable();
        Self {
            here: self.there,
            there: self.here,
            shared,
        }
    }

    /// Whether the two are versions of one video at all.
    pub(crate) fn is_comparable(&self) -> bool {
        let common: i64 = self.shared.iter().map(|(span, _)| span.length_ms()).sum();
        let [here, there] = [self.here, self.there].map(|version| length(version.report));
        common > 0 && common * LEAST_SHARE >= here.min(there)
    }

    /// Why nobody can say that something of this version is not in the other one.
    pub(crate) fn why_unclear(&self, risk: &Risk) -> Option<Unclear> {
        if !self.is_comparable() {
            return Some(Unclear::NotAligned);
        }
        let places = self.places(span(risk));
        if places.is_empty() {
            return None;
        }
        let (ours, theirs) = (self.here.report, self.there.report);
        let seen = theirs.coverage.iter().find(|entry| entry.task == risk.kind);
        match seen.map(|entry| (entry.run, entry.not_run, entry)) {
            // Where there is no sound nothing can be said.
            Some((false, Some(NotRun::NoSound), _)) => return None,
            Some((true, _, entry)) if !has_gap(entry, &places) => {}
            Some((true, _, _)) => return Some(Unclear::Gap),
            Some((false, _, _)) | None => return Some(Unclear::NotRun),
        }
        if policy(ours) != policy(theirs) {
            return Some(Unclear::OtherPolicy);
        }
        (models(ours, risk.kind) != models(theirs, risk.kind)).then_some(Unclear::OtherModel)
    }

    /// Where a stretch of this version is in the other one, or what is there in its place; nothing
    /// when it was cut out.
    pub(crate) fn places(&self, span: Span) -> Vec<Span> {
        let mut places: Vec<Span> = self
            .shared
            .iter()
            .map(|(here, shift_ms)| moved(shared(span, *here), *shift_ms))
            .filter(|place| place.length_ms() > 0)
            .collect();
        let all = places.is_empty();
        let mut rest = vec![span];
        for (here, _) in &self.shared {
            rest = rest
                .into_iter()
                .flat_map(|part| without(part, *here))
                .collect();
        }
        rest.retain(|part| all || part.length_ms() > SLIT_MS);
        let holes = self.holes();
        for part in rest {
            let (before, behind) = (self.end_before(part), self.start_behind(part));
            let fits = |hole: &&Span| {
                let near = |one: i64, other: i64| (one - other).abs() <= SLIT_MS;
                near(hole.start_ms, before) || near(hole.end_ms, behind)
            };
            places.extend(holes.iter().filter(fits));
        }
        places
    }

    /// Where in the other version ends what comes before a part that it does not have.
    fn end_before(&self, part: Span) -> i64 {
        let before = self
            .shared
            .iter()
            .filter(|(here, _)| here.end_ms <= part.start_ms + SLIT_MS);
        before
            .max_by_key(|(here, _)| here.end_ms)
            .map_or(0, |(here, shift_ms)| here.end_ms + shift_ms)
    }

    /// Where in the other version begins what comes behind it.
    fn start_behind(&self, part: Span) -> i64 {
        let behind = self
            .shared
            .iter()
            .filter(|(here, _)| here.start_ms >= part.end_ms - SLIT_MS);
        behind
            .min_by_key(|(here, _)| here.start_ms)
            .map_or(length(self.there.report), |(here, shift_ms)| {
                here.start_ms + shift_ms
            })
    }

    /// What the other version alone has.
    fn holes(&self) -> Vec<Span> {
        let mut holes = vec![Span {
            start_ms: 0,
            end_ms: length(self.there.report),
        }];
        for (here, shift_ms) in &self.shared {
            let taken = moved(*here, *shift_ms);
            holes = holes
                .into_iter()
                .flat_map(|part| without(part, taken))
                .collect();
        }
        holes.retain(|hole| hole.length_ms() > SLIT_MS);
        holes
    }
}

/// Where a risk is; never empty.
pub(crate) fn span(risk: &Risk) -> Span {
    let start_ms = ms(risk.start_seconds);
    Span {
        start_ms,
        end_ms: ms(risk.end_seconds).max(start_ms + 1),
    }
}

fn length(report: &Report) -> i64 {
    ms(report.video.duration_seconds)
}

fn has_gap(entry: &CoverageFacts, places: &[Span]) -> bool {
    let mut gaps = entry.gaps.iter().map(|gap| Span {
        start_ms: ms(gap.start),
        end_ms: ms(gap.end),
    });
    gaps.any(|gap| {
        places
            .iter()
            .any(|place| shared(gap, *place).length_ms() > 0)
    })
}

fn policy(report: &Report) -> (&str, &str) {
    (&report.run.policy.id, &report.run.policy.version)
}

fn models(report: &Report, task: Task) -> Vec<(&str, &str)> {
    let used = report.run.models.iter().filter(|used| used.task == task);
    used.map(|used| (used.model.as_str(), used.version.as_str()))
        .collect()
}
