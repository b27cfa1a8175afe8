use super::super::tokens::{Token, tests::toy};
use super::Rules;

fn allowed(said: &[Token], no_repeats: bool) -> Vec<Token> {
    let vocabulary = toy();
    let mut logits = vec![0.0; vocabulary.len()];
    // Text is far likelier, so that the preference for moments does not hide the other rules.
    logits[..=10].fill(20.0);
    Rules {
        vocabulary: &vocabulary,
        no_repeats,
    }
    .apply(said, &mut logits);
    (0..logits.len())
        .filter(|token| logits[*token].is_finite())
        .collect()
}

#[test]
fn the_first_token_is_an_early_moment() {
    assert_eq!(allowed(&[], false), (16..=66).collect::<Vec<_>>());
}

#[test]
fn text_follows_an_opening_moment_and_not_a_closing_one() {
    assert_eq!(allowed(&[20], false), [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]);
    let after = allowed(&[20, 0, 30], false);
    assert_eq!(after[0], 10, "the end is allowed");
    assert_eq!(after[1], 30, "the next segment may open at the same moment");
}

#[test]
fn moments_never_go_back() {
    let after = allowed(&[20, 0, 30, 30, 1], false);
    assert!(after.contains(&31) && !after.contains(&30) && !after.contains(&20));
}

#[test]
fn a_moment_comes_when_all_moments_together_are_likelier() {
    let vocabulary = toy();
    let mut logits = vec![0.0; vocabulary.len()];
    logits[1] = 2.0;
    Rules {
        vocabulary: &vocabulary,
        no_repeats: false,
    }
    .apply(&[20, 0], &mut logits);
    assert!(logits[1].is_infinite() && logits[21].is_finite());
}

#[test]
fn a_careful_attempt_does_not_say_a_phrase_twice() {
    let said = [16, 0, 1, 2, 6, 0, 1, 2];
    assert!(allowed(&said, false).contains(&6));
    assert!(!allowed(&said, true).contains(&6));
    assert!(allowed(&said, true).contains(&7));
}
