//! A table for Excel: RFC 4180 with the mark by which Excel knows UTF-8, and no cell that it would
//! take for a formula.

use ::csv::{Terminator, WriterBuilder};
use shared_domain::Lang;
use shared_policy::{Risk, RuleVerdict, Severity};

use crate::clean;
use crate::error::ExportError;
use crate::findings;
use crate::format::Export;
use crate::timeline::{Timeline, ms};

/// Excel takes no longer cell.
const CELL: usize = 32_000;

const HEADINGS: [(&str, &str); 18] = [
    ("№", "No."),
    ("Начало", "Start"),
    ("Конец", "End"),
    ("Начало, с", "Start, s"),
    ("Конец, с", "End, s"),
    ("Риск", "Risk"),
    ("Код", "Code"),
    ("Степень", "Level"),
    ("Вывод", "Verdict"),
    ("Описание", "Description"),
    ("Слова", "Words"),
    ("Уверенность, %", "Confidence, %"),
    ("Источник", "Source"),
    ("Правило", "Rule"),
    ("Основание", "Clause"),
    ("Решение", "Decision"),
    ("Кто решил", "Decided by"),
    ("Комментарий", "Comment"),
];

pub(crate) fn write(export: &Export<'_>) -> Result<Vec<u8>, ExportError> {
    let mut bytes = "\u{FEFF}".as_bytes().to_vec();
    let mut table = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(&mut bytes);
    let lang = export.lang;
    table.write_record(HEADINGS.map(|(ru, en)| lang.pick(ru, en)))?;
    let timeline = export.timeline();
    for (risk, number) in export.report.risks.iter().zip(1_usize..) {
        table.write_record(row(risk, number, timeline, lang).map(|cell| safe(&cell)))?;
    }
    table.flush().map_err(::csv::Error::from)?;
    drop(table);
    Ok(bytes)
}

fn row(risk: &Risk, number: usize, timeline: Timeline, lang: Lang) -> [String; 18] {
    let (start, end) = (ms(risk.start_seconds), ms(risk.end_seconds));
    let first = timeline.frame_at(start);
    let behind = timeline.frame_behind(end).max(first + 1);
    let decision = risk.decision.as_ref();
    let decided = |field: fn(&shared_policy::Decision) -> &str| {
        decision.map(field).unwrap_or_default().to_owned()
    };
    [
        number.to_string(),
        timeline.timecode(first).to_string(),
        timeline.timecode(behind).to_string(),
        seconds(start),
        seconds(end),
        risk.risk_name.pick(lang).to_owned(),
        risk.code.clone(),
        level(risk.risk_level, lang).to_owned(),
        verdict(risk, lang).to_owned(),
        risk.description.pick(lang).to_owned(),
        findings::quote(risk, lang).unwrap_or_default(),
        format!("{:.0}", (risk.confidence * 100.0).clamp(0.0, 100.0)),
        risk.source.clone(),
        risk.reason.rule.clone(),
        risk.reason.clause.pick(lang).to_owned(),
        decided(|decision| &decision.label),
        decided(|decision| &decision.by),
        decided(|decision| decision.comment.as_deref().unwrap_or_default()),
    ]
}

/// Sound may begin before the first picture; a table has no time before the video.
fn seconds(ms: i64) -> String {
    let ms = ms.max(0);
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

pub(crate) fn level(severity: Severity, lang: Lang) -> &'static str {
    match severity {
        Severity::Low => lang.pick("низкий", "low"),
        Severity::Medium => lang.pick("средний", "medium"),
        Severity::High => lang.pick("высокий", "high"),
    }
}

fn verdict(risk: &Risk, lang: Lang) -> &'static str {
    match (risk.verdict, risk.unclear) {
        (RuleVerdict::Fail, _) => lang.pick("серьёзный риск", "serious risk"),
        (RuleVerdict::Review, true) => {
            lang.pick("неуверенно, решает человек", "unclear, for a person")
        }
        (RuleVerdict::Review, false) => lang.pick("решает человек", "for a person to decide"),
    }
}

/// An apostrophe keeps a spreadsheet from calculating what a stranger wrote. What looks like such a
/// sign, or follows blanks, is some program's sign too.
fn safe(cell: &str) -> String {
    let cell = clean::line(cell, CELL);
    let begins = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠'
        )
    };
    match cell.starts_with(begins) {
        true => format!("'{cell}"),
        false => cell,
    }
}
