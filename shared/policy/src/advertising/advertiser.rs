//! Who pays: a legal form with a name, a taxpayer's number, or a pointer to either.

use std::sync::LazyLock;

use regex::Regex;

use super::shape::{compiled, first};
use crate::Hit;

const ENTRY: &str = "advertiser";
/// Each with the advertiser in its first group.
static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    // Zeros are read for the letter only before a name in quotation marks: `000 «Ромашка»`, not `3 000 Рублей`.
    let patterns = [
        r#"(?:^|[^\p{L}\p{N}])((?:[ОO]{3}|П?[АA][ОO]|З[АA][ОO]|ИП|НК[ОO]|[АA]Н[ОO]|ЧОУ|НОУ|[АA]НОО|ГУП|МУП|ФГУП|ФГБУ|ФГБОУ|ГБУ|МБУ|КФХ|ФОНД|[СC]амозанят\p{L}+)(?:\s*[«"“„'<]\s*[\p{L}\p{N}]|\s+\p{Lu})[\p{L}\p{N}.&-]*)"#,
        r#"(?:^|[^\p{L}\p{N}])([ОOоo0]{3}\s*[«"“„'<]+\s*[\p{L}\p{N}][\p{L}\p{N}.&-]*)"#,
        r"(?i)((?:обществ\p{L}*\s+с\s+ограниченной\s+ответственностью|индивидуальн\p{L}+\s+предпринимател\p{L}*|акционерн\p{L}+\s+обществ\p{L}*))",
        r"(?:^|[^\p{L}\p{N}])(\p{Lu}[\p{L}\p{N}&.-]+(?:\s+\p{Lu}[\p{L}\p{N}&.-]*){0,3},?\s+(?:LLC|Ltd|Inc|GmbH|Corp|PLC|S\.A|B\.V|N\.V)\b)",
        r#"(?i)(?:^|[^\p{L}\p{N}])((?:рекламодател\p{L}*|advertiser)(?:\s*[:—–-]\s*[«"“„]?|\s*[«"“„])[\p{L}\p{N}][\p{L}\p{N}.&-]*)"#,
        r"((?i:рекламодател\p{L}*|самозанят\p{L}*)\s+\p{Lu}[\p{L}\p{N}.&-]*)",
        r"(?i)((?:информаци\p{L}*|сведени\p{L}*|подробн\p{L}*|данные)\s+об?\s+рекламодател\p{L}*)",
    ];
    compiled(&patterns)
});
/// The label of a taxpayer's number, and the number: ten digits of a company, twelve of a person. What is invented
/// or misread is told from a right one by whoever looks.
static NUMBER: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?i)(?:^|[^\p{L}\p{N}])([иin][нhn][нhn]\D{0,3}[0-9](?:[ ]?[0-9]){9}(?:(?:[ ]?[0-9]){2})?)(?:[^\p{N}]|$)",
    ])
});
/// Behind the word «Реклама»: a legal form and a name in small letters, a page as it is said.
static BESIDE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?i)(?:реклам[аы]|ad|advertisement)[^\p{L}\p{N}]+((?:ооо|оао|зао|пао|ао|ип|чоу|ноу|ано|самозанят\p{L}+|рекламодател\p{L}+|компани[яи]|банк|сервис|магазин|школа|онлайн-школа)\s+«?\p{L}[\p{L}\p{N}-]*)",
        r"(?i)реклам[аы][^\p{L}\p{N}]+((?:[\p{L}\p{N}-]+\s+){1,3}(?:точка\s+)?(?:ру|рф|ком)(?:[^\p{L}]|$))",
    ])
});
/// A number to call, as it is written.
static TELEPHONE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?:^|[^\p{L}\p{N}])((?:\+?7|8)[ (-]{0,2}[0-9]{3}[ )-]{0,2}[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2})(?:[^\p{N}]|$)",
        r"(?:^|[^\p{L}\p{N}])((?:1[ -])?\(?8(?:00|33|44|55|66|77|88)\)?[ -][0-9]{3}[ -][0-9]{4})(?:[^\p{N}]|$)",
    ])
});
/// An address in the internet.
static PAGE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?i)(?:^|[^\p{L}\p{N}@.])((?:https?://)?[\p{L}\p{N}-]{2,}(?:\.[\p{L}\p{N}-]{2,})*\.(?:ru|рф|com|net|org|su|by|kz|io|app|shop|store|online|site|pro|market|info))(?:[^\p{L}\p{N}]|$)",
    ])
});

/// The advertiser, or a pointer to them.
pub(super) fn find(text: &str) -> Option<Hit> {
    first(&NAMED, text, ENTRY).or_else(|| first(&NUMBER, text, ENTRY))
}

/// The address of a page.
pub(super) fn page(text: &str) -> Option<Hit> {
    first(&PAGE, text, ENTRY)
}

/// The advertiser where nothing but the word beside it says so.
pub(super) fn beside(text: &str) -> Option<Hit> {
    first(&BESIDE, text, ENTRY)
}

/// A number to call.
pub(super) fn telephone(text: &str) -> Option<Hit> {
    first(&TELEPHONE, text, ENTRY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taxpayers_number_is_told_by_its_label_and_its_length() {
        for right in [
            "ИНН 7707083893",
            "ИНН: 500100732259",
            "ИНН 77 07 08 38 93",
            "инн 7701234567",
        ] {
            assert!(find(right).is_some(), "{right}");
        }
        for wrong in [
            "7707083893",
            "ИНН 50010073225",
            "тел. 7707083893",
            "ИНН 12345",
            "длинн 7707083893",
        ] {
            assert!(find(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn beside_the_word_a_name_in_small_letters_or_a_page_that_is_said_will_do() {
        for text in [
            "реклама ооо матрас",
            "Реклама, ип иванов",
            "реклама ромашка точка ру",
            "реклама ромашка ру",
        ] {
            assert!(beside(text).is_some(), "{text}");
        }
        for text in [
            "ооо какой вид",
            "реклама закончилась",
            "реклама ругает всех",
        ] {
            assert!(beside(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_telephone_number_is_no_other_number() {
        for text in ["8 800 555-35-35", "+7 (495) 123-45-67", "1-800-555-0199"] {
            assert!(telephone(text).is_some(), "{text}");
        }
        for text in ["7707083893123", "8 800", "2026-11-28", "3 000 000"] {
            assert!(telephone(text).is_none(), "{text}");
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
