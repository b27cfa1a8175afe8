//! Which letters a written sign may stand for, in each of the two languages.
//!
//! Tables work on lower case, so `b` covers both shapes: `B` looks like `В`, `b` like `Ь` and `6`.

/// A language in which a word is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    Cyrillic,
    Latin,
}

/// What a sign is made of, before it is read in a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Cyrillic,
    Latin,
    /// A letter of another script: read in both languages where it has a twin.
    Foreign,
    Digit,
    /// `@`, `$` and the like: a letter only between or after letters.
    Symbol,
    /// `*` and the like: hides one letter.
    Mask,
    /// `.` and `-`: one joins or ends, two or more hide.
    Joint,
    Apostrophe,
    Other,
}

pub(super) fn class(sign: char) -> Class {
    match sign {
        'a'..='z' => Class::Latin,
        'а'..='ё' | '\u{450}'..='\u{45f}' | '\u{490}'..='\u{52f}' => Class::Cyrillic,
        '0'..='9' => Class::Digit,
        '@' | '$' | '€' | '!' | '|' | '£' | '¡' => Class::Symbol,
        '*' | '#' | '•' | '●' | '○' | '■' | '□' | '█' | '▪' | '░' | '▒' | '▓' | '×' | '_' | '%'
        | '^' | '&' => Class::Mask,
        '.' | '-' | '·' | '~' | '‐' | '‑' | '–' | '—' => Class::Joint,
        '\'' | '’' | '`' | '´' | 'ʼ' | '‘' => Class::Apostrophe,
        _ if is_pictograph(sign) => Class::Mask,
        _ if sign.is_alphabetic() => Class::Foreign,
        _ => Class::Other,
    }
}

fn is_pictograph(sign: char) -> bool {
    matches!(sign, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}')
}

/// Signs that show nothing: joiners, direction marks, variation selectors, tags, fillers.
pub(super) fn is_invisible(sign: char) -> bool {
    matches!(sign,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Small capitals and other twins of Latin letters that compatibility folding leaves alone.
pub(super) fn folded(sign: char) -> char {
    match sign {
        'ё' => 'е',
        'ᴀ' | 'ɑ' => 'a',
        'ʙ' => 'b',
        'ᴄ' => 'c',
        'ᴅ' => 'd',
        'ᴇ' => 'e',
        'ꜰ' => 'f',
        'ɢ' | 'ɡ' => 'g',
        'ʜ' => 'h',
        'ɪ' | 'ı' => 'i',
        'ᴊ' => 'j',
        'ᴋ' => 'k',
        'ʟ' | 'ł' => 'l',
        'ᴍ' => 'm',
        'ɴ' => 'n',
        'ᴏ' | 'ø' => 'o',
        'ᴘ' => 'p',
        'ʀ' => 'r',
        'ꜱ' => 's',
        'ᴛ' => 't',
        'ᴜ' => 'u',
        'ᴠ' => 'v',
        'ᴡ' => 'w',
        'ʏ' => 'y',
        'ᴢ' => 'z',
        other => other,
    }
}

/// The letters that a sign may stand for in a language; empty when it cannot belong to a word of it.
pub(super) fn letters(sign: char, alphabet: Alphabet) -> &'static str {
    match alphabet {
        Alphabet::Cyrillic => cyrillic(sign),
        Alphabet::Latin => latin(sign),
    }
}

/// In a word that mixes scripts, by shape and by sound.
fn cyrillic(sign: char) -> &'static str {
    match sign {
        'a' | 'α' => "а",
        '@' => "аоя",
        'b' | 'β' => "вьб",
        'c' | '$' | '5' => "с",
        'd' | 'δ' => "д",
        'e' | 'ε' | 'є' | 'ҽ' | '€' => "е",
        'f' | 'φ' => "ф",
        'g' => "дг",
        'h' | 'һ' => "нх",
        'i' | 'ι' | 'і' | 'ї' | '!' | '1' | '¡' => "и",
        'j' | 'ј' => "й",
        // Whose mark is lost where it is small, and left out where it hides the word.
        'и' => "й",
        'k' | 'κ' | 'қ' => "к",
        'l' | 'λ' | '|' => "л",
        'm' | 'μ' => "мт",
        'n' => "пни",
        'η' | 'ң' => "н",
        'o' | 'ο' | 'σ' | 'ө' => "о",
        '0' => "оу",
        'p' => "рп",
        'ρ' => "р",
        'q' => "я",
        'r' => "гр",
        'γ' | 'ґ' => "гу",
        's' | 'ѕ' => "с",
        't' | 'τ' => "т",
        'u' => "иуц",
        'υ' | 'ү' | 'ұ' => "у",
        'v' | 'ν' => "в",
        'w' | 'ω' => "ш",
        'x' | 'χ' | 'ҳ' => "х",
        'y' => "у",
        'z' => "з",
        'π' => "п",
        '3' => "зе",
        '4' => "ча",
        '6' => "б",
        '8' => "в",
        '9' => "я",
        _ => "",
    }
}

/// Twins by shape only: sound would turn every Russian word into an English one.
fn latin(sign: char) -> &'static str {
    match sign {
        'а' | 'α' | '4' => "a",
        // Any vowel: `f@ck`, `sh@t`.
        '@' => "aiou",
        'в' | 'ь' | 'β' | '8' => "b",
        'с' | '¢' => "c",
        'ԁ' => "d",
        'е' | 'є' | 'ε' | '3' | '€' => "e",
        '9' => "g",
        'н' | 'һ' => "h",
        'і' | 'ї' | 'ι' | '!' | '¡' => "i",
        'ј' => "j",
        'к' | 'κ' | 'қ' => "k",
        'м' => "m",
        'п' | 'η' | 'ν' => "n",
        'о' | 'ο' | 'σ' => "o",
        'р' | 'ρ' => "p",
        'г' => "r",
        'ѕ' | '$' | '5' => "s",
        'т' | 'τ' | '7' => "t",
        'υ' | 'и' => "u",
        'у' => "yu",
        'ш' | 'ω' | 'ԝ' => "w",
        'х' | 'χ' => "x",
        '0' => "ou",
        '1' | '|' => "il",
        '£' => "l",
        '6' => "b",
        _ => "",
    }
}

/// The Cyrillic capital that a Latin capital (given in lower case) has the shape of.
pub(super) fn capital_twin(sign: char) -> Option<char> {
    let twin = match sign {
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'k' => 'к',
        'm' => 'м',
        'o' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        _ => return None,
    };
    Some(twin)
}
