//! What strangers write into names and what models read aloud breaks no format.

use shared_domain::Lang;
use shared_policy::{Line, Report};

use super::{bytes, rich, text};
use crate::Format;

const TRICKS: [&str; 10] = [
    "=cmd|' /C calc'!A0",
    "  @SUM(1+1)*cmd",
    "＝1+1",
    "a\r\nb\n\n3\n00:00:00,000 --> 00:00:09,000\nне тот",
    "--> <script>alert(1)</script> & ]]> <!-- -->",
    "\u{202E}gpj.exe\u{0}\u{7}\u{FFFE}\u{FEFF}",
    "|C:ResolveColorRed |M:чужой |D:99\n002  001      V     C        00:00:00:00",
    "\"quoted\", 'and'; tab\there",
    "",
    "</name></marker><marker><name>чужой",
];

/// A report whose every text is the trick.
fn poisoned(trick: &str) -> Report {
    let mut report = rich((25, 1), "10:00:00:00");
    report.video.original_name = trick.to_owned();
    for risk in &mut report.risks {
        risk.source = trick.to_owned();
        risk.code = trick.to_owned();
        risk.reason.rule = trick.to_owned();
        for side in [
            &mut risk.risk_name,
            &mut risk.description,
            &mut risk.reason.clause,
        ] {
            side.ru = trick.to_owned();
            side.en = trick.to_owned();
        }
        for piece in &mut risk.evidence {
            piece.label = trick.to_owned();
            piece.text = Some(trick.to_owned());
            piece.highlight = None;
            for word in &mut piece.words {
                word.text = trick.to_owned();
            }
        }
    }
    report.transcript = Some(vec![Line {
        start: 1.0,
        end: 2.0,
        text: trick.to_owned(),
        found: Vec::new(),
    }]);
    report
}

#[test]
fn no_cell_is_a_formula() {
    for trick in TRICKS {
        let table = bytes(&poisoned(trick), "csv", Lang::En);
        let body = table.strip_prefix("\u{FEFF}".as_bytes()).unwrap();
        let rows = csv::Reader::from_reader(body).into_records();
        let mut count = 0;
        for row in rows {
            let row = row.unwrap();
            assert_eq!(row.len(), 18, "{trick:?}");
            for cell in &row {
                assert!(
                    !cell.trim_start().starts_with(['=', '+', '-', '@', '＝']),
                    "{cell:?}"
                );
                assert!(!cell.contains(['\n', '\r', '\t', '\0']), "{cell:?}");
            }
            count += 1;
        }
        assert_eq!(count, 5, "{trick:?}");
    }
}

#[test]
fn no_text_ends_a_cue_or_begins_another() {
    for trick in TRICKS {
        for format in ["srt", "vtt", "srt-masked", "vtt-masked"] {
            let file = text(&poisoned(trick), format);
            let arrows = file.lines().filter(|line| line.contains("-->"));
            let cues = arrows
                .inspect(|line| assert_eq!(line.len(), 29, "{line:?}"))
                .count();
            let most = if format.contains("masked") { 1 } else { 5 };
            assert!(cues <= most, "{format} {trick:?}: {file}");
            assert!(!file.contains("<script"), "{format}: {file}");
        }
    }
}

#[test]
fn no_name_is_a_line_of_its_own() {
    for trick in TRICKS {
        let list = text(&poisoned(trick), "edl");
        let events = list
            .lines()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
        assert_eq!(events.count(), 5, "{trick:?}: {list}");
        let fields = list.lines().filter(|line| line.contains("|C:"));
        for line in fields {
            assert_eq!(line.matches('|').count(), 3, "{line:?}");
        }
        for format in ["labels", "mute"] {
            assert_eq!(
                text(&poisoned(trick), format).lines().count(),
                2,
                "{format} {trick:?}"
            );
        }
    }
}

#[test]
fn xml_and_json_stay_what_they_are() {
    for trick in TRICKS {
        for format in ["fcp7", "fcpxml"] {
            let file = text(&poisoned(trick), format);
            let mut reader = quick_xml::Reader::from_str(&file);
            let mut markers = 0;
            loop {
                use quick_xml::events::Event;
                match reader.read_event().unwrap() {
                    Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == b"marker" => {
                        markers += 1;
                    }
                    Event::Eof => break,
                    _ => {}
                }
            }
            assert_eq!(markers, 5, "{format} {trick:?}");
            let wrong = |c: char| c.is_control() && !matches!(c, '\n' | '\r');
            assert!(!file.contains(wrong), "{format} {trick:?}");
            assert!(!file.contains('\u{202E}'), "{format}");
        }
        let file = text(&poisoned(trick), "otio");
        let _: serde_json::Value = serde_json::from_str(&file).unwrap();
    }
}

#[test]
fn pages_are_written_whatever_the_texts_are() {
    for trick in TRICKS {
        let pdf = bytes(&poisoned(trick), "pdf", Lang::Ru);
        assert!(pdf.starts_with(b"%PDF-"), "{trick:?}");
    }
    let endless = "щ".repeat(100_000);
    for format in Format::ALL {
        let _ = bytes(&poisoned(&endless), format.name, Lang::Ru);
    }
}
