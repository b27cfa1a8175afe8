use super::super::recognise::{Glyph, Reading};
use super::super::script::{Script, behind_mask, in_cyrillic, in_latin, is_surely_latin, script};
use super::super::tesseract::Word;
use super::{Guess, both, dim_places, guess, is_better, merit};

/// A reading with a character every 0.6 heights; `_` is a dropped character, `~` precedes a guess.
fn reading(text: &str, probability: f32) -> Reading {
    let mut glyphs = Vec::new();
    let (mut at, mut unsure) = (0.3, false);
    for letter in text.chars() {
        if letter == '~' {
            unsure = true;
            continue;
        }
        if letter != '_' {
            glyphs.push(Glyph {
                text: letter.to_string().into(),
                probability: if unsure { 0.5 } else { probability },
                at,
            });
        }
        unsure = false;
        at += 0.6;
    }
    Reading { glyphs, length: at }
}

/// Words as wide as their letters in `reading`, parted by single spaces.
fn words(read: &[(&str, f32)]) -> Vec<Word> {
    let mut from = 0.0;
    let place = |&(text, confidence): &(&str, f32)| {
        let width = text.chars().map(|_| 0.6).sum::<f32>();
        let word = Word {
            text: text.to_owned(),
            confidence,
            from,
            to: from + width,
            signs: Vec::new(),
        };
        from = word.to + 0.6;
        word
    };
    read.iter().map(place).collect()
}

fn chosen(latin: &Reading, read: &[(&str, f32)]) -> String {
    both(latin, &words(read))
        .map(|line| line.text)
        .unwrap_or_default()
}

#[test]
fn letters_tell_their_alphabet() {
    assert_eq!(script("водка"), Script::Cyrillic);
    assert_eq!(script("vodka"), Script::Latin);
    assert_eq!(script("СОР"), Script::Either);
    assert_eq!(script("COP"), Script::Either);
    assert_eq!(script("18+"), Script::None);
    assert_eq!(script("Яndex"), Script::Other);
    assert_eq!(in_cyrillic("Ha"), "На");
    assert_eq!(in_latin("НОМЕ"), "HOME");
}

#[test]
fn look_alikes_of_cyrillic_words_are_not_surely_latin() {
    for word in [
        "MAPAT", "OTBET", "KAPTbE", "Hok", "Xyepry", "3AEATbIE", "CPAHYIO", "CHECK", "TAXI",
    ] {
        assert!(!is_surely_latin(word), "{word}");
    }
    for word in [
        "responsibly",
        "2SDnjcbs16H",
        "erid:",
        "PEPSI",
        "kills",
        "SALE",
    ] {
        assert!(is_surely_latin(word), "{word}");
    }
}

#[test]
fn a_latin_line_needs_no_second_reader() {
    assert_eq!(guess(&reading("Drink responsibly 18+", 0.98)), Guess::Latin);
    assert_eq!(guess(&reading("www.example.com/promo", 0.98)), Guess::Latin);
}

#[test]
fn a_line_with_dropped_letters_or_guesses_is_cyrillic() {
    for text in [
        "",
        "____ 2024",
        "______ 50% __ _o__-_ol_",
        "Pe~kama",
        "50%____",
        // All that it knows of `бл@дь`.
        "__@__",
    ] {
        assert_eq!(guess(&reading(text, 0.98)), Guess::Cyrillic, "{text}");
    }
}

#[test]
fn a_line_of_letters_that_both_have_goes_to_both_dictionaries() {
    assert_eq!(guess(&reading("HOME", 0.99)), Guess::Either);
    assert_eq!(guess(&reading("MAPAT", 0.99)), Guess::Either);
    assert_eq!(guess(&reading("TAXI", 0.99)), Guess::Either);
}

#[test]
fn cyrillic_is_taken_whatever_the_latin_reader_is_sure_of() {
    let blank = reading("______ ______", 0.996);
    assert_eq!(
        chosen(&blank, &[("Курение", 0.96), ("вредит", 0.96)]),
        "Курение вредит"
    );
    let twins = reading("OTBET", 0.999);
    assert_eq!(chosen(&twins, &[("ОТВЕТ", 0.96)]), "ОТВЕТ");
}

#[test]
fn latin_words_in_a_russian_line_come_from_the_latin_reader() {
    let latin = reading("Pe__a_a. erid: 2SDnjcbs16H", 0.97);
    let read = [("Реклама.", 0.96), ("ета:", 0.55), ("25$0п]с6516Н", 0.36)];
    assert_eq!(chosen(&latin, &read), "Реклама. erid: 2SDnjcbs16H");
}

#[test]
fn a_confident_cyrillic_word_stands() {
    let latin = reading("DPABO", 0.9);
    assert_eq!(chosen(&latin, &[("ПРАВО", 0.96)]), "ПРАВО");
}

