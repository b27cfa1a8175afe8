//! A code that is named: `код ЛЕТО`, `code SARAH10`, a number in a shop's catalogue.

use std::sync::LazyLock;

use regex::Regex;

use super::shape::{compiled, first};
use crate::Hit;

static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r#"(?:^|[^\p{L}\p{N}])((?i:промо-?код|промо|промик|код|купон|promo-?code|promo|code|coupon)(?:\p{Ll}{0,3}|\p{Lu}{0,3})(?:\s+(?:is|на))?[\s:—–«"“-]{1,4}\p{Lu}[\p{Lu}\p{N}_]{2,}|(?i:use|enter|введи\p{L}*|по)\s+[A-ZА-ЯЁ]{3,}[0-9]{1,3}|(?i:введ[ие]\p{L}*|вводи\p{L}*|введё\p{L}*)\s[«"“]?[A-ZА-ЯЁ]{3,}[0-9]{0,3})(?:[^\p{L}]|$)"#,
    ])
});

static ARTICLE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?i)(?:^|[^\p{L}\p{N}])((?:арт(?:икул\p{L}*|\.)?|wb|вб|ozon|озон\p{L}?)[\s:№—–.-]{1,4}[0-9]{5,12})(?:[^\p{N}]|$)",
    ])
});

/// A number in the catalogue of a shop.
pub(super) fn article(text: &str) -> Option<Hit> {
    first(&ARTICLE, text, "article")
}

/// The word and the name in capitals behind it.
pub(super) fn named(text: &str) -> Option<Hit> {
    first(&NAMED, text, "code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_name_in_capitals() {
        for text in [
            "по коду ЛЕТО20",
            "код «АННА» на сайте",
            "КОД: BLESK",
            "code SARAH",
            "купон на SALE10",
            "use MIA20",
        ] {
            assert!(named(text).is_some(), "{text}");
        }
        for text in [
            "код ошибки",
            "Code is poetry",
            "кодекс РФ",
            "QR-код",
            "ПРОМОКОД",
            "",
        ] {
            assert!(named(text).is_none(), "{text}");
        }
        for text in ["WB 12345678", "арт. 99887766", "Артикул: 184223901"] {
            assert!(article(text).is_some(), "{text}");
        }
        for text in ["арт 12", "старт 123456", "артикль"] {
            assert!(article(text).is_none(), "{text}");
        }
    }
}
