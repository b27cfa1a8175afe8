//! The environment, read once: process variables first, then `.env` for what is not set.

use std::path::Path;

use shared_domain::Settings;

/// `.env` exists but cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(".env cannot be read: {0}")]
pub struct EnvError(#[from] dotenvy::Error);

/// A snapshot of the process environment and of `.env` in the working directory.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub fn environment() -> Result<Settings, EnvError> {
    let mut settings: Settings = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    if Path::new(".env").is_file() {
        for pair in dotenvy::from_filename_iter(".env")? {
            let (name, value) = pair?;
            settings.set_default(&name, value);
        }
    }
    Ok(settings)
}
