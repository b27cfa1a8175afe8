//! Which letters a word is made of, and which of them look alike in both alphabets.

/// Latin letters that the Latin reader has been seen to write for Cyrillic ones (`I`, `l`, `b` for
/// parts of `ы`, `k` for `ж` …) beside those that look exactly alike.
const DOUBTFUL: &str = "ABCEHIKMOPTXYabcegklmnoprtuxy";
/// Pairs of one look.
const TWINS: &str = "AАBВCСEЕHНKКMМOОPРTТXХYУaаcсeеoоpрxхyуkкmмHн";
/// Digits that the Latin reader has been seen to write for Cyrillic letters.
const DIGITS: &str = "6б5б3з4ч";
/// Signs that stand in for letters.
const MASKS: &str = "*#•_";

/// What a word is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// At least one letter that only Latin has, and no Cyrillic.
    Latin,
    /// At least one letter that only Cyrillic has, and none that only Latin has.
    Cyrillic,
    /// Letters that both have.
    Either,
    /// Both, or another alphabet.
    Other,
    /// Digits and signs.
    None,
}

/// The script of a word by its letters alone.
pub(super) fn script(word: &str) -> Script {
    let letters = || word.chars().filter(|c| c.is_alphabetic());
    if letters().next().is_none() {
        return Script::None;
    }
    let known = letters().all(|c| c.is_ascii() || is_cyrillic(c));
    let latin = letters().any(|c| c.is_ascii() && !has_twin(c));
    let cyrillic = letters().any(|c| is_cyrillic(c) && !has_twin(c));
    match (known, latin, cyrillic) {
        (false, ..) | (true, true, true) => Script::Other,
        (true, true, false) => Script::Latin,
        (true, false, true) => Script::Cyrillic,
        (true, false, false) => Script::Either,
    }
}

/// Whether the Latin reader's word can be nothing but Latin: some letters are no look-alikes.
pub(super) fn is_surely_latin(word: &str) -> bool {
    has_sure_letters(word, 7)
}

/// Whether a third of the letters are no look-alikes.
pub(super) fn is_latin_beyond_doubt(word: &str) -> bool {
    has_sure_letters(word, 3)
}

/// Whether one of so many letters, at least, is no look-alike, and none is of another alphabet.
fn has_sure_letters(word: &str, of: usize) -> bool {
    let letters = || word.chars().filter(|c| c.is_alphabetic());
    let sure = letters().filter(|c| !DOUBTFUL.contains(*c)).count();
    letters().all(|c| c.is_ascii()) && sure > 0 && sure * of >= letters().count()
}

/// The word with every letter that has a twin in the other alphabet replaced by it.
pub(super) fn in_cyrillic(word: &str) -> String {
    word.chars()
        .map(|c| twin(TWINS, c, 0).unwrap_or(c))
        .collect()
}

/// What the Latin reader saw of a masked Cyrillic word, `6***b` for `б***ь`: no English word is
/// masked between a digit and letters that both alphabets have.
pub(super) fn behind_mask(word: &str) -> Option<String> {
    let letter = |c: char| match twin(DIGITS, c, 0) {
        _ if MASKS.contains(c) => Some(c),
        Some(letter) => Some(letter),
        None if c == 'b' => Some('ь'),
        None if DOUBTFUL.contains(c) => twin(TWINS, c, 0),
        None => None,
    };
    let inner = word.trim_matches(|c: char| c.is_ascii_punctuation());
    let is_masked = inner.contains(|c| MASKS.contains(c));
    let holds = |is: fn(&char) -> bool| inner.chars().any(|c| is(&c));
    let mixed = holds(char::is_ascii_digit) && holds(char::is_ascii_alphabetic);
    let hidden: Option<String> = inner.chars().map(letter).collect();
    let hidden = hidden.filter(|_| is_masked && mixed)?;
    Some(word.replacen(inner, &hidden, 1))
}

/// As `in_cyrillic`, the other way.
pub(super) fn in_latin(word: &str) -> String {
    word.chars()
        .map(|c| twin(TWINS, c, 1).unwrap_or(c))
        .collect()
}

fn is_cyrillic(c: char) -> bool {
    ('\u{400}'..='\u{4ff}').contains(&c)
}

fn has_twin(c: char) -> bool {
    TWINS.contains(c)
}

/// The other of a pair, when `c` stands at this place in one of them.
fn twin(pairs: &str, c: char, place: usize) -> Option<char> {
    let letters: Vec<char> = pairs.chars().collect();
    let (pairs, _) = letters.as_chunks::<2>();
    let pair = pairs.iter().find(|pair| pair[place] == c)?;
    Some(pair[1 - place])
}
