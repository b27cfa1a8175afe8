use super::{AIR, LONGEST, PAUSE, Piece, RATE, Window, pieces, windows};

#[expect(clippy::single_range_in_vec_init, reason = "one stretch is meant")]
#[test]
fn speech_gets_air_and_close_neighbours_are_one_piece() {
    let length = 100 * RATE;
    let one = pieces(&[RATE..2 * RATE], &[], length);
    assert_eq!(one[0].range, RATE - AIR..2 * RATE + AIR);
    let near = pieces(&[0..RATE, RATE + PAUSE..3 * RATE], &[], length);
    assert_eq!(near.len(), 1);
    let far = pieces(&[0..RATE, 4 * RATE..5 * RATE], &[], length);
    assert_eq!(far.len(), 2);
}

#[expect(clippy::single_range_in_vec_init, reason = "one stretch is meant")]
#[test]
fn a_long_speech_is_cut_where_it_is_quietest() {
    let mut probabilities = vec![0.9; 2000];
    let chunk = 25 * RATE / 512;
    probabilities[chunk] = 0.1;
    let parts = pieces(&[0..40 * RATE], &probabilities, 60 * RATE);
    assert_eq!(parts.len(), 2);
    assert_eq!(parts[0].range.end / 512, chunk);
    assert!(parts.iter().all(|part| part.range.len() <= LONGEST));
    assert_eq!(parts[0].range.end, parts[1].range.start);
}

#[test]
fn a_window_holds_one_language() {
    let piece = |start: usize, language| Piece {
        range: start * RATE..(start + 5) * RATE,
        language,
    };
    let made = windows(&[
        piece(0, Some(1)),
        piece(10, None),
        piece(20, Some(2)),
        piece(30, Some(2)),
    ]);
    let sizes: Vec<_> = made
        .iter()
        .map(|window| (window.pieces.len(), window.language))
        .collect();
    assert_eq!(sizes, [(2, Some(1)), (2, Some(2))]);
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
