//! What changed since the version before, as the page shows it.

use shared_domain::Lang;

use crate::compare::{Change, Changes, Fate, Unclear};
use crate::report::{Report, Risk};

/// More lines are in the data.
const MOST: usize = 200;

/// The section about the version before.
pub(crate) struct Versions {
    pub(crate) previous: String,
    pub(crate) summary: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) more: usize,
}

/// What became of one finding.
pub(crate) struct Row {
    pub(crate) class: &'static str,
    pub(crate) outcome: &'static str,
    /// Of the risk on this page.
    pub(crate) id: Option<String>,
    pub(crate) description: String,
    pub(crate) then: String,
    pub(crate) now: String,
    pub(crate) note: String,
}

pub(crate) fn versions(report: &Report, lang: Lang) -> Option<Versions> {
    let changes = report.changes.as_ref()?;
    let found = changes.findings.iter().take(MOST);
    let at = changes.previous.completed_at;
    Some(Versions {
        previous: format!(
            "{}, {} {:02}:{:02} UTC",
            changes.previous.original_name,
            at.date(),
            at.hour(),
            at.minute()
        ),
        summary: summary(changes, lang),
        rows: found.map(|change| row(change, report, lang)).collect(),
        more: changes.findings.len().saturating_sub(MOST),
    })
}

fn summary(changes: &Changes, lang: Lang) -> String {
    let counts = [
        (Fate::Fixed, changes.fixed),
        (Fate::StillThere, changes.still_there),
        (Fate::Moved, changes.moved),
        (Fate::New, changes.new),
        (Fate::Unknown, changes.unknown),
    ];
    let told = counts.iter().filter(|(_, count)| *count > 0);
    let told: Vec<String> = told
        .map(|(fate, count)| format!("{}: {count}", outcome(*fate, lang)))
        .collect();
    told.join(" · ")
}

fn row(change: &Change, report: &Report, lang: Lang) -> Row {
    let risk = change
        .new
        .and_then(|id| report.risks.iter().find(|risk| risk.id == id));
    let old = change.old.as_ref();
    let description = match (risk, old) {
        (Some(risk), _) => risk.description.pick(lang),
        (None, Some(old)) => old.description.pick(lang),
        (None, None) => "",
    };
    let class = match change.fate {
        Fate::Fixed => "fixed",
        Fate::StillThere | Fate::Moved => "part",
        Fate::New => "new",
        Fate::Unknown => "unknown",
    };
    Row {
        class,
        outcome: outcome(change.fate, lang),
        id: risk.map(|risk| risk.id.to_string()),
        description: description.to_owned(),
        then: old.map(|old| old.timestamp.clone()).unwrap_or_default(),
        now: risk.map(|risk| risk.timestamp.clone()).unwrap_or_default(),
        note: note(change, risk, lang),
    }
}

fn outcome(fate: Fate, lang: Lang) -> &'static str {
    match fate {
        Fate::Fixed => lang.pick("исправлено", "fixed"),
        Fate::StillThere => lang.pick("осталось", "still there"),
        Fate::New => lang.pick("появилось", "new"),
        Fate::Moved => lang.pick("сместилось", "moved"),
        Fate::Unknown => lang.pick("неизвестно", "unknown"),
    }
}

fn note(change: &Change, risk: Option<&Risk>, lang: Lang) -> String {
    if let Some(reason) = change.reason {
        return unclear(reason, lang).to_owned();
    }
    let mut notes = Vec::new();
    if let (Fate::Moved, Some(shift)) = (change.fate, change.shift_seconds) {
        let seconds = lang.pick("с", "s");
        let number = format!("{shift:+.3}").replace('-', "−");
        let number = match lang {
            Lang::Ru => number.replace('.', ","),
            Lang::En => number,
        };
        notes.push(format!(
            "{} {number} {seconds}",
            lang.pick("сдвиг", "shift")
        ));
    }
    let decision = risk.and_then(|risk| risk.decision.as_ref());
    if decision.is_some_and(|decision| decision.carried_from.is_some()) {
        let carried = lang.pick("решение перенесено", "its decision carries over");
        notes.push(carried.to_owned());
    }
    notes.join(" · ")
}

fn unclear(reason: Unclear, lang: Lang) -> &'static str {
    match reason {
        Unclear::NotAligned => lang.pick(
            "у версий слишком мало общего",
            "the versions have too little in common",
        ),
        Unclear::NotRun => lang.pick(
            "другая версия этим не проверена",
            "the other version was not checked for this",
        ),
        Unclear::Gap => lang.pick(
            "это место другой версии не просмотрено",
            "nobody has looked at that place of the other version",
        ),
        Unclear::OtherPolicy => lang.pick(
            "другая версия проверена по другой политике",
            "the other version was judged by another policy",
        ),
        Unclear::OtherModel => lang.pick(
            "другая версия проверена другой моделью",
            "another model has looked at the other version",
        ),
    }
}
