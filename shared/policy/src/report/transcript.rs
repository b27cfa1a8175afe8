//! What was said, in pieces of a subtitle's length, each with the places of the risks in it.

use serde::{Deserialize, Serialize};
use shared_domain::{Detection, Task, TriggerId, Word};

use super::{Report, Risk};

/// Two lines of a subtitle.
const MOST_CHARACTERS: usize = 84;
/// As long as a subtitle may stand.
const MOST_MS: i64 = 7_000;
/// A pause that a reader expects to see.
const PAUSE_MS: i64 = 1_000;

/// A piece of what was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// As it was heard.
    pub text: String,
    /// The risks in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<FoundPlace>,
}

/// Which part of a line belongs to a risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundPlace {
    /// Of the report.
    pub risk: TriggerId,
    /// First character.
    pub start: usize,
    /// Behind the last.
    pub end: usize,
}

impl Report {
    /// Adds what was said.
    #[must_use]
    pub fn with_transcript(mut self, detections: &[Detection]) -> Self {
        let mut said: Vec<&Detection> = detections
            .iter()
            .filter(|found| found.task == Task::Speech && !found.is_undecided())
            .collect();
        said.sort_by_key(|found| (found.start_ms, found.end_ms));
        let spoken: Vec<&Risk> = self
            .risks
            .iter()
            .filter(|risk| risk.kind == Task::Speech)
            .collect();
        let lines = said.into_iter().flat_map(|piece| lines(piece, &spoken));
        self.transcript = Some(lines.filter(|line| !line.text.is_empty()).collect());
        self
    }
}

fn lines(said: &Detection, risks: &[&Risk]) -> Vec<Line> {
    if said.words.is_empty() {
        return vec![whole(said, risks)];
    }
    let mut groups: Vec<Vec<&Word>> = Vec::new();
    let mut characters = 0;
    for word in &said.words {
        let length = word.text.trim().chars().count();
        let fits = groups.last().is_some_and(|group| {
            let first = group.first().map_or(word.start_ms, |first| first.start_ms);
            let last = group.last().map_or(word.start_ms, |last| last.end_ms);
            characters + 1 + length <= MOST_CHARACTERS
                && word.end_ms - first <= MOST_MS
                && word.start_ms - last <= PAUSE_MS
        });
        match groups.last_mut().filter(|_| fits) {
            Some(group) => {
                group.push(word);
                characters += 1 + length;
            }
            None => {
                groups.push(vec![word]);
                characters = length;
            }
        }
    }
    groups.iter().map(|group| line(group, risks)).collect()
}

fn line(words: &[&Word], risks: &[&Risk]) -> Line {
    let mut text = String::new();
    let mut found: Vec<FoundPlace> = Vec::new();
    let mut at = 0;
    let mut before: Vec<TriggerId> = Vec::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
            at += 1;
        }
        let start = at;
        text.push_str(word.text.trim());
        at += word.text.trim().chars().count();
        let here = risks.iter().filter(|risk| holds(risk, word));
        let here: Vec<TriggerId> = here.map(|risk| risk.id).collect();
        for risk in &here {
            // Neighbouring words are one place: of letters said one by one all but the first are hidden.
            let open = found.iter_mut().rev().find(|place| place.risk == *risk);
            match open.filter(|_| before.contains(risk)) {
                Some(place) => place.end = at,
                None => found.push(FoundPlace {
                    risk: *risk,
                    start,
                    end: at,
                }),
            }
        }
        before = here;
    }
    Line {
        start: words.first().map_or(0.0, |word| seconds(word.start_ms)),
        end: words
            .iter()
            .map(|word| seconds(word.end_ms))
            .fold(0.0, f64::max),
        text,
        found,
    }
}

/// A report keeps some of the hits of a long outburst only: such a one holds every word within it.
fn holds(risk: &Risk, word: &Word) -> bool {
    let (start, end) = (seconds(word.start_ms), seconds(word.end_ms));
    if risk.count > risk.evidence.len() as u64 {
        return start < risk.end_seconds && end > risk.start_seconds;
    }
    let same = |time: f64, other: f64| (time - other).abs() < 0.0005;
    risk.evidence
        .iter()
        .flat_map(|piece| &piece.words)
        .any(|found| same(found.start, start) && same(found.end, end))
}

/// A sentence without times of words: what was matched is looked for in it, and where it is not found
/// the whole sentence counts.
fn whole(said: &Detection, risks: &[&Risk]) -> Line {
    let text = said.text.as_deref().unwrap_or_default().trim().to_owned();
    let (start, end) = (seconds(said.start_ms), seconds(said.end_ms));
    let mut found = Vec::new();
    for risk in risks {
        if risk.end_seconds <= start || risk.start_seconds >= end {
            continue;
        }
        let within = |at: f64| (start..=end).contains(&at);
        let matched: Vec<FoundPlace> = risk
            .evidence
            .iter()
            .filter(|piece| within(piece.start))
            .filter_map(|piece| {
                let place = piece.highlight?;
                let excerpt = piece.text.as_ref()?.chars().skip(place.start);
                let words: String = excerpt.take(place.end.checked_sub(place.start)?).collect();
                Some(places(&text, &words, risk.id))
            })
            .flatten()
            .collect();
        let everything = FoundPlace {
            risk: risk.id,
            start: 0,
            end: text.chars().count(),
        };
        match matched.is_empty() || risk.count > risk.evidence.len() as u64 {
            true => found.push(everything),
            false => found.extend(matched),
        }
    }
    Line {
        start,
        end,
        text,
        found,
    }
}

fn places(text: &str, words: &str, risk: TriggerId) -> Vec<FoundPlace> {
    if words.is_empty() {
        return Vec::new();
    }
    text.match_indices(words)
        .map(|(at, _)| {
            let start = text[..at].chars().count();
            FoundPlace {
                risk,
                start,
                end: start + words.chars().count(),
            }
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[cfg(test)]
mod tests;
