//! What of a report goes into files: the risks that stand, as frames, and the words behind them.

use std::collections::BTreeSet;

use shared_domain::{Lang, Span, Task};
use shared_policy::{EvidenceFacts, Report, Risk, Severity};

use crate::clean;
use crate::timeline::{Timeline, ms};

/// Decisions after which a risk is none.
const DISMISSED: [&str; 2] = ["ok", "ok_false"];
/// A name is read in a list of markers.
const NAME: usize = 120;
/// A note is read beside it.
const NOTE: usize = 400;

/// Whether nobody has decided that it is no risk.
pub(crate) fn stands(risk: &Risk) -> bool {
    let label = risk
        .decision
        .as_ref()
        .map(|decision| decision.label.as_str());
    !label.is_some_and(|label| DISMISSED.contains(&label))
}

/// A risk on the time line of an editing program.
#[derive(Debug, Clone)]
pub(crate) struct Marker<'a> {
    pub(crate) risk: &'a Risk,
    /// On which it begins.
    pub(crate) first: u64,
    /// Behind the last.
    pub(crate) end: u64,
    /// One line.
    pub(crate) name: String,
    /// One line: quote, clause.
    pub(crate) note: String,
}

impl Marker<'_> {
    pub(crate) fn length(&self) -> u64 {
        self.end - self.first
    }

    /// The colour under one of the names that every program has.
    pub(crate) fn color(&self) -> &'static str {
        match self.risk.risk_level {
            Severity::High => "Red",
            Severity::Medium => "Yellow",
            Severity::Low => "Blue",
        }
    }
}

/// The risks that stand, in the order of time.
pub(crate) fn markers<'a>(report: &'a Report, timeline: Timeline, lang: Lang) -> Vec<Marker<'a>> {
    let mut markers: Vec<Marker<'a>> = report
        .risks
        .iter()
        .filter(|risk| stands(risk))
        .map(|risk| {
            let first = timeline.frame_at(ms(risk.start_seconds));
            let note = [
                quote(risk, lang),
                Some(risk.reason.clause.pick(lang).to_owned()),
            ];
            let note: Vec<String> = note.into_iter().flatten().collect();
            Marker {
                risk,
                first,
                end: timeline.frame_behind(ms(risk.end_seconds)).max(first + 1),
                name: clean::line(risk.description.pick(lang), NAME),
                note: clean::line(&note.join(" — "), NOTE),
            }
        })
        .collect();
    markers.sort_by_key(|marker| (marker.first, marker.end));
    markers
}

/// The most telling words of a risk, with what stands around them.
pub(crate) fn quote(risk: &Risk, lang: Lang) -> Option<String> {
    let best = usize::try_from(risk.best_evidence).unwrap_or(0);
    let mut pieces = risk.evidence.get(best).into_iter().chain(&risk.evidence);
    let text = pieces.find_map(|piece| piece.text.as_deref())?;
    Some(match lang {
        Lang::Ru => format!("«{text}»"),
        Lang::En => format!("“{text}”"),
    })
}

/// A stretch of sound in which something was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sounding {
    /// Where, from the first frame.
    pub span: Span,
    /// What is said there, in one line.
    pub text: String,
}

/// Where words were found in speech: in the order of time, without overlap.
///
/// A report keeps some of the hits of a long outburst only: of such a one the whole stretch counts, and
/// so does a whole sentence when the model gave no times of words.
pub fn soundings(report: &Report) -> Vec<Sounding> {
    let heard = report
        .risks
        .iter()
        .filter(|risk| risk.kind == Task::Speech && stands(risk));
    let mut all: Vec<Sounding> = heard
        .flat_map(|risk| match is_whole(risk) {
            true => risk.evidence.iter().map(spoken).collect(),
            false => vec![sounding(risk.start_seconds, risk.end_seconds, &said(risk))],
        })
        .filter(|sounding| sounding.span.length_ms() > 0)
        .collect();
    all.sort_by_key(|sounding| sounding.span);
    let mut joined: Vec<Sounding> = Vec::new();
    for sounding in all {
        match joined.last_mut() {
            Some(last) if sounding.span.start_ms <= last.span.end_ms => {
                last.span.end_ms = last.span.end_ms.max(sounding.span.end_ms);
                if last.text != sounding.text {
                    last.text = clean::line(&format!("{} {}", last.text, sounding.text), NAME);
                }
            }
            _ => joined.push(sounding),
        }
    }
    joined
}

/// Whether every hit of a risk is in the report.
fn is_whole(risk: &Risk) -> bool {
    risk.count <= risk.evidence.len() as u64
}

fn said(risk: &Risk) -> String {
    let words: BTreeSet<&str> = risk
        .evidence
        .iter()
        .flat_map(|piece| piece.words.iter().map(|word| word.text.as_str()))
        .collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn spoken(piece: &EvidenceFacts) -> Sounding {
    let start = piece.words.iter().map(|word| word.start).reduce(f64::min);
    let end = piece.words.iter().map(|word| word.end).reduce(f64::max);
    let words: Vec<&str> = piece.words.iter().map(|word| word.text.as_str()).collect();
    let text = match words.is_empty() {
        true => piece.text.clone().unwrap_or_default(),
        false => words.join(" "),
    };
    sounding(
        start.unwrap_or(piece.start),
        end.unwrap_or(piece.end),
        &text,
    )
}

fn sounding(start: f64, end: f64, text: &str) -> Sounding {
    Sounding {
        span: Span {
            start_ms: ms(start),
            end_ms: ms(end),
        },
        text: clean::line(text, NAME),
    }
}
