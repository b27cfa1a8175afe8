//! The two languages in which people are spoken to.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Interface and mail language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Russian.
    Ru,
    /// English.
    #[default]
    En,
}

impl Lang {
    /// `ru` or `en`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The text of this language.
    pub fn pick<'a>(self, ru: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ru => ru,
            Self::En => en,
        }
    }
}

impl FromStr for Lang {
    type Err = std::convert::Infallible;

    /// Anything that starts with `ru` (`ru`, `ru_RU.UTF-8`, `ru-RU,en;q=0.8`) is Russian, the rest English.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ru = text
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("ru"));
        Ok(if ru { Self::Ru } else { Self::En })
    }
}
