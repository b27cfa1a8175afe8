//! The environment, read once: process variables first, then `.env` for what is not set.

use std::path::Path;

use shared_domain::Settings;

/// `.env` exists but cannot be read. A line that is malformed is not repeated: it may hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum EnvError {
    /// The file cannot be opened.
    #[error(".env cannot be read: {0}")]
    File(std::io::Error),
    /// A line is not `NAME=value`.
    #[error(
        ".env cannot be read: the line after {0} is not NAME=value; a value with blanks or # stands in \
         quotes"
    )]
    Line(String),
}

/// A snapshot of the process environment and of `.env` in the working directory.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub fn environment() -> Result<Settings, EnvError> {
    let mut settings: Settings = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let file = Path::new(".env");
    if file.is_file() {
        for (name, value) in pairs(file)? {
            settings.set_default(&name, value);
        }
    }
    Ok(settings)
}

/// What a file such as `.env` sets; nothing where there is none.
pub fn env_file(file: &Path) -> Result<Settings, EnvError> {
    if !file.is_file() {
        return Ok(Settings::default());
    }
    Ok(pairs(file)?.into_iter().collect())
}

fn pairs(file: &Path) -> Result<Vec<(String, String)>, EnvError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in dotenvy::from_path_iter(file).map_err(|error| refusal(error, &[]))? {
        let pair = pair.map_err(|error| refusal(error, &pairs))?;
        pairs.push(pair);
    }
    Ok(pairs)
}

fn refusal(error: dotenvy::Error, before: &[(String, String)]) -> EnvError {
    match error {
        dotenvy::Error::Io(error) => EnvError::File(error),
        _ => EnvError::Line(
            before
                .last()
                .map_or_else(|| "the start".to_owned(), |(name, _)| name.clone()),
        ),
    }
}
