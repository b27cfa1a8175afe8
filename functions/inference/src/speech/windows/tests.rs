use std::ops::Range;
use std::slice;

use super::{AIR, LONGEST, Piece, RATE, Window, pieces, utterances, windows};

const LENGTH: usize = 100 * RATE;

fn piece(range: Range<usize>, language: Option<usize>) -> Piece {
    Piece { range, language }
}

#[test]
fn an_utterance_gets_air_and_shares_a_small_gap() {
    let voices = [
        RATE..2 * RATE,
        2 * RATE + RATE / 10..3 * RATE,
        3 * RATE + RATE / 4..5 * RATE,
    ];
    let made = utterances(&voices, LENGTH);
    assert_eq!(made.len(), 2, "a breath does not part an utterance");
    assert_eq!(made[0].range, RATE - AIR..3 * RATE + RATE / 8);
    assert_eq!(made[1].range, 3 * RATE + RATE / 8..5 * RATE + AIR);
}

#[test]
fn air_does_not_reach_beyond_the_sound() {
    let whole = 0..RATE;
    let made = utterances(slice::from_ref(&whole), RATE);
    assert_eq!(made[0].range, whole);
}

#[test]
fn close_utterances_of_one_language_are_one_piece() {
    let second = RATE;
    let said = vec![
        piece(0..second, None),
        piece(second..2 * second, Some(1)),
        piece(2 * second..3 * second, None),
        piece(3 * second..4 * second, Some(2)),
        piece(9 * second..10 * second, Some(2)),
    ];
    let made = pieces(said, &[]);
    let expected = [
        piece(0..3 * second, Some(1)),
        piece(3 * second..4 * second, Some(2)),
        piece(9 * second..10 * second, Some(2)),
    ];
    assert_eq!(made, expected);
}

#[test]
fn a_long_speech_is_cut_where_it_is_quietest() {
    let mut probabilities = vec![0.9; 2000];
    let chunk = 25 * RATE / 512;
    probabilities[chunk] = 0.1;
    let parts = pieces(vec![piece(0..40 * RATE, None)], &probabilities);
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].range.end / 512, chunk);
    assert!(parts.iter().all(|part| part.range.len() <= LONGEST));
    assert_eq!(parts[0].range.end, parts[1].range.start);
}

#[test]
fn a_window_holds_one_language_and_no_more_than_fits() {
    let at = |start: usize, language| piece(start * RATE..(start + 12) * RATE, language);
    let made = windows(&[
        at(0, Some(1)),
        at(20, Some(1)),
        at(40, Some(1)),
        at(60, Some(2)),
    ]);
    let sizes: Vec<_> = made
        .iter()
        .map(|window| (window.pieces.len(), window.language))
        .collect();
    assert_eq!(sizes, [(2, Some(1)), (1, Some(1)), (1, Some(2))]);
}

#[test]
fn a_moment_is_mapped_back_through_the_pieces() {
    let window = Window {
        pieces: vec![100..200, 500..600],
        language: None,
    };
    assert_eq!(
        (window.begins(0), window.begins(99), window.begins(100)),
        (100, 199, 500)
    );
    assert_eq!(
        (window.ends(100), window.ends(101), window.ends(900)),
        (200, 501, 600)
    );
    assert_eq!(window.rest(150).begins(0), 550);
    assert_eq!(
        (window.rest(100).begins(0), window.rest(100).len()),
        (500, 100)
    );
    assert!(window.rest(200).pieces.is_empty());
}
