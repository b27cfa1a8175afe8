use std::fmt::Write;

use super::{Config, Token, Vocabulary, byte_table, bytes_of};

/// Ten text tokens, six special ones, 1501 moments from token 16 on.
pub(in crate::speech) fn toy() -> Vocabulary {
    let mut text = ["Ġa", "b", "!", "Ġ", "Ð", "Ł", "c", "d", "e", "f"].join("\n");
    for special in [
        "endoftext",
        "startoftranscript",
        "en",
        "transcribe",
        "nocaptions",
        "notimestamps",
    ] {
        text.push_str("\n<|");
        text.push_str(special);
        text.push_str("|>");
    }
    for tick in 0..=1500 {
        write!(text, "\n<|{}.{:02}|>", tick / 50, tick % 50 * 2).unwrap();
    }
    let config = Config {
        lang_ids: vec![12],
        suppress_ids: vec![9],
        suppress_ids_begin: vec![3],
    };
    Vocabulary::parse(&(text + "\n"), config).unwrap()
}

#[test]
fn every_byte_has_a_character() {
    let table = byte_table();
    assert_eq!(table.len(), 256);
    assert_eq!(table[&'Ġ'], b' ');
    assert_eq!(bytes_of("Ċ", &table), b"\n");
}

#[test]
fn letters_split_over_tokens_come_together() {
    let vocabulary = toy();
    // The two bytes of П, each a token of its own.
    assert_eq!(vocabulary.text(&[3, 4, 5]), " П");
    assert_eq!(vocabulary.text(&[4]), "\u{fffd}");
    assert_eq!(vocabulary.text(&[0, 1, 12, 2, 20]), " ab!");
}

#[test]
fn special_tokens_are_found_by_name() {
    let vocabulary = toy();
    let ids: [Token; 3] = [
        vocabulary.end,
        vocabulary.no_timestamps,
        vocabulary.first_time,
    ];
    assert_eq!(ids, [10, 15, 16]);
    assert_eq!(vocabulary.find_language("en"), Some(12));
    assert_eq!(vocabulary.code(12), "en");
    assert!(vocabulary.begins_word(0) && !vocabulary.begins_word(1));
    assert!(vocabulary.is_time(16) && !vocabulary.is_time(15));
}
