//! Two versions of one video: which stretches they share, and what became of every finding.
//!
//! A finding of the old version that the new one no longer has is fixed only where somebody looked:
//! the place was cut out, or the task has seen what is there now, by the same policy and model.
//! Everything else is unknown. A decision carries over only where nothing has changed around it.

mod align;
mod claims;
mod findings;
mod look;
mod seeds;
mod track;

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};
use shared_domain::{Likeness, TriggerId, VideoId, Word};
use time::OffsetDateTime;

use crate::pack::Bilingual;
use crate::report::{Report, Risk};
use align::Stretch;
use track::{Kind, Track};

/// One version of a video, as it was checked.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// What was found.
    pub report: &'a Report,
    /// What its pictures look like, in the order of time; empty when nobody has noted it.
    pub pictures: &'a [Likeness],
    /// What is said, in the order of time.
    pub words: &'a [Word],
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The old version has it, the new one does not.
    Fixed,
    /// Both have it, at the same time.
    StillThere,
    /// The new version has it, the old one does not.
    New,
    /// Both have it, at another time.
    Moved,
    /// The versions cannot be compared there.
    Unknown,
}

/// Why something is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unclear {
    /// The versions have too little in common.
    NotAligned,
    /// The task was not run on the other version.
    NotRun,
    /// The task has no answer for that place of the other version.
    Gap,
    /// The other version was judged by another policy.
    OtherPolicy,
    /// The other version was looked at by another model.
    OtherModel,
}

/// The version before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Which video.
    pub video_id: VideoId,
    /// The client's file name.
    pub original_name: String,
    /// When it was checked.
    #[serde(with = "time::serde::rfc3339")]
    pub completed_at: OffsetDateTime,
}

/// A stretch that both versions have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StretchFacts {
    /// Seconds of the old version.
    pub old_start: f64,
    /// Seconds of the new version.
    pub new_start: f64,
    /// Seconds.
    pub length: f64,
    /// 0 to 1.
    pub sure: f64,
}

/// A finding of the old version: the report has no other place for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OldRisk {
    /// Its id there.
    pub id: TriggerId,
    /// Of the pack: `profanity`.
    pub category: String,
    /// What people call it.
    pub risk_name: Bilingual,
    /// One sentence.
    pub description: Bilingual,
    /// Seconds of the old version.
    pub start_seconds: f64,
    /// Seconds of the old version.
    pub end_seconds: f64,
    /// The start for people.
    pub timestamp: String,
}

/// What became of one finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// In one word.
    pub fate: Fate,
    /// In the old version, if it was there.
    pub old: Option<OldRisk>,
    /// The risk of this report, if it is here.
    pub new: Option<TriggerId>,
    /// How much later it comes now, in seconds; of findings that both versions have.
    pub shift_seconds: Option<f64>,
    /// Whether nothing has changed around it, so that a decision still holds.
    pub unchanged: bool,
    /// Why it is unknown.
    pub reason: Option<Unclear>,
}

/// What changed since the version before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Since which.
    pub previous: Previous,
    /// How many findings are no longer there.
    pub fixed: u64,
    /// How many are still there.
    pub still_there: u64,
    /// How many are new.
    pub new: u64,
    /// How many have moved.
    pub moved: u64,
    /// How many cannot be compared.
    pub unknown: u64,
    /// What both versions have, in the order of the old one.
    pub stretches: Vec<StretchFacts>,
    /// Every finding of both, in the order of time.
    pub findings: Vec<Change>,
}

impl Changes {
    /// Findings of which a decision still holds: the old one and the new one.
    pub fn unchanged(&self) -> impl Iterator<Item = (TriggerId, TriggerId)> {
        let kept = self.findings.iter().filter(|change| change.unchanged);
        kept.filter_map(|change| Some((change.old.as_ref()?.id, change.new?)))
    }
}

/// Lays two versions side by side.
pub fn compare(old: &Version<'_>, new: &Version<'_>) -> Changes {
    let words = [said(old), said(new)];
    let pictures = (pictures(old), pictures(new));
    let speech = (spoken(&words[0], old), spoken(&words[1], new));
    let stretches = align::align(pictures, speech);
    let findings = findings::fates(&[*old, *new], &stretches);
    let count = |fate| findings.iter().filter(|change| change.fate == fate).count() as u64;
    Changes {
        previous: Previous {
            video_id: old.report.video.id,
            original_name: old.report.video.original_name.clone(),
            completed_at: old.report.run.completed_at,
        },
        fixed: count(Fate::Fixed),
        still_there: count(Fate::StillThere),
        new: count(Fate::New),
        moved: count(Fate::Moved),
        unknown: count(Fate::Unknown),
        stretches: stretches.iter().map(facts).collect(),
        findings,
    }
}

fn pictures<'a>(version: &Version<'a>) -> Track<'a> {
    Track {
        items: version.pictures,
        end_ms: ms(version.report.video.duration_seconds),
        kind: Kind::Pictures,
    }
}

fn spoken<'a>(items: &'a [Likeness], version: &Version<'_>) -> Track<'a> {
    Track {
        items,
        end_ms: ms(version.report.video.duration_seconds),
        kind: Kind::Words,
    }
}

/// Words as moments: equal ones look alike, and others do not.
fn said(version: &Version<'_>) -> Vec<Likeness> {
    let moment = |word: &Word| {
        let text = plain(&word.text);
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        (!text.is_empty()).then(|| Likeness {
            at_ms: word.start_ms,
            bits: hasher.finish(),
            opens: false,
        })
    };
    let mut said: Vec<Likeness> = version.words.iter().filter_map(moment).collect();
    said.sort_unstable();
    said
}

/// A word without what a model writes now so and now so.
fn plain(text: &str) -> String {
    let letters = text.chars().filter(|sign| sign.is_alphanumeric());
    let letters = letters.flat_map(char::to_lowercase);
    letters
        .map(|letter| if letter == 'ё' { 'е' } else { letter })
        .collect()
}

fn facts(stretch: &Stretch) -> StretchFacts {
    StretchFacts {
        old_start: seconds(stretch.old_ms),
        new_start: seconds(stretch.new_ms),
        length: seconds(stretch.length_ms),
        sure: (f64::from(stretch.sure) * 100.0).round() / 100.0,
    }
}

fn about(risk: &Risk) -> OldRisk {
    OldRisk {
        id: risk.id,
        category: risk.category.clone(),
        risk_name: risk.risk_name.clone(),
        description: risk.description.clone(),
        start_seconds: risk.start_seconds,
        end_seconds: risk.end_seconds,
        timestamp: risk.timestamp.clone(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a video is shorter than 2^53 milliseconds"
)]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float is cast to the nearest number that fits"
)]
fn ms(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests;
