//! The table, the markers and the lists as text.

use shared_domain::{Lang, Task};
use shared_policy::Report;

use super::{bytes, decided, report, rich, said, seen, text, video};

fn rows(report: &Report, lang: Lang) -> Vec<Vec<String>> {
    let bytes = bytes(report, "csv", lang);
    let body = bytes
        .strip_prefix("\u{FEFF}".as_bytes())
        .expect("Excel's mark");
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(body);
    let row = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|record| row(record.unwrap()))
        .collect()
}

#[test]
fn a_table_has_a_line_for_each_risk_with_its_timecodes() {
    let report = rich((25, 1), "10:00:00:00");
    let rows = rows(&report, Lang::Ru);
    assert_eq!(rows.len(), 1 + report.risks.len());
    assert_eq!(&rows[0][..3], ["№", "Начало", "Конец"]);
    // The third word of a sentence that begins at 12 s: 13.2 to 13.55 s.
    assert_eq!(
        &rows[1][..5],
        ["1", "10:00:13:05", "10:00:13:14", "13.200", "13.550"]
    );
    assert_eq!(rows[1][5], "Нецензурная брань");
    assert!(rows[1][10].contains("сука"), "{:?}", rows[1]);
}

#[test]
fn lines_of_a_table_end_as_the_standard_says() {
    let table = text(&rich((25, 1), "10:00:00:00"), "csv");
    assert!(table.ends_with("\r\n"));
    assert_eq!(table.matches('\n').count(), table.matches("\r\n").count());
}

#[test]
fn a_dismissed_risk_stays_in_the_table_and_leaves_every_other_file() {
    let mut report = rich((25, 1), "10:00:00:00");
    let all = report.risks.len();
    report.risks[0].decision = Some(decided("ok_false"));
    let rows = rows(&report, Lang::En);
    assert_eq!(rows.len(), 1 + all);
    assert_eq!(&rows[1][15..], ["ok_false", "operator", "не то слово"]);
    for format in ["edl", "fcp7", "fcpxml", "otio", "srt", "vtt", "labels"] {
        let file = text(&report, format);
        assert!(!file.contains("сука"), "{format}: {file}");
    }
    assert!(text(&report, "srt-masked").contains("сука"));
    report.risks[0].decision = Some(decided("mat_speech"));
    assert!(text(&report, "srt-masked").contains("с***"));
}

#[test]
fn resolve_reads_colour_name_and_length() {
    let list = text(&rich((25, 1), "10:00:00:00"), "edl");
    let mut lines = list.lines();
    assert_eq!(lines.next(), Some("TITLE: Выпуск 7 — “финал”.mp4"));
    assert_eq!(lines.next(), Some("FCM: NON-DROP FRAME"));
    assert_eq!(lines.next(), Some(""));
    let event = "001  001      V     C        10:00:13:05 10:00:13:06 10:00:13:05 10:00:13:06  ";
    assert_eq!(lines.next(), Some(event));
    let told = lines.next().unwrap();
    assert!(
        told.starts_with(" |C:ResolveColorRed |M:Profanity in speech: "),
        "{told}"
    );
    assert!(told.ends_with(" |D:9"), "{told}");
    let drop = text(&rich((30_000, 1001), "00:59:59;28"), "edl");
    assert!(drop.contains("FCM: DROP FRAME"), "{drop}");
    assert!(drop.contains(" 01:00:13;"), "{drop}");
}

#[test]
fn risks_of_one_frame_share_a_marker_of_the_gravest_colour() {
    let found = [
        seen(Task::Objects, "knife", (5_000, 5_500)),
        seen(Task::Nudity, "nsfw", (5_000, 9_000)),
    ];
    let report = report(video((25, 1), "00:00:00:00"), &found);
    assert_eq!(report.risks.len(), 2);
    let list = text(&report, "edl");
    assert_eq!(list.matches("|C:").count(), 1, "{list}");
    assert!(list.contains("|C:ResolveColorRed "), "{list}");
    assert!(list.contains(" |D:100"), "{list}");
    assert!(
        list.contains("Weapons in") && list.contains("Nudity"),
        "{list}"
    );
}

#[test]
fn lists_name_the_stretches_of_sound() {
    let report = rich((25, 1), "10:00:00:00");
    let labels = text(&report, "labels");
    assert_eq!(labels.lines().next(), Some("13.200\t13.550\tсука"));
    let mute = text(&report, "mute");
    assert_eq!(mute.lines().next(), Some("13.200 13.550 1"));
    assert_eq!(mute.lines().count(), 2, "what is only seen is not muted");
}

#[test]
fn neighbouring_words_are_one_stretch_and_a_long_outburst_is_whole() {
    let mut piece = said("сука сука", 1_000);
    piece.words[1].start_ms = 1_300;
    let joined = crate::soundings(&report(video((25, 1), "00:00:00:00"), &[piece]));
    assert_eq!(joined.len(), 1, "{joined:?}");
    assert_eq!(
        (joined[0].span.start_ms, joined[0].span.end_ms),
        (1_000, 1_750)
    );
    let outburst = said(&["сука"; 40].join(" "), 2_000);
    let all = crate::soundings(&report(video((25, 1), "00:00:00:00"), &[outburst]));
    assert_eq!(all.len(), 1);
    assert_eq!(
        (all[0].span.start_ms, all[0].span.end_ms),
        (2_000, 2_000 + 39 * 400 + 350)
    );
}
