//! What the page shows, already in words: the template only places it.

mod band;
mod risk;
mod versions;

use shared_domain::Lang;

use crate::evaluate::{gap_text, limit_text};
use crate::pack::{RuleVerdict, Severity};
use crate::report::{CoverageFacts, GapFacts, Report, Stage};

pub(super) use band::{BandView, band};
pub(super) use risk::{Card, cards};
pub(super) use versions::{Versions, versions};

/// The head of the page.
pub(super) struct Facts {
    pub(super) verdict: &'static str,
    pub(super) headline: &'static str,
    pub(super) stage: &'static str,
    pub(super) is_final: bool,
    /// Something keeps the video from passing that is no risk.
    pub(super) is_partial: bool,
    pub(super) duration: String,
    pub(super) size: String,
    pub(super) picture: String,
    pub(super) languages: String,
    pub(super) checked: String,
    pub(super) policy: String,
    pub(super) cost: String,
}

/// One category on the time line.
pub(super) struct Lane {
    pub(super) name: String,
    pub(super) count: usize,
    pub(super) marks: Vec<Mark>,
}

/// One risk on the time line, in percent of the length.
pub(super) struct Mark {
    pub(super) left: String,
    pub(super) width: String,
    pub(super) id: String,
    pub(super) title: String,
    pub(super) is_grave: bool,
}

/// A time under the line.
pub(super) struct Tick {
    pub(super) left: String,
    pub(super) label: String,
}

/// One task.
pub(super) struct CoverageRow {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) state_text: String,
    pub(super) seconds: String,
    pub(super) looked_at: String,
    pub(super) holes: Vec<String>,
}

impl Facts {
    pub(super) fn of(report: &Report, lang: Lang) -> Self {
        let video = &report.video;
        let is_final = report.stage == Stage::Final;
        let at = report.run.completed_at;
        let policy = &report.run.policy;
        Self {
            verdict: report.verdict.as_str(),
            headline: report.headline(lang),
            stage: report.stage_note(lang),
            is_final,
            is_partial: report
                .verdict_reasons
                .iter()
                .any(|r| !r.code.starts_with("risk_")),
            duration: clock(video.duration_seconds),
            size: size(video.size_bytes, lang),
            picture: format!(
                "{}×{}, {}",
                video.width,
                video.height,
                frame_rate(video.fps, lang)
            ),
            languages: video.languages.join(", "),
            checked: format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute()),
            policy: format!(
                "{} ({} {})",
                policy.title.pick(lang),
                policy.id,
                policy.version
            ),
            cost: format!("${:.2}", report.run.cost_usd),
        }
    }
}

fn frame_rate(fps: f64, lang: Lang) -> String {
    let number = format!("{fps:.3}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{number} {}", lang.pick("к/с", "fps"))
}

/// Decimal units, as file managers show them.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn size(bytes: u64, lang: Lang) -> String {
    let bytes = bytes as f64;
    let (value, ru, en) = match bytes {
        b if b >= 1e9 => (b / 1e9, "ГБ", "GB"),
        b if b >= 1e6 => (b / 1e6, "МБ", "MB"),
        b => (b / 1e3, "КБ", "kB"),
    };
    decimal(&format!("{value:.1} {}", lang.pick(ru, en)), lang)
}

fn decimal(number: &str, lang: Lang) -> String {
    match lang {
        Lang::Ru => number.replace('.', ","),
        Lang::En => number.to_owned(),
    }
}

/// `1:02:03` or `2:03`.
pub(super) fn clock(seconds: f64) -> String {
    let whole = whole(seconds);
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{rest:02}")
    } else {
        format!("{minutes}:{rest:02}")
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a range that fits"
)]
fn whole(seconds: f64) -> u64 {
    seconds.clamp(0.0, 1e9) as u64
}