#[test]
fn words_of_one_look_are_written_in_the_alphabet_of_the_line() {
    let latin = reading("______ __ ____", 0.9);
    let read = [("Скидка", 0.96), ("Ha", 0.96), ("водку", 0.96)];
    assert_eq!(chosen(&latin, &read), "Скидка На водку");
}

#[test]
fn a_word_of_one_look_beside_a_cyrillic_one_is_cyrillic_in_a_line_of_long_latin_names() {
    let latin = reading("______ 50% Ha Samsung Electronics", 0.97);
    let read = [
        ("Скидка", 0.96),
        ("50%", 0.96),
        ("Ha", 0.9),
        ("Samsung", 0.9),
        ("Electronics", 0.9),
    ];
    assert_eq!(chosen(&latin, &read), "Скидка 50% На Samsung Electronics");
    let latin = reading("HOME Depot Магазин", 0.97);
    let read = [("HOME", 0.9), ("Depot", 0.9), ("Магазин", 0.96)];
    assert_eq!(chosen(&latin, &read), "HOME Depot Магазин");
}

#[test]
fn a_quotation_mark_between_letters_is_background() {
    let latin = reading("_____________", 0.9);
    assert_eq!(chosen(&latin, &[("это“дома", 0.9)]), "это дома");
    assert_eq!(chosen(&latin, &[("«Ромашка»,", 0.9)]), "«Ромашка»,");
    assert_eq!(chosen(&latin, &[("O’Neill", 0.9)]), "O’Neill");
}

#[test]
fn a_masked_word_is_taken_from_the_reader_of_stars() {
    assert_eq!(chosen(&reading("6***b", 0.97), &[("©***ь", 0.7)]), "б***ь");
    assert_eq!(chosen(&reading("5***b", 0.97), &[("KEL", 0.2)]), "б***ь");
    let latin = reading("H_ 6***b, o___b", 0.97);
    let read = [("Ну", 0.96), ("©***ь", 0.5), ("опять", 0.96)];
    assert_eq!(chosen(&latin, &read), "Ну б***ь, опять");
    let latin = reading("6***b", 0.97);
    assert_eq!(chosen(&latin, &[("б**дь", 0.9)]), "б**дь");
}

#[test]
fn numbers_and_english_words_hide_no_cyrillic_one() {
    for word in [
        "6b", "5*4", "c*nt", "b***", "f**k", "300*", "16*HD", "*6b*", "a_b", "mp3_fan",
    ] {
        assert_eq!(behind_mask(word), None, "{word}");
    }
}

#[test]
fn the_other_reading_is_kept_beside() {
    let line = both(&reading("Pe__a_a", 0.9), &words(&[("Реклама", 0.96)])).unwrap();
    assert_eq!(line.alternatives, ["Peaa"]);
    assert!((line.confidence - 0.96).abs() < 1e-6);
}

#[test]
fn noise_is_no_line() {
    assert_eq!(both(&reading("____", 0.9), &words(&[("{ж", 0.05)])), None);
    assert_eq!(both(&reading("____", 0.9), &[]), None);
}

#[test]
fn of_two_tries_the_one_with_more_sure_letters_is_best() {
    let whole = words(&[("Скидка", 0.9), ("на", 0.9), ("водку", 0.8)]);
    let part = words(&[("Скидка", 0.95), ("нав", 0.9)]);
    let garbage = words(&[("ЧИдпишись", 0.2), ("ааааааааа", 0.1), ("б", 0.9)]);
    assert!(merit(&whole) > merit(&part));
    assert!(merit(&part) > merit(&garbage));
}

#[test]
fn letters_that_are_hardly_recognised_are_better_than_a_speck() {
    let letters = words(&[("х*Иня", 0.38)]);
    let speck = words(&[(".", 0.53)]);
    assert!(is_better(&letters, &[]));
    assert!(is_better(&letters, &speck));
    assert!(!is_better(&speck, &letters));
    assert!(!is_better(&words(&[("#7.", 0.39)]), &speck));
    assert!(is_better(&words(&[("х*йня", 0.6)]), &letters));
}

#[test]
fn badly_read_neighbours_are_one_place_to_look_again() {
    let read = words(&[("Скидка", 0.96), ("на", 0.9), ("Запт", 0.3), ("5ипд", 0.2)]);
    let places = dim_places(&read);
    assert_eq!(places.len(), 1);
    assert!(places[0][0] < read[2].from && places[0][1] > read[3].to);
    assert!(dim_places(&words(&[("водка", 0.96)])).is_empty());
}

#[test]
fn a_place_read_again_replaces_what_was_read_there() {
    let mut line = reading("______ __-_ol_", 0.9);
    line.patched(4.2, reading("Coca-Cola", 0.98));
    assert_eq!(line.text(), "Coca-Cola");
    assert!(
        line.glyphs
            .iter()
            .filter(|glyph| glyph.at > 4.2)
            .all(|glyph| glyph.probability > 0.97)
    );
}
