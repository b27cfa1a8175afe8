//! Neighbouring hits become one event with a beginning, an end, a peak and its best evidence.

use std::collections::BTreeMap;

use super::hits::Found;
use super::{Evidence, MAX_EVIDENCE, RuleVerdict, Trigger, describe};
use crate::pack::Pack;

/// The events of all hits, among others that are events already.
pub(super) fn events(found: Vec<Found<'_>>, others: Vec<Trigger>, pack: &Pack) -> Vec<Trigger> {
    let mut lanes: BTreeMap<(&str, &str), Vec<Found<'_>>> = BTreeMap::new();
    for hit in found {
        lanes
            .entry((&hit.rule.category, &hit.rule.source))
            .or_default()
            .push(hit);
    }
    let mut triggers: Vec<Trigger> = lanes
        .into_values()
        .flat_map(neighbours)
        .filter_map(|group| event(&group, pack))
        .chain(others)
        .collect();
    triggers.sort_by(|a, b| {
        let key = |t: &Trigger| (t.start_ms, t.end_ms, t.category.clone(), t.source.clone());
        key(a).cmp(&key(b))
    });
    triggers
}

/// Hits that are no further apart than their rules allow.
fn neighbours(mut hits: Vec<Found<'_>>) -> Vec<Vec<Found<'_>>> {
    hits.sort_by_key(|hit| (hit.start_ms, hit.end_ms));
    let mut groups: Vec<Vec<Found<'_>>> = Vec::new();
    let mut end_ms = 0;
    for hit in hits {
        let near = groups
            .last()
            .and_then(|group| group.last())
            .is_some_and(|last| {
                let gap = last.rule.merge_gap_ms.max(hit.rule.merge_gap_ms);
                hit.start_ms <= end_ms + gap
            });
        if !near {
            groups.push(Vec::new());
            end_ms = hit.end_ms;
        }
        end_ms = end_ms.max(hit.end_ms);
        if let Some(group) = groups.last_mut() {
            group.push(hit);
        }
    }
    groups
}

/// One event of hits that belong together; `None` when it is too short for its rule.
pub(crate) fn event(group: &[Found<'_>], pack: &Pack) -> Option<Trigger> {
    let rank = |hit: &Found<'_>| (hit.verdict(), !hit.evidence.unclear);
    let best = group.iter().reduce(|best, hit| {
        let order = rank(hit).cmp(&rank(best));
        if order
            .then(hit.evidence.score.total_cmp(&best.evidence.score))
            .is_gt()
        {
            hit
        } else {
            best
        }
    })?;
    let start_ms = group.iter().map(|hit| hit.start_ms).min()?;
    let end_ms = group.iter().map(|hit| hit.end_ms).max()?;
    if end_ms - start_ms < best.rule.min_length_ms {
        return None;
    }
    let category = pack.find_category(&best.rule.category)?;
    let unclear = group.iter().all(|hit| hit.evidence.unclear);
    let verdict = group
        .iter()
        .map(Found::verdict)
        .max()
        .unwrap_or(RuleVerdict::Review);
    let (evidence, best_at) = chosen(group, &best.evidence);
    Some(Trigger {
        rule: best.rule.id.clone(),
        category: category.code.clone(),
        risk_code: best.rule.risk_code.clone(),
        source: best.rule.source.clone(),
        task: best.task,
        verdict,
        start_ms,
        end_ms,
        confidence: best.evidence.score,
        unclear,
        count: group.len(),
        description: describe::event(group, category, pack),
        evidence,
        best: best_at,
    })
}

/// The best evidence, in the order of time, and the place of the very best among it. A picture that
/// stays is one piece of evidence, however many detections it made.
fn chosen(group: &[Found<'_>], best: &Evidence) -> (Vec<Evidence>, usize) {
    let mut kept: Vec<Evidence> = Vec::new();
    for Found { evidence, .. } in group {
        let same = kept.iter_mut().find(|known| {
            evidence.words.is_empty()
                && known.object_key == evidence.object_key
                && known.label == evidence.label
                && known.bbox == evidence.bbox
                && known.text == evidence.text
                && known.highlight == evidence.highlight
                && known.score.total_cmp(&evidence.score).is_eq()
        });
        match same {
            Some(known) => known.end_ms = known.end_ms.max(evidence.end_ms),
            None => kept.push(evidence.clone()),
        }
    }
    if kept.len() > MAX_EVIDENCE {
        kept.sort_by(|a, b| {
            (a.unclear.cmp(&b.unclear))
                .then(b.score.total_cmp(&a.score))
                .then(a.at_ms.cmp(&b.at_ms))
        });
        kept.truncate(MAX_EVIDENCE);
    }
    kept.sort_by_key(|evidence| (evidence.at_ms, evidence.end_ms));
    let is_best = |evidence: &Evidence| {
        evidence.label == best.label && evidence.score.total_cmp(&best.score).is_eq()
    };
    let at = kept.iter().position(is_best).unwrap_or(0);
    (kept, at)
}
