use std::ops::Range;
use std::slice;

use serde_json::{Value, json};

use super::super::transcript::Segment;
use super::{Found, RATE, Reason};

const CLEAR: f64 = -1.0;

fn segment(avg_logprob: f64) -> Segment {
    Segment {
        start: 0.0,
        end: 1.0,
        text: "word".into(),
        language: "en".into(),
        avg_logprob,
        no_speech_prob: 0.0,
        compression_ratio: 1.0,
        words: Vec::new(),
    }
}

fn tenths(range: Range<usize>) -> Range<usize> {
    range.start * RATE / 10..range.end * RATE / 10
}

/// Start, end and reason of everything that is listed.
fn listed(found: Found) -> Vec<(f64, f64, Value)> {
    let dropped = serde_json::to_value(found.into_transcript()).unwrap()["dropped"].clone();
    let row = |row: &Value| {
        let time = |key: &str| row[key].as_f64().unwrap();
        (time("start"), time("end"), row["reason"].clone())
    };
    dropped.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn what_a_second_hearing_leaves_unclear_is_listed_although_a_part_is_clear() {
    let voice = tenths(0..40);
    let mut again = Found::default();
    again.say(segment(-0.3), vec![tenths(0..10)]);
    again.say(segment(-1.2), vec![tenths(10..40)]);
    let mut found = Found::default();
    found.take(&voice, slice::from_ref(&voice), again, CLEAR);
    assert_eq!(listed(found), [(1.0, 4.0, json!("unclear"))]);
}

#[test]
fn a_short_part_that_stays_unclear_after_a_second_hearing_is_listed() {
    let voice = tenths(0..15);
    let mut again = Found::default();
    again.say(segment(-0.3), vec![tenths(0..8)]);
    let mut found = Found::default();
    found.take(&voice, slice::from_ref(&voice), again, CLEAR);
    assert_eq!(listed(found), [(0.8, 1.5, json!("unclear"))]);
}

#[test]
fn two_short_voices_of_one_doubtful_sentence_are_heard_again_together() {
    let (piece, voices) = (tenths(0..40), [tenths(10..17), tenths(20..27)]);
    let mut found = Found::default();
    found.say(segment(-0.3), vec![tenths(0..9), tenths(30..40)]);
    found.doubt(&voices);
    let gaps = found.left_out(slice::from_ref(&piece), &voices);
    assert_eq!(gaps, [tenths(10..27)]);
    let mut again = Found::default();
    again.say(segment(-0.3), voices.to_vec());
    found.take(&gaps[0], &voices, again, CLEAR);
    found.close(slice::from_ref(&piece), &voices);
    let rest = listed(found);
    assert!(rest.iter().all(|(_, _, reason)| reason == "unclear"));
    assert!(rest.is_empty(), "both are text now: {rest:?}");
}

#[test]
fn a_doubt_that_is_not_heard_again_is_listed() {
    let (piece, voice) = (tenths(0..40), tenths(10..14));
    let mut found = Found::default();
    found.say(segment(-0.3), vec![tenths(0..9)]);
    found.doubt(slice::from_ref(&voice));
    assert!(
        found
            .left_out(slice::from_ref(&piece), slice::from_ref(&voice))
            .is_empty()
    );
    found.close(slice::from_ref(&piece), slice::from_ref(&voice));
    assert_eq!(listed(found), [(1.0, 1.4, json!("unclear"))]);
}

#[test]
fn a_lone_short_voice_without_text_is_listed() {
    let (piece, voice) = (tenths(10..20), tenths(13..16));
    let mut found = Found::default();
    found.say(segment(-0.3), vec![tenths(0..9)]);
    found.close(slice::from_ref(&piece), slice::from_ref(&voice));
    assert_eq!(listed(found), [(1.3, 1.6, json!("unclear"))]);
}

#[test]
fn a_voice_that_the_model_passes_over_between_words_is_listed_and_a_breath_is_not() {
    let piece = tenths(0..40);
    let voices = [tenths(0..9), tenths(12..18), tenths(22..24), tenths(30..40)];
    let mut found = Found::default();
    found.say(segment(-0.3), vec![tenths(0..9), tenths(30..40)]);
    found.close(slice::from_ref(&piece), &voices);
    assert_eq!(listed(found), [(1.2, 1.8, json!("unclear"))]);
}

#[test]
fn what_is_listed_once_is_not_listed_again() {
    let (piece, voice) = (tenths(0..40), tenths(0..20));
    let mut found = Found::default();
    found.drop(piece.clone(), Reason::NoSpeech);
    assert!(
        found
            .left_out(slice::from_ref(&piece), slice::from_ref(&voice))
            .is_empty()
    );
    found.close(slice::from_ref(&piece), slice::from_ref(&voice));
    assert_eq!(listed(found), [(0.0, 4.0, json!("no_speech"))]);
}
