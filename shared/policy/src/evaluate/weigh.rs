//! What events weigh together: how often, how long and how densely a thing happens may make a video
//! worse than any single event does.
//!
//! Only what was seen or heard clearly counts: a word that nobody can make out decides no age band, it
//! asks for a look.

use serde::{Deserialize, Serialize};

use super::{RuleVerdict, Trigger};
use crate::pack::{Pack, Step};

/// Where a video stands on the scale of its pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Code of the band: `16+`.
    pub band: String,
    /// Places of the triggers that decide it; empty for the mildest band.
    pub reasons: Vec<usize>,
    /// Not everything was looked at, so that it may be a graver one.
    pub at_least: bool,
}

/// Raises verdicts where a step of their rule is reached.
pub(super) fn raise(triggers: &mut [Trigger], pack: &Pack) {
    let all: Vec<&Trigger> = triggers.iter().collect();
    let verdicts: Vec<Option<RuleVerdict>> = reached(&all, pack, |step| step.verdict);
    for (trigger, verdict) in triggers.iter_mut().zip(verdicts) {
        trigger.verdict = verdict.map_or(trigger.verdict, |graver| graver.max(trigger.verdict));
    }
}

/// Sorts a video into a band of its pack's scale. `complete` says that everything was looked at.
pub fn rate<'t>(
    triggers: impl IntoIterator<Item = &'t Trigger>,
    complete: bool,
    pack: &Pack,
) -> Option<Rating> {
    let scale = pack.scale.as_ref()?;
    let triggers: Vec<&Trigger> = triggers.into_iter().collect();
    let place = |code: Option<&str>| code.and_then(|code| scale.place(code));
    let steps = reached(&triggers, pack, |step| place(step.band.as_deref()));
    let own = triggers.iter().map(|trigger| {
        let rule = pack.find_rule(&trigger.rule).filter(|_| !trigger.unclear)?;
        place(rule.band.as_deref())
    });
    let places: Vec<Option<usize>> = own.zip(steps).map(|(own, step)| own.max(step)).collect();
    let gravest = places.iter().flatten().copied().max().unwrap_or(0);
    let deciding = places.iter().enumerate().filter(|(_, place)| {
        let place = place.unwrap_or(0);
        place > 0 && place == gravest
    });
    Some(Rating {
        band: scale.bands.get(gravest)?.code.clone(),
        reasons: deciding.map(|(at, _)| at).collect(),
        at_least: !complete,
    })
}

/// For each trigger the gravest of what the steps of its rule do that it has a part in.
fn reached<T: Copy + Ord>(
    triggers: &[&Trigger],
    pack: &Pack,
    effect: impl Fn(&Step) -> Option<T>,
) -> Vec<Option<T>> {
    let mut gravest = vec![None; triggers.len()];
    for rule in &pack.rules {
        for step in &rule.worse_when {
            let concerned: Vec<(usize, &Trigger)> = triggers
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, trigger)| counts(trigger, &rule.id, step))
                .collect();
            if holds(step, &concerned) {
                for (at, _) in concerned {
                    gravest[at] = gravest[at].max(effect(step));
                }
            }
        }
    }
    gravest
}

fn counts(trigger: &Trigger, rule: &str, step: &Step) -> bool {
    trigger.rule == rule && !trigger.unclear && length(trigger) >= step.length_ms
}

fn length(trigger: &Trigger) -> i64 {
    trigger.end_ms - trigger.start_ms
}

fn holds(step: &Step, events: &[(usize, &Trigger)]) -> bool {
    let total: i64 = events.iter().map(|(_, event)| length(event)).sum();
    let count = step.count.max(1);
    let mut starts: Vec<i64> = events.iter().map(|(_, event)| event.start_ms).collect();
    starts.sort_unstable();
    let dense = starts.windows(count).any(|close| {
        let spread = close.last().unwrap_or(&0) - close.first().unwrap_or(&0);
        step.within_ms.is_none_or(|within| spread <= within)
    });
    dense && total >= step.total_ms
}
