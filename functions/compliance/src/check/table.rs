//! What a check prints: the risks, what was not checked, where the files are.

use std::path::{Path, PathBuf};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Deserialize;
use serde_json::Value;
use shared_domain::Lang;
use shared_policy::AgeBand;
use time::OffsetDateTime;

use crate::args::Check;
use crate::serve::system_language;

/// The table of risks; with `--json -` standard output belongs to the JSON.
#[expect(clippy::print_stdout, reason = "the table is the command's output")]
pub(crate) fn report(report: &Value, written: &[PathBuf], args: &Check) {
    if args.json_is_output() {
        return;
    }
    let lang = system_language();
    println!("{}", heading(report, lang));
    if let Some(band) = band(report, lang) {
        println!("{band}");
    }
    let risks = report["risks"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if !risks.is_empty() {
        println!("{}", risks_table(risks, lang));
    }
    for line in not_checked(report, lang) {
        println!("{line}");
    }
    for file in written {
        println!("{}", file.display());
    }
}

/// Why a file could not be checked.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the reason is the command's output"
)]
pub(crate) fn refused(file: &Path, reason: &str, args: &Check) {
    if args.json_is_output() {
        eprintln!("{}: {reason}", file.display());
    } else {
        println!("{}: {reason}", file.display());
    }
}

/// The report is one of an earlier check.
#[expect(clippy::print_stderr, reason = "standard output is the report's")]
pub(crate) fn old(file: &Path, at: OffsetDateTime) {
    let (date, file) = (at.date(), file.display());
    match system_language() {
        Lang::Ru => eprintln!("{file}: проверено {date}; --again проверит заново"),
        Lang::En => eprintln!("{file}: checked on {date}; --again checks anew"),
    }
}

fn heading(report: &Value, lang: Lang) -> String {
    let name = report["video"]["original_name"]
        .as_str()
        .unwrap_or_default();
    let risks = report["total_triggers"].as_u64().unwrap_or(0);
    match (report["verdict"].as_str().unwrap_or_default(), lang) {
        ("pass", Lang::Ru) => format!("{name}: рисков не найдено, проверено всё"),
        ("pass", Lang::En) => format!("{name}: no risks found, everything was checked"),
        ("fail", Lang::Ru) => format!("{name}: найдены нарушения, рисков {risks}"),
        ("fail", Lang::En) => format!("{name}: breaches found, {risks} risks"),
        (_, Lang::Ru) if risks == 0 => format!("{name}: рисков не найдено, но проверено не всё"),
        (_, Lang::En) if risks == 0 => {
            format!("{name}: no risks found, but not everything was checked")
        }
        (_, Lang::Ru) => format!("{name}: нужна проверка человеком, рисков {risks}"),
        (_, Lang::En) => format!("{name}: a person should check, {risks} risks"),
    }
}

/// Where the policy's scale puts the video: its age category.
fn band(report: &Value, lang: Lang) -> Option<String> {
    let band = AgeBand::deserialize(&report["age_band"]).ok()?;
    Some(format!("{}: {}", band.title.pick(lang), band.told(lang)))
}

fn risks_table(risks: &[Value], lang: Lang) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(match lang {
        Lang::Ru => ["начало", "конец", "риск", "уровень", "оценка", "почему"],
        Lang::En => ["start", "end", "risk", "level", "score", "why"],
    });
    for risk in risks {
        table.add_row([
            clock(&risk["start_seconds"]),
            clock(&risk["end_seconds"]),
            text(&risk["risk_name"][lang.as_str()]),
            level(&risk["risk_level"], lang),
            format!("{:.2}", risk["confidence"].as_f64().unwrap_or(0.0)),
            text(&risk["description"][lang.as_str()]),
        ]);
    }
    table
}

fn level(level: &Value, lang: Lang) -> String {
    match (level.as_str(), lang) {
        (Some("low"), Lang::Ru) => "низкий".into(),
        (Some("medium"), Lang::Ru) => "средний".into(),
        (Some("high"), Lang::Ru) => "высокий".into(),
        _ => text(level),
    }
}

fn not_checked(report: &Value, lang: Lang) -> Vec<String> {
    let lines = report["not_checked"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let line = |line: &Value| text(&line["text"][lang.as_str()]);
    lines.iter().map(line).collect()
}

fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    // Names and transcripts are the file's: no escape sequence of theirs reaches the terminal.
    text.chars().filter(|c| !c.is_control()).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds of a video"
)]
fn clock(seconds: &Value) -> String {
    let tenths = (seconds.as_f64().unwrap_or(0.0) * 10.0).round().max(0.0) as u64;
    format!(
        "{}:{:02}:{:02}.{}",
        tenths / 36_000,
        tenths / 600 % 60,
        tenths / 10 % 60,
        tenths % 10
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared_domain::Lang;

    use super::band;

    #[test]
    fn the_band_says_when_it_may_be_a_graver_one() {
        let mut report = json!({ "age_band": {
            "scheme": "ru-436-fz", "title": { "ru": "Возрастная категория", "en": "Age category" },
            "value": "16+", "name": { "ru": "16+", "en": "16+" }, "at_least": true, "reasons": [],
        }});
        let told = |report: &_, lang| band(report, lang).unwrap();
        assert_eq!(
            told(&report, Lang::Ru),
            "Возрастная категория: не мягче 16+"
        );
        assert_eq!(told(&report, Lang::En), "Age category: no milder than 16+");
        report["age_band"]["at_least"] = json!(false);
        assert_eq!(told(&report, Lang::En), "Age category: 16+");
        report["age_band"] = json!(null);
        assert_eq!(band(&report, Lang::En), None);
    }
}
