//! Subtitles and masks.

use std::collections::BTreeMap;

use shared_domain::Lang;
use shared_policy::Highlight;

use super::{report, rich, said, text, video};
use crate::mask::mask;
use crate::{Export, ExportError, Format};

fn masked(text: &str, places: &[(usize, usize)]) -> String {
    let place = |(start, end): &(usize, usize)| Highlight {
        start: *start,
        end: *end,
    };
    let places: Vec<Highlight> = places.iter().map(place).collect();
    mask(text, &places)
}

#[test]
fn all_but_the_first_letter_of_a_found_word_is_hidden() {
    assert_eq!(masked("ты сука!", &[(3, 7)]), "ты с***!");
    assert_eq!(masked("ты с у к а!", &[(3, 10)]), "ты с * * *!");
    assert_eq!(masked("b.i.t.c.h", &[(0, 9)]), "b.*.*.*.*");
    assert_eq!(masked("слово", &[(0, 1)]), "*лово");
    assert_eq!(masked("слово", &[]), "слово");
    assert_eq!(masked("слово", &[(3, 99), (77, 99)]), "слов*");
}

#[test]
fn a_cue_shows_the_words_around_a_finding() {
    let srt = text(&rich((25, 1), "10:00:00:00"), "srt");
    let first = "1\r\n00:00:13,200 --> 00:00:14,200\r\n[Profanity]\r\nну ты и сука конечно\r\n\r\n";
    assert!(srt.starts_with(first), "{srt}");
    let vtt = text(&rich((25, 1), "10:00:00:00"), "vtt");
    assert!(vtt.starts_with("WEBVTT\nLanguage: en\n\n1\n00:00:13.200 --> 00:00:14.200\n"));
    assert_eq!(vtt.matches("-->").count(), 5, "{vtt}");
}

#[test]
fn masked_subtitles_hold_everything_that_was_said() {
    let report = report(
        video((25, 1), "00:00:00:00"),
        &[
            said("какая сука это сделала", 1_000),
            said("хлеб и соль", 60_000),
        ],
    );
    let srt = text(&report, "srt-masked");
    assert!(srt.contains("какая с*** это сделала"), "{srt}");
    assert!(srt.contains("хлеб и соль"), "{srt}");
    assert!(!srt.contains("сука"), "{srt}");
    let vtt = text(&report, "vtt-masked");
    assert!(
        vtt.contains("00:00:01.000 --> 00:00:02.550\nкакая с*** это сделала\n"),
        "{vtt}"
    );
}

#[test]
fn a_report_of_an_earlier_release_has_no_masked_subtitles() {
    let mut old = rich((25, 1), "00:00:00:00");
    old.transcript = None;
    let export = Export {
        report: &old,
        lang: Lang::En,
        frames: &BTreeMap::new(),
        logo: None,
    };
    for name in ["srt-masked", "vtt-masked"] {
        let refused = Format::find(name).unwrap().write(&export);
        assert!(matches!(refused, Err(ExportError::NoTranscript)), "{name}");
    }
    assert!(Format::find("srt").unwrap().write(&export).is_ok());
}
