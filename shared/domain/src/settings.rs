//! Settings: a snapshot of names and values, read so that *all* faults are reported at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::str::FromStr;

use secrecy::SecretString;

/// A snapshot of the environment (and `.env`), taken once at the start.
#[derive(Clone, Default)]
pub struct Settings(BTreeMap<String, String>);

/// One missing or malformed setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting's name.
    pub name: String,
    /// What is wrong and what to do; never the value of a secret.
    pub text: String,
}

/// Everything that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError(pub Vec<Problem>);

impl Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "settings to mend:")?;
        self.0
            .iter()
            .try_for_each(|p| write!(f, "\n  {}: {}", p.name, p.text))
    }
}

impl std::error::Error for SettingsError {}

impl fmt::Debug for Settings {
    /// Names only: values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    /// The value, unless it is absent or blank.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// Sets a value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets a value that nobody has set.
    pub fn set_default(&mut self, name: &str, value: impl Into<String>) {
        if self.find(name).is_none() {
            self.set(name, value);
        }
    }

    /// Starts reading; `Reader::finish` tells what was wrong.
    pub fn reader(&self) -> Reader<'_> {
        Reader {
            settings: self,
            problems: RefCell::default(),
        }
    }
}

impl FromIterator<(String, String)> for Settings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Reads settings and collects what is wrong with them.
#[derive(Debug)]
pub struct Reader<'a> {
    settings: &'a Settings,
    problems: RefCell<Vec<Problem>>,
}

impl Reader<'_> {
    /// The text, if set.
    pub fn find(&self, name: &str) -> Option<String> {
        self.settings.find(name).map(str::to_owned)
    }

    /// The text; its absence is a problem.
    pub fn text(&self, name: &str) -> String {
        self.find(name).unwrap_or_else(|| {
            self.problem(name, "is not set");
            String::new()
        })
    }

    /// The text or its default.
    pub fn text_or(&self, name: &str, default: &str) -> String {
        self.find(name).unwrap_or_else(|| default.to_owned())
    }

    /// A secret; its absence is a problem.
    pub fn secret(&self, name: &str) -> SecretString {
        self.text(name).into()
    }

    /// A secret, if set.
    pub fn find_secret(&self, name: &str) -> Option<SecretString> {
        self.find(name).map(Into::into)
    }

    /// A parsed value or its default; text that does not parse is a problem.
    pub fn parse_or<T: FromStr<Err: Display>>(&self, name: &str, default: T) -> T {
        match self.settings.find(name).map(str::parse) {
            None => default,
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                self.problem(name, &error.to_string());
                default
            }
        }
    }

    /// `1`, `true`, `yes`, `on` or their opposites.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        let Some(value) = self.settings.find(name) else {
            return default;
        };
        match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => true,
            "0" | "false" | "no" | "off" => false,
            _ => {
                self.problem(name, "is neither true nor false");
                default
            }
        }
    }

    /// Comma-separated values, blanks dropped.
    pub fn list(&self, name: &str, default: &str) -> Vec<String> {
        let text = self.text_or(name, default);
        text.split(',')
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A certificate in PEM, if set: the text itself, as platforms hand it out, or the name of a file
    /// with it.
    pub fn find_pem(&self, name: &str) -> Option<Vec<u8>> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        let value = self.find(name)?;
        let pem = match value.trim_start().starts_with(BEGIN) {
            true => Ok(value.into_bytes()),
            false => {
                std::fs::read(&value).map_err(|error| format!("{value} cannot be read: {error}"))
            }
        };
        let checked = pem.and_then(|pem| {
            let is_pem = String::from_utf8_lossy(&pem).contains(BEGIN);
            is_pem
                .then_some(pem)
                .ok_or_else(|| "holds no PEM certificate".to_owned())
        });
        checked.map_err(|text| self.problem(name, &text)).ok()
    }

    /// Notes a problem that only the caller can see.
    pub fn problem(&self, name: &str, text: &str) {
        self.problems.borrow_mut().push(Problem {
            name: name.to_owned(),
            text: text.to_owned(),
        });
    }

    /// Fails with every problem noted so far.
    pub fn finish(self) -> Result<(), SettingsError> {
        let problems = self.problems.into_inner();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(SettingsError(problems))
        }
    }
}
