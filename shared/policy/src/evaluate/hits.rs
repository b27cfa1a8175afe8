//! Which evidence each rule of the pack applies to.

use std::collections::{BTreeMap, HashMap};

use shared_domain::{Detection, Task};

use super::doubt;
use super::passage::{self, Passage, sound};
use super::{Evidence, RuleVerdict};
use crate::pack::{Pack, Rule};
use crate::{Dictionaries, Text};

/// One application of one rule.
#[derive(Debug)]
pub(crate) struct Found<'p> {
    pub(crate) rule: &'p Rule,
    pub(crate) task: Task,
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) evidence: Evidence,
}

impl Found<'_> {
    /// What it does to the verdict: nothing unclear fails a video.
    pub(super) fn verdict(&self) -> RuleVerdict {
        if self.evidence.unclear {
            RuleVerdict::Review
        } else {
            self.rule.verdict
        }
    }
}

pub(super) fn find<'p>(
    detections: &[Detection],
    pack: &'p Pack,
    dictionaries: &Dictionaries,
) -> Vec<Found<'p>> {
    let all: Vec<&Detection> = detections.iter().collect();
    let mut found = labelled(&all, pack);
    doubt::cross_check(&mut found, &all);
    for (task, passages) in [
        (Task::Speech, passage::spoken(&all)),
        (Task::Text, passage::shown(&all)),
    ] {
        let rules: Vec<&Rule> = pack
            .rules
            .iter()
            .filter(|rule| rule.tasks.contains(&task) && !rule.dictionaries.is_empty())
            .collect();
        for passage in passages {
            worded(&passage, task, &rules, (pack, dictionaries), &mut found);
        }
    }
    strongest(found)
}

/// Rules of labels.
fn labelled<'p>(detections: &[&Detection], pack: &'p Pack) -> Vec<Found<'p>> {
    let mut by_label: HashMap<(Task, &str), Vec<&Rule>> = HashMap::new();
    for rule in &pack.rules {
        for (task, label) in rule
            .tasks
            .iter()
            .flat_map(|t| rule.labels.iter().map(|l| (*t, l)))
        {
            by_label
                .entry((task, label.as_str()))
                .or_default()
                .push(rule);
        }
    }
    let mut found = Vec::new();
    for detection in detections {
        let score = sound(detection.score);
        let rules = by_label.get(&(detection.task, detection.label.as_str()));
        for rule in rules
            .into_iter()
            .flatten()
            .filter(|rule| score >= rule.min_score)
        {
            let evidence = Evidence {
                object_key: detection.object_key.clone(),
                at_ms: detection.start_ms,
                end_ms: detection.end_ms,
                label: detection.label.clone(),
                score,
                bbox: detection.bbox,
                text: detection.text.clone(),
                highlight: None,
                words: Vec::new(),
                unclear: false,
            };
            found.push(Found {
                rule,
                task: detection.task,
                start_ms: detection.start_ms,
                end_ms: detection.end_ms,
                evidence,
            });
        }
    }
    found
}

/// Rules of words.
fn worded<'p>(
    passage: &Passage<'_>,
    task: Task,
    rules: &[&'p Rule],
    (pack, dictionaries): (&Pack, &Dictionaries),
    into: &mut Vec<Found<'p>>,
) {
    let text = Text::new(&passage.text);
    let mut hits = BTreeMap::new();
    for rule in rules {
        for name in &rule.dictionaries {
            let hits = hits
                .entry(name)
                .or_insert_with(|| dictionaries.search(name, &text));
            let placed = hits
                .iter()
                .filter_map(|hit| passage.place(hit, pack.unclear_below));
            for placed in placed.filter(|placed| placed.evidence.score >= rule.min_score) {
                into.push(Found {
                    rule,
                    task,
                    start_ms: placed.start_ms,
                    end_ms: placed.end_ms,
                    evidence: placed.evidence,
                });
            }
        }
    }
}

/// One thing is one hit: of two rules, or two dictionaries, that apply to it within one category and
/// source the stronger is kept.
fn strongest(mut found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    let span = |f: &Found<'_>| f.evidence.highlight.map(|h| (h.start, h.end));
    found.sort_by(|a, b| {
        let key = |f: &Found<'_>| {
            (
                f.rule.category.clone(),
                f.rule.source.clone(),
                f.start_ms,
                f.end_ms,
            )
        };
        key(a)
            .cmp(&key(b))
            .then_with(|| a.evidence.object_key.cmp(&b.evidence.object_key))
            .then_with(|| span(a).cmp(&span(b)))
            .then_with(|| b.verdict().cmp(&a.verdict()))
            .then_with(|| b.evidence.score.total_cmp(&a.evidence.score))
            .then_with(|| a.evidence.label.cmp(&b.evidence.label))
    });
    found.dedup_by(|b, a| {
        let place = |f: &Found<'_>| (f.start_ms, f.end_ms, f.task);
        let same_thing = if a.evidence.highlight.is_some() {
            span(a) == span(b)
        } else {
            a.evidence.label == b.evidence.label && a.evidence.bbox == b.evidence.bbox
        };
        a.rule.category == b.rule.category
            && a.rule.source == b.rule.source
            && place(a) == place(b)
            && a.evidence.object_key == b.evidence.object_key
            && same_thing
    });
    found
}
