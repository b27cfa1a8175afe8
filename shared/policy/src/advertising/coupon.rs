//! A code that is named: `код ЛЕТО`, `code SARAH10`.

use std::sync::LazyLock;

use regex::Regex;

use crate::{Hit, How};

static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?:^|[^\p{L}\p{N}])((?i:промо-?код|промо|промик|код|купон|promo-?code|promo|code|coupon)(?:\p{Ll}{0,3}|\p{Lu}{0,3})(?:\s+(?:is|на))?\s*[:—–-]?\s*[«"“]?\p{Lu}[\p{Lu}\p{N}_]{2,}|(?i:use|enter|введи\p{L}*|по)\s+[A-ZА-ЯЁ]{3,}[0-9]{1,3})(?:[^\p{L}]|$)"#,
    )
    .ok()
});

/// The word and the name in capitals behind it.
pub(super) fn named(text: &str) -> Option<Hit> {
    let found = NAMED.as_ref()?.captures(text)?.get(1)?;
    Some(Hit {
        entry: "code".into(),
        start: found.start(),
        end: found.end(),
        how: How::Plain,
    })
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
        for text in ["код ошибки", "Code is poetry", "кодекс РФ", "QR-код", ""]
        {
            assert!(named(text).is_none(), "{text}");
        }
    }
}
