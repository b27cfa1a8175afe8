//! Entries of several words.

use super::*;

#[test]
fn phrases_are_found_across_words_and_signs() {
    let words = list("по ссылке в описании\nспонсор выпуска\nак-47\n");
    let text = "Ищите по ссылке, в описании! Спонсор\nвыпуска — АК-47.";
    assert_eq!(
        found(&words, text),
        ["по ссылке, в описании", "Спонсор\nвыпуска", "АК-47"]
    );
    assert!(found(&words, "по этой ссылке в описании").is_empty());
}

#[test]
fn the_longest_of_overlapping_entries_is_told_once() {
    let words = list("спонсор\nспонсор выпуска\nвыпуска\n");
    assert_eq!(found(&words, "спонсор выпуска"), ["спонсор выпуска"]);
}

#[test]
fn a_phrase_has_alternatives_and_lets_other_words_stand_in_a_gap() {
    let words = list("введи*|лови* … промокод*|купон*\n! не лови* … купон*\n");
    let text = "Введите ваш новый промокод! Лови купон. Не ловите этот купон";
    assert_eq!(
        found(&words, text),
        ["Введите ваш новый промокод", "Лови купон"]
    );
    assert!(found(&words, "введите раз два три четыре пять промокод").is_empty());
    assert!(found(&words, "Введите имя. Промокод устарел.").is_empty());
    assert_eq!(found(&words, "введите на shop.ru промокод").len(), 1);
}
