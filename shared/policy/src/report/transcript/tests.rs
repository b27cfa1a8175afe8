use shared_domain::{Detection, Task};

use super::*;
use crate::report::tests::{coverage, detection, facts, report, said};

fn told(detections: &[Detection]) -> Report {
    report(facts("ролик.mp4"), detections, &coverage()).with_transcript(detections)
}

/// The parts of a line that belong to risks.
fn found(line: &Line) -> Vec<String> {
    let part = |place: &FoundPlace| {
        let letters = line.text.chars().skip(place.start);
        letters.take(place.end - place.start).collect()
    };
    line.found.iter().map(part).collect()
}

#[test]
fn every_word_is_in_one_line_and_the_found_ones_are_known() {
    let text = "ну ты и сука конечно но мы продолжаем наш рассказ о том как делают хлеб и пекут пироги в печи";
    let report = told(&[said(text, 12_000, 0.91)]);
    let lines = report.transcript.unwrap();
    let whole: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(whole.join(" "), text);
    for line in &lines {
        assert!(line.text.chars().count() <= MOST_CHARACTERS, "{line:?}");
        assert!(line.end - line.start <= 7.0, "{line:?}");
    }
    assert_eq!(found(&lines[0]), ["сука"]);
    assert!(lines[1..].iter().all(|line| line.found.is_empty()));
    assert!((lines[0].start - 12.0).abs() < 1e-9);
}

#[test]
fn letters_said_one_by_one_are_one_place() {
    let report = told(&[said("вот с у к а такая", 0, 0.9)]);
    assert_eq!(found(&report.transcript.unwrap()[0]), ["с у к а"]);
}

#[test]
fn a_pause_ends_a_line() {
    let mut piece = said("раз два", 0, 0.9);
    piece.words[1].start_ms = 5_000;
    piece.words[1].end_ms = 5_300;
    let lines = told(&[piece]).transcript.unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["раз", "два"]);
}

#[test]
fn a_sentence_without_times_of_words_is_searched() {
    let sentence = Detection {
        text: Some("какая же ты сука".into()),
        ..detection(Task::Speech, "ru", 0.9, (3_000, 6_000))
    };
    let lines = told(&[sentence]).transcript.unwrap();
    assert_eq!(found(&lines[0]), ["сука"]);
}

#[test]
fn of_an_outburst_that_is_kept_in_part_every_word_counts() {
    let text = ["сука"; 40].join(" ");
    let report = told(&[said(&text, 0, 0.9)]);
    let risk = &report.risks[0];
    assert!(risk.count > risk.evidence.len() as u64, "{}", risk.count);
    let lines = report.transcript.unwrap();
    assert!(lines.iter().all(|line| found(line) == [line.text.clone()]));
}

#[test]
fn a_report_of_an_earlier_release_is_read_and_written_unchanged() {
    let mut old = report(facts("a.mp4"), &[], &coverage());
    old.video.frame_rate = None;
    old.video.start_timecode = None;
    let bytes = old.to_json().unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    for new in ["frame_rate", "start_timecode", "transcript"] {
        assert!(!text.contains(new), "{new}");
    }
    let read: Report = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read.transcript, None);
    assert_eq!(read.to_json().unwrap(), bytes);
}
