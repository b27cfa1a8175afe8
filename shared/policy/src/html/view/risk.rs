//! A risk as the page shows it.

use std::collections::BTreeMap;

use shared_domain::{BBox, Lang, Task};

use super::level;
use crate::evaluate::task_name;
use crate::pack::{RuleVerdict, Severity};
use crate::report::{EvidenceFacts, Report, Risk};

/// Further pictures of one risk.
const MAX_FRAMES: usize = 4;
/// Further quotes of one risk.
const MAX_QUOTES: usize = 12;
/// Pictures that nobody should meet unprepared.
const VEILED: [&str; 2] = ["nudity", "violence"];

/// One risk.
pub(crate) struct Card {
    pub(crate) id: String,
    pub(crate) number: usize,
    pub(crate) level: &'static str,
    pub(crate) level_class: &'static str,
    pub(crate) is_grave: bool,
    pub(crate) place: String,
    pub(crate) time: String,
    pub(crate) length: String,
    pub(crate) description: String,
    pub(crate) unclear: bool,
    pub(crate) score: String,
    pub(crate) count: u64,
    pub(crate) quotes: Vec<Quote>,
    pub(crate) frames: Vec<Frame>,
    pub(crate) rule: String,
    pub(crate) clause: String,
    pub(crate) source: String,
    pub(crate) decision: Option<String>,
}

/// Words with the matched part in the middle.
pub(crate) struct Quote {
    pub(crate) time: String,
    pub(crate) before: String,
    pub(crate) matched: String,
    pub(crate) after: String,
    pub(crate) unclear: bool,
}

impl Quote {
    /// Whether the same words are matched in the same text.
    fn says(&self, other: &Self) -> bool {
        (&self.before, &self.matched, &self.after) == (&other.before, &other.matched, &other.after)
    }
}

/// A picture.
pub(crate) struct Frame {
    pub(crate) uri: String,
    pub(crate) time: String,
    pub(crate) label: String,
    pub(crate) veiled: bool,
    /// `left:…;top:…` in percent.
    pub(crate) outline: Option<String>,
}

pub(crate) fn cards(report: &Report, lang: Lang, frames: &BTreeMap<String, String>) -> Vec<Card> {
    report
        .risks
        .iter()
        .zip(1..)
        .map(|(risk, number)| card(risk, number, lang, frames))
        .collect()
}

fn card(risk: &Risk, number: usize, lang: Lang, frames: &BTreeMap<String, String>) -> Card {
    let grave = risk.verdict == RuleVerdict::Fail;
    let level_class = match risk.risk_level {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    };
    let (start, end) = (fine(risk.start_seconds), fine(risk.end_seconds));
    let decision = risk.decision.as_ref().map(|decision| {
        let comment = decision
            .comment
            .as_ref()
            .map(|text| format!(" — {text}"))
            .unwrap_or_default();
        let carried = match decision.carried_from {
            Some(_) => lang.pick(
                " (перенесено с более ранней версии)",
                " (carried over from an earlier version)",
            ),
            None => "",
        };
        format!(
            "{}, {}, {}{carried}{comment}",
            decision.label,
            decision.by,
            decision.at.date()
        )
    });
    Card {
        id: risk.id.to_string(),
        number,
        level: level(risk.risk_level, lang),
        level_class,
        is_grave: grave,
        place: task_name(risk.kind).pick(lang).to_owned(),
        time: if start == end {
            start
        } else {
            format!("{start} – {end}")
        },
        length: length(risk.end_seconds - risk.start_seconds, lang),
        description: risk.description.pick(lang).to_owned(),
        unclear: risk.unclear,
        score: percent(risk.confidence),
        count: risk.count,
        quotes: quotes(&risk.evidence),
        frames: pictures(risk, frames),
        rule: risk.reason.rule.clone(),
        clause: risk.reason.clause.pick(lang).to_owned(),
        source: risk.source.clone(),
        decision,
    }
}

fn percent(score: f64) -> String {
    format!("{:.0}", (score * 100.0).clamp(0.0, 100.0))
}

/// `1:02:03.4` or `2:03.4`.
fn fine(seconds: f64) -> String {
    let tenths = (seconds.max(0.0) * 10.0).round() / 10.0;
    let rest = (tenths - tenths.floor()) * 10.0;
    format!("{}.{:.0}", super::clock(tenths), rest)
}

fn length(seconds: f64, lang: Lang) -> String {
    let number = format!("{:.1}", seconds.max(0.0));
    match lang {
        Lang::Ru => format!("{} с", number.replace('.', ",")),
        Lang::En => format!("{number} s"),
    }
}

fn quotes(evidence: &[EvidenceFacts]) -> Vec<Quote> {
    let quote = |piece: &EvidenceFacts| {
        let text = piece.text.as_ref()?;
        let highlight = piece.highlight?;
        let take = |from: usize, to: usize| -> String {
            text.chars()
                .skip(from)
                .take(to.saturating_sub(from))
                .collect()
        };
        Some(Quote {
            time: fine(piece.start),
            before: take(0, highlight.start),
            matched: take(highlight.start, highlight.end),
            after: take(highlight.end, usize::MAX),
            unclear: piece.unclear,
        })
    };
    // A caption that stays is read in frame after frame: the page quotes it once, at its first time.
    let mut quotes: Vec<Quote> = Vec::new();
    for quote in evidence.iter().filter_map(quote) {
        if quotes.len() < MAX_QUOTES && !quotes.iter().any(|earlier| earlier.says(&quote)) {
            quotes.push(quote);
        }
    }
    quotes
}

/// The best picture first.
fn pictures(risk: &Risk, frames: &BTreeMap<String, String>) -> Vec<Frame> {
    let best = usize::try_from(risk.best_evidence).unwrap_or(0);
    let order = risk.evidence.iter().skip(best).take(1).chain(
        risk.evidence
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != best)
            .map(|(_, piece)| piece),
    );
    let mut seen = Vec::new();
    let mut pictures = Vec::new();
    for piece in order {
        let Some(uri) = frames.get(&piece.object_key).filter(|uri| is_picture(uri)) else {
            continue;
        };
        if seen.contains(&&piece.object_key) || pictures.len() >= MAX_FRAMES {
            continue;
        }
        seen.push(&piece.object_key);
        pictures.push(Frame {
            uri: uri.clone(),
            time: fine(piece.start),
            label: if risk.kind == Task::Text {
                String::new()
            } else {
                piece.label.clone()
            },
            veiled: VEILED.contains(&risk.category.as_str()),
            outline: piece.bbox.map(outline),
        });
    }
    pictures
}

/// Nothing else gets into the page, whatever the caller found in storage.
fn is_picture(uri: &str) -> bool {
    let kinds = [
        "data:image/jpeg;base64,",
        "data:image/png;base64,",
        "data:image/webp;base64,",
    ];
    let body = kinds.into_iter().find_map(|kind| uri.strip_prefix(kind));
    body.is_some_and(|body| {
        body.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
    })
}

fn outline(bbox: BBox) -> String {
    let percent = |value: f32| (value * 100.0).clamp(0.0, 100.0);
    format!(
        "left:{:.2}%;top:{:.2}%;width:{:.2}%;height:{:.2}%",
        percent(bbox.x),
        percent(bbox.y),
        percent(bbox.w),
        percent(bbox.h)
    )
}
