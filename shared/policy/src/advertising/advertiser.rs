//! Who pays: a legal form with a name, a taxpayer's number, or a pointer to either.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Hit, How};

/// Each with the advertiser in its first group.
static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    // Zeros are read for the letter only before a name in quotation marks: `000 «Ромашка»`, not `3 000 Рублей`.
    let patterns = [
        r#"(?:^|[^\p{L}\p{N}])((?:[ОO]{3}|П?[АA][ОO]|З[АA][ОO]|ИП|НК[ОO]|[АA]Н[ОO]|ГУП|МУП|ФГУП|ФГБУ)(?:\s*[«"“„'<]\s*[\p{L}\p{N}]|\s+\p{Lu})[\p{L}\p{N}.&-]*)"#,
        r#"(?:^|[^\p{L}\p{N}])([ОOоo0]{3}\s*[«"“„'<]+\s*[\p{L}\p{N}][\p{L}\p{N}.&-]*)"#,
        r"(?i)((?:обществ\p{L}*\s+с\s+ограниченной\s+ответственностью|индивидуальн\p{L}+\s+предпринимател\p{L}*|акционерн\p{L}+\s+обществ\p{L}*))",
        r"(?:^|[^\p{L}\p{N}])(\p{Lu}[\p{L}\p{N}&.-]+(?:\s+\p{Lu}[\p{L}\p{N}&.-]*){0,3},?\s+(?:LLC|Ltd|Inc|GmbH|Corp|PLC|S\.A|B\.V|N\.V)\b)",
        r#"(?i)(?:^|[^\p{L}\p{N}])((?:рекламодател\p{L}*|advertiser)\s*[:—–-]\s*[«"“„]?[\p{L}\p{N}][\p{L}\p{N}.&-]*)"#,
        r"(?i)((?:информаци\p{L}*|сведени\p{L}*|подробн\p{L}*|данные)\s+об?\s+рекламодател\p{L}*)",
    ];
    compiled(&patterns)
});
/// The label of a taxpayer's number, and the number.
static NUMBER: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[r"(?:^|[^\p{L}\p{N}])([ИIN][НHN][НHN]\D{0,3}([0-9](?:[ ]?[0-9]){9,11}))"])
});
/// An address in the internet.
static PAGE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?i)(?:^|[^\p{L}\p{N}@.])((?:https?://)?[\p{L}\p{N}-]{2,}(?:\.[\p{L}\p{N}-]{2,})*\.(?:ru|рф|com|net|org|su|by|kz|io|app|shop|store|online|site|pro|market|info))(?:[^\p{L}\p{N}]|$)",
    ])
});

fn compiled(patterns: &[&str]) -> Vec<Regex> {
    patterns
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
}

/// The advertiser, or a pointer to them.
pub(super) fn find(text: &str) -> Option<Hit> {
    let named = NAMED.iter().find_map(|regex| first(regex, text));
    named.or_else(|| taxpayer(text))
}

/// The address of a page.
pub(super) fn page(text: &str) -> Option<Hit> {
    PAGE.iter().find_map(|regex| first(regex, text))
}

fn first(regex: &Regex, text: &str) -> Option<Hit> {
    let found = regex.captures(text)?.get(1)?;
    Some(hit(found.start(), found.end()))
}

fn hit(start: usize, end: usize) -> Hit {
    Hit {
        entry: "advertiser".into(),
        start,
        end,
        how: How::Plain,
    }
}

/// A taxpayer's number whose check digits are right.
fn taxpayer(text: &str) -> Option<Hit> {
    let mut labelled = NUMBER.iter().flat_map(|regex| regex.captures_iter(text));
    labelled.find_map(|captures| {
        let whole = captures.get(1)?;
        let digits = captures
            .get(2)?
            .as_str()
            .chars()
            .filter_map(|c| c.to_digit(10));
        is_taxpayer(&digits.collect::<Vec<_>>()).then(|| hit(whole.start(), whole.end()))
    })
}

/// Ten digits of a company, the last a check; twelve of a person, the last two checks.
fn is_taxpayer(digits: &[u32]) -> bool {
    const WEIGHTS: [u32; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    let is_check = |at: usize| {
        let weights = &WEIGHTS[WEIGHTS.len() - at..];
        let sum: u32 = weights
            .iter()
            .zip(digits)
            .map(|(weight, digit)| weight * digit)
            .sum();
        sum % 11 % 10 == digits[at]
    };
    match digits.len() {
        10 => is_check(9),
        12 => is_check(10) && is_check(11),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taxpayers_number_is_told_by_its_check_digits() {
        for right in ["ИНН 7707083893", "ИНН: 500100732259", "ИНН 77 07 08 38 93"] {
            assert!(find(right).is_some(), "{right}");
        }
        for wrong in [
            "ИНН 7707083894",
            "7707083893",
            "ИНН 500100732258",
            "тел. 7707083893",
            "ИНН 12345",
        ] {
            assert!(find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_advertiser_is_a_legal_form_with_a_name_or_a_pointer() {
        let right = [
            "Реклама. ООО «Ромашка»",
            "OOO \"Ромашка\"",
            "000 «Ромашка»",
            "ИП Иванов И. И.",
            "ПАО Сбербанк",
            "АО «ТБанк»",
            "Acme Foods LLC",
            "рекламодатель: Ромашка",
            "информация о рекламодателе на сайте",
            "индивидуальный предприниматель Петрова",
        ];
        for text in right {
            assert!(find(text).is_some(), "{text}");
        }
        for text in [
            "3 000 Рублей",
            "ооо, какой вид",
            "ООО",
            "типичный ИП",
            "рекламодатель платит",
            "Summer Limited Edition",
            "ИПОТЕКА",
        ] {
            assert!(find(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_page_is_an_address_and_not_a_mail_or_a_sentence() {
        for text in [
            "Реклама. 12storeez.com",
            "https://shop.example.ru/a",
            "сайт ромашка.рф",
        ] {
            assert!(page(text).is_some(), "{text}");
        }
        for text in ["name@example.com", "конец.Начало", "версия 2.0"] {
            assert!(page(text).is_none(), "{text}");
        }
    }
}
