//! What a check has found, in both languages.

use shared_domain::{Lang, SettingsError};

/// How a check ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing to do.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// It has to be mended.
    Fail,
    /// It could not be looked at.
    NotChecked,
}

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::NotChecked => "not-checked",
        }
    }

    pub(crate) fn sign(self) -> char {
        match self {
            Self::Ok => '✓',
            Self::Warn => '!',
            Self::Fail => '✗',
            Self::NotChecked => '?',
        }
    }
}

/// One sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) ru: String,
    pub(crate) en: String,
}

impl Said {
    pub(crate) fn new(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            ru: ru.into(),
            en: en.into(),
        }
    }

    pub(crate) fn pick(&self, lang: Lang) -> &str {
        lang.pick(&self.ru, &self.en)
    }
}

/// What is so, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) state: State,
    pub(crate) said: Said,
}

impl Finding {
    pub(crate) fn ok(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(State::Ok, ru, en)
    }

    pub(crate) fn warn(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(State::Warn, ru, en)
    }

    pub(crate) fn fail(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(State::Fail, ru, en)
    }

    pub(crate) fn not_checked(ru: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(State::NotChecked, ru, en)
    }

    pub(crate) fn new(state: State, ru: impl Into<String>, en: impl Into<String>) -> Self {
        let said = Said::new(ru, en);
        Self { state, said }
    }

    /// Settings that are missing or malformed, by their names.
    pub(crate) fn settings(error: &SettingsError) -> Self {
        let named = error.0.iter().map(|p| format!("{} {}", p.name, p.text));
        let named = named.collect::<Vec<_>>().join("; ");
        Self::fail(
            format!("исправьте настройки: {named}"),
            format!("mend the settings: {named}"),
        )
    }
}
