use super::*;

/// The readings of the only word of a text, one letter a place, `*` for a hidden one.
fn readings(text: &str) -> Vec<String> {
    let cut = Text::new(text);
    let tokens = cut.words.iter().chain(&cut.disguised);
    let spelled = |reading: &Reading| {
        let letter = |run: &Run| match run.place {
            Place::Letters(letters) => letters.chars()[0].to_string().repeat(run.count),
            Place::Hidden => "*".repeat(run.count),
        };
        reading.runs.iter().map(letter).collect::<String>()
    };
    tokens
        .flat_map(|token| token.readings.iter().map(spelled))
        .collect()
}

#[test]
fn case_marks_and_invisible_signs_are_folded() {
    assert_eq!(readings("ЁЛКА"), ["елка"]);
    assert_eq!(readings("Й\u{301}од"), ["йод"]);
    assert_eq!(readings("и\u{306}од"), ["йод"]);
    assert_eq!(readings("ﬁne"), ["fine"]);
    assert_eq!(readings("c\u{200d}a\u{feff}fé"), ["cafe"]);
}

#[test]
fn a_word_of_one_alphabet_is_read_in_it_alone() {
    assert_eq!(readings("рис"), ["рис"]);
    assert_eq!(readings("rice"), ["rice"]);
}

#[test]
fn a_word_of_mixed_alphabets_is_read_in_both() {
    assert_eq!(readings("cор"), ["сор", "cop"]);
    assert!(readings("MOCKBA").contains(&"москва".to_owned()));
}

#[test]
fn a_mask_is_one_letter_each() {
    assert_eq!(readings("к**т").last().unwrap(), "к**т");
}

#[test]
fn spaced_letters_become_a_word_and_keep_their_place() {
    let cut = Text::new("вот с л о в о тут");
    let word = &cut.disguised[0];
    assert_eq!(&"вот с л о в о тут"[word.start..word.end], "с л о в о");
    assert!(word.readings[0].whole_words_only);
    let slashed = r"вот с/л\о/в/о тут";
    let cut = Text::new(slashed);
    assert_eq!(
        &slashed[cut.disguised[0].start..cut.disguised[0].end],
        r"с/л\о/в/о"
    );
    assert!(Text::new("и/или").disguised.is_empty());
}

#[test]
fn an_apostrophe_is_a_hard_sign_in_russian_and_nothing_in_english() {
    assert_eq!(readings("об'езд"), ["объезд"]);
    assert_eq!(readings("don’t"), ["dont"]);
}

#[test]
fn empty_and_signless_texts_have_no_words() {
    for text in ["", "  ", "***", "!!! ???", "\u{200b}\u{202e}", "—"] {
        let cut = Text::new(text);
        assert!(cut.words.is_empty() && cut.disguised.is_empty(), "{text:?}");
    }
}
