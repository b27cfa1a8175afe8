//! Prices in figures: `−30%`, `999 ₽`, `$10`.

use std::sync::LazyLock;

use regex::Regex;

use super::shape::{compiled, first};
use crate::Hit;

static OFF: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?i)(?:^|[^\p{L}\p{N}])((?:[-−–—]\s?|минус\s+)[0-9]{1,2}\s?(?:%|процент\p{L}*)|[0-9]{1,2}\s?(?:%|процент\p{L}*)\s+(?:off|скидк\p{L}*|дешевле|долой)|[$€£][0-9]{1,4}\s+off|[-−–][0-9 ]{2,7}(?:₽|р(?:уб\p{L}*)?\.?))(?:[^\p{L}]|$)",
    ])
});
static PRICE: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    compiled(&[
        r"(?i)(?:^|[^\p{L}\p{N}])([0-9][0-9 ]{0,9}(?:₽|руб(?:\.|л\p{L}*)?|р\.)|[0-9]+\s(?:млн|тыс)\p{L}*\.?\s(?:₽|руб\p{L}*)|[$€£]\s?[0-9]{1,5})(?:[^\p{L}]|$)",
    ])
});

/// By how much it is cheaper.
pub(super) fn off(text: &str) -> Option<Hit> {
    first(&OFF, text, "discount")
}

/// What it costs.
pub(super) fn named(text: &str) -> Option<Hit> {
    first(&PRICE, text, "price")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_and_a_price_are_told_from_other_figures() {
        for text in [
            "−30%",
            "код −10 %",
            "15% off",
            "$20 OFF",
            "минус 30 процентов",
            "-500 ₽",
        ] {
            assert!(off(text).is_some(), "{text}");
        }
        for text in ["инфляция 8%", "2026-11-28", "A-55", "5 процентов"] {
            assert!(off(text).is_none(), "{text}");
        }
        for text in [
            "за 999 ₽",
            "1 500 руб.",
            "300 рублей",
            "$9",
            "от 3 млн рублей",
        ] {
            assert!(named(text).is_some(), "{text}");
        }
        for text in ["999", "12 рубак", "ул. 5"] {
            assert!(named(text).is_none(), "{text}");
        }
    }
}
