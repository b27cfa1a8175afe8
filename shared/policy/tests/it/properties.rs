//! Whatever the text: nothing panics, what is found lies in it, and a disguise hides no word.

use std::sync::LazyLock;

use proptest::prelude::*;
use shared_policy::{BUILT_IN, Dictionaries, Text};

use crate::entry;

static LISTS: LazyLock<Option<Dictionaries>> = LazyLock::new(|| Dictionaries::built_in().ok());
static WORDS: LazyLock<Vec<(&str, String)>> = LazyLock::new(words);

/// Signs that texts are attacked with.
const SIGNS: &[&str] = &[
    "а",
    "у",
    "с",
    "к",
    "х",
    "й",
    "б",
    "л",
    "я",
    "f",
    "u",
    "c",
    "k",
    "s",
    "h",
    "i",
    "t",
    "0",
    "3",
    "@",
    "$",
    "*",
    "#",
    "-",
    ".",
    "_",
    " ",
    "\n",
    "'",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2067}",
    "\u{ad}",
    "\u{301}",
    "\u{306}",
    "\u{489}",
    "\u{fe0f}",
    "\u{feff}",
    "ﬁ",
    "ё",
    "İ",
    "𝖋",
    "ｘ",
    "\u{1f600}",
    "\u{e0061}",
    "中",
    "ش",
    "erid",
    "ООО «",
    "ИНН",
];

fn attacked() -> impl Strategy<Value = String> {
    let sign = proptest::sample::select(SIGNS);
    proptest::collection::vec(sign, 0..60).prop_map(|signs| signs.concat())
}

fn settings(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(settings(300))]

    #[test]
    fn any_text_is_read_and_every_hit_lies_in_it(text in any::<String>(), attack in attacked()) {
        entry::text(text.as_bytes());
        entry::text(attack.as_bytes());
    }

    #[test]
    fn any_list_is_taken_or_refused(list in attacked(), lines in any::<String>(), text in attacked()) {
        entry::list(format!("{list}\n{lines}\0{text}").as_bytes());
        entry::list(format!("{}\0{text}", list.replace(' ', "\n")).as_bytes());
    }

    #[test]
    fn any_pack_is_taken_or_refused(pack in any::<String>(), attack in attacked()) {
        entry::pack(pack.as_bytes());
        entry::pack(format!("pack: 1\nid: {attack}").as_bytes());
    }

    #[test]
    fn words_in_mixed_disguises_are_found(
        at in any::<proptest::sample::Index>(),
        disguises in proptest::collection::vec(any::<proptest::sample::Index>(), 1..4),
    ) {
        let (list, word) = at.get(&WORDS);
        let disguised = disguises
            .iter()
            .fold(word.clone(), |text, disguise| (disguise.get(&DISGUISES).1)(&text));
        prop_assert!(is_found(list, &disguised), "{list}: {word} as {disguised:?}");
    }
}

/// A name and what it does to a word.
type Disguise = (&'static str, fn(&str) -> String);

const DISGUISES: [Disguise; 7] = [
    ("zero width", |word| between(word, "\u{200b}")),
    ("joiners", |word| between(word, "\u{2060}\u{200d}")),
    ("soft hyphens", |word| between(word, "\u{ad}")),
    ("combining marks", |word| after(word, "\u{301}")),
    ("enclosing marks", |word| after(word, "\u{489}")),
    ("right to left", |word| {
        format!("\u{202e}{}\u{202c}", between(word, "\u{2067}\u{2069}"))
    }),
    ("twins", twins),
];

fn between(word: &str, sign: &str) -> String {
    let letters: Vec<String> = word.chars().map(String::from).collect();
    letters.join(sign)
}

fn after(word: &str, sign: &str) -> String {
    let marked = |letter: char| std::iter::once(letter).chain(sign.chars());
    word.chars().flat_map(marked).collect()
}

/// All letters but one as letters of the other alphabet, where they have a twin: a word that is
/// wholly of the other alphabet is another word.
fn twins(word: &str) -> String {
    const PAIRS: [(char, char); 7] = [
        ('а', 'a'),
        ('е', 'e'),
        ('о', 'o'),
        ('р', 'p'),
        ('с', 'c'),
        ('у', 'y'),
        ('х', 'x'),
    ];
    let twin = |letter: char| {
        let pair = PAIRS.iter().find(|(a, b)| *a == letter || *b == letter);
        pair.map(|(a, b)| if *a == letter { *b } else { *a })
    };
    let letters = word.chars().filter(|letter| letter.is_alphabetic());
    let stays = letters.clone().any(|letter| twin(letter).is_none());
    let mut kept = stays;
    word.chars()
        .map(|letter| match twin(letter) {
            Some(_) if !kept => {
                kept = true;
                letter
            }
            Some(other) => other,
            None => letter,
        })
        .collect()
}

fn is_found(list: &str, text: &str) -> bool {
    let list = LISTS.as_ref().and_then(|lists| lists.find(list));
    list.is_some_and(|list| !list.find(&Text::new(text)).is_empty())
}

/// The words of every list that disguises are seen through: long enough, and found as they are.
fn words() -> Vec<(&'static str, String)> {
    let mut words = Vec::new();
    for (name, text) in BUILT_IN {
        for line in text.lines().map(str::trim) {
            let word = line.trim_start_matches('+').replace('*', "");
            let plain = !line.starts_with(['#', '!', '=', '@']) && word.chars().count() >= 4;
            if plain && word.chars().all(char::is_alphabetic) && is_found(name, &word) {
                words.push((name, word));
            }
        }
    }
    words
}

#[test]
fn each_word_of_each_list_is_found_in_each_disguise() {
    assert!(WORDS.len() > 3_000, "{} words", WORDS.len());
    let mut missed = Vec::new();
    for (list, word) in WORDS.iter() {
        for (name, disguise) in DISGUISES {
            let text = disguise(word);
            if !is_found(list, &text) {
                missed.push(format!("{list}: {word} in {name}"));
            }
        }
    }
    assert!(
        missed.is_empty(),
        "{} missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
}