pub(super) fn lanes(report: &Report, lang: Lang) -> Vec<Lane> {
    let length = report.video.duration_seconds.max(0.001);
    let mut lanes: Vec<(&str, Lane)> = Vec::new();
    for risk in &report.risks {
        let share = |seconds: f64| (seconds / length * 100.0).clamp(0.0, 100.0);
        let (left, right) = (share(risk.start_seconds), share(risk.end_seconds));
        let mark = Mark {
            left: format!("{left:.3}"),
            width: format!("{:.3}", (right - left).max(0.0)),
            id: risk.id.to_string(),
            title: format!("{} · {}", risk.timestamp, risk.description.pick(lang)),
            is_grave: risk.verdict == RuleVerdict::Fail,
        };
        let known = lanes
            .iter_mut()
            .find(|(category, _)| *category == risk.category);
        if let Some((_, lane)) = known {
            lane.count += 1;
            lane.marks.push(mark);
        } else {
            let name = risk.risk_name.pick(lang).to_owned();
            lanes.push((
                &risk.category,
                Lane {
                    name,
                    count: 1,
                    marks: vec![mark],
                },
            ));
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// Round times, about six of them.
pub(super) fn ticks(duration: f64) -> Vec<Tick> {
    const STEPS: [u64; 14] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
    ];
    let length = whole(duration);
    let step = STEPS
        .into_iter()
        .find(|step| length / step <= 7)
        .unwrap_or(14_400);
    let place = |seconds: u64| {
        #[expect(clippy::cast_precision_loss, reason = "seconds of a video")]
        let share = seconds as f64 / duration.max(0.001) * 100.0;
        #[expect(clippy::cast_precision_loss, reason = "seconds of a video")]
        let label = clock(seconds as f64);
        Tick {
            left: format!("{share:.3}"),
            label,
        }
    };
    (0..=length)
        .step_by(usize::try_from(step).unwrap_or(usize::MAX))
        .take(20)
        .map(place)
        .collect()
}

pub(super) fn level(severity: Severity, lang: Lang) -> &'static str {
    match severity {
        Severity::Low => lang.pick("низкий риск", "low risk"),
        Severity::Medium => lang.pick("средний риск", "medium risk"),
        Severity::High => lang.pick("высокий риск", "high risk"),
    }
}

pub(super) fn coverage(report: &Report, lang: Lang) -> Vec<CoverageRow> {
    report
        .coverage
        .iter()
        .map(|entry| coverage_row(entry, lang))
        .collect()
}

fn coverage_row(entry: &CoverageFacts, lang: Lang) -> CoverageRow {
    let mut holes: Vec<String> = entry
        .limits
        .iter()
        .map(|limit| limit_text(limit).pick(lang).to_owned())
        .collect();
    holes.extend(gaps(&entry.gaps, lang));
    if entry.undecided > 0 {
        holes.push(format!(
            "{}: {}",
            lang.pick("не удалось прочесть ответов", "unreadable answers"),
            entry.undecided
        ));
    }
    if entry.failed > 0 {
        holes.push(format!(
            "{}: {}",
            lang.pick("без ответа", "unanswered"),
            entry.failed
        ));
    }
    let (state, text) = match (entry.run, entry.not_run, holes.is_empty()) {
        (true, _, true) => ("ok", lang.pick("проверено", "checked")),
        (true, _, false) => (
            "part",
            lang.pick("проверено не полностью", "checked in part"),
        ),
        (false, Some(crate::NotRun::NoSound), _) => ("none", lang.pick("нет звука", "no sound")),
        (false, Some(crate::NotRun::NotAsked), _) => {
            ("none", lang.pick("отключено", "switched off"))
        }
        (false, _, _) => (
            "no",
            lang.pick("не проверялось: нет модели", "not checked: no model"),
        ),
    };
    let looked_at = match (entry.run, entry.cached) {
        (false, _) => String::new(),
        (true, 0) => entry.frames.to_string(),
        (true, cached) => format!(
            "{} ({} {cached})",
            entry.frames,
            lang.pick("из кэша", "cached")
        ),
    };
    CoverageRow {
        name: entry.name.pick(lang).to_owned(),
        state,
        state_text: text.to_owned(),
        seconds: if entry.run {
            clock(entry.seconds)
        } else {
            String::new()
        },
        looked_at,
        holes,
    }
}

/// More gaps are in the data.
const MAX_GAPS: usize = 6;

fn gaps(gaps: &[GapFacts], lang: Lang) -> Vec<String> {
    let told = |gap: &GapFacts| {
        format!(
            "{}–{}: {}",
            clock(gap.start),
            clock(gap.end.ceil()),
            gap_text(&gap.reason).pick(lang)
        )
    };
    let mut lines: Vec<String> = gaps.iter().take(MAX_GAPS).map(told).collect();
    if gaps.len() > MAX_GAPS {
        lines.push(format!(
            "{} {}",
            lang.pick("и ещё пропусков:", "further gaps:"),
            gaps.len() - MAX_GAPS
        ));
    }
    lines
}
