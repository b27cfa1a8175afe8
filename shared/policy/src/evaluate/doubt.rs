//! Doubtful findings: what asks a second model, and what its opinion changes.
//!
//! The opinion is data. It finds nothing by itself and takes nothing away: a finding that it does not
//! confirm is shown as doubtful, asks for a look and decides nothing.

use std::collections::HashMap;

use shared_domain::{Detection, Task};

use super::hits::Found;
use super::passage::sound;
use crate::pack::{Pack, Rule};

/// From here on a second model agrees.
const AGREES: f32 = 0.5;
/// What a model says that tells no kinds apart.
const UNSAFE: &str = "unsafe";

/// Whether a second model is to be asked about what these were found in.
pub fn is_doubtful(detections: &[Detection], pack: &Pack) -> bool {
    detections.iter().any(|found| {
        let score = sound(found.score);
        let by = |rule: &Rule| {
            rule.tasks.contains(&found.task)
                && rule.labels.contains(&found.label)
                && doubts(rule, score)
        };
        pack.rules.iter().any(by)
    })
}

fn doubts(rule: &Rule, score: f32) -> bool {
    let below = rule.cross_check.unwrap_or(0.0);
    score >= rule.min_score && score < below
}

/// Marks the doubtful findings that a second model looked at and did not confirm.
pub(super) fn cross_check(found: &mut [Found<'_>], detections: &[&Detection]) {
    let mut opinions: HashMap<(&str, i64), Vec<&Detection>> = HashMap::new();
    for opinion in detections.iter().filter(|d| d.task == Task::Context) {
        let place = (opinion.object_key.as_str(), opinion.start_ms);
        opinions.entry(place).or_default().push(opinion);
    }
    for hit in found
        .iter_mut()
        .filter(|hit| doubts(hit.rule, hit.evidence.score))
    {
        let place = (hit.evidence.object_key.as_str(), hit.start_ms);
        let Some(said) = opinions.get(&place) else {
            continue;
        };
        let agrees = |opinion: &&Detection| {
            let about_it = opinion.label == UNSAFE || hit.rule.labels.contains(&opinion.label);
            about_it && sound(opinion.score) >= AGREES
        };
        hit.evidence.unclear |= !said.iter().any(agrees);
    }
}
