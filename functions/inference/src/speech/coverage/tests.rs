use std::slice;

use super::{LETTER, RATE, WORD, cut_words, left_out};

#[test]
fn a_stretched_word_keeps_the_side_where_its_neighbour_is() {
    let longest = WORD + 5 * LETTER;
    let mut words = [
        (5, 0..4 * RATE),
        (5, 4 * RATE..4 * RATE + 100),
        (5, 5 * RATE..9 * RATE),
    ];
    cut_words(&mut words);
    assert_eq!(words[0].1, 4 * RATE - longest..4 * RATE);
    assert_eq!(words[1].1, 4 * RATE..4 * RATE + 100);
    assert_eq!(words[2].1, 5 * RATE..5 * RATE + longest);
}

#[test]
fn a_voice_without_words_is_found() {
    let pieces = 0..20 * RATE;
    let pieces = slice::from_ref(&pieces);
    let voices = [RATE..9 * RATE, 12 * RATE..13 * RATE];
    let heard = [RATE..3 * RATE, 6 * RATE..9 * RATE];
    let gaps = left_out(pieces, &voices, &heard);
    assert_eq!((gaps.len(), gaps[0].clone()), (1, 3 * RATE..6 * RATE));
    let gaps = left_out(pieces, &voices, &[]);
    assert_eq!(gaps.len(), 1, "a short voice does not matter");
    assert_eq!(gaps[0], RATE..9 * RATE);
}
