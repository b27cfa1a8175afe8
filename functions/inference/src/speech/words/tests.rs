use super::super::decode::Spoken;
use super::super::tokens::tests::toy;
use super::{language_of, words};

fn spoken(tokens: &[usize]) -> Vec<Spoken> {
    tokens
        .iter()
        .map(|&token| Spoken {
            token,
            log_probability: 0.5f32.ln(),
        })
        .collect()
}

#[test]
fn a_word_begins_at_a_space_and_keeps_its_punctuation() {
    let made = words(&toy(), &spoken(&[0, 1, 2, 0, 6]));
    let texts: Vec<_> = made
        .iter()
        .map(|word| (word.text.as_str(), word.first, word.end))
        .collect();
    assert_eq!(texts, [("ab!", 0, 3), ("ac", 3, 5)]);
    assert!((made[0].probability - 0.5).abs() < 1e-6);
}

#[test]
fn lone_punctuation_joins_the_word_before() {
    // A space and an exclamation mark that are a word of their own.
    let made = words(&toy(), &spoken(&[0, 3, 2, 0]));
    let texts: Vec<_> = made.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(texts, ["a!", "a"]);
}

#[test]
fn letters_of_two_tokens_are_one_word() {
    let made = words(&toy(), &spoken(&[3, 4, 5, 6]));
    assert_eq!(made[0].text, "Пc");
    assert_eq!(made.len(), 1);
}

#[test]
fn the_alphabet_corrects_the_language() {
    assert_eq!(language_of("Welcome to our show.", "ru"), "en");
    assert_eq!(language_of("Привет, друзья!", "en"), "ru");
    assert_eq!(language_of("Купи iPhone сейчас", "ru"), "ru");
    assert_eq!(language_of("Guten Tag", "de"), "de");
    assert_eq!(language_of("18+", "ru"), "ru");
}
