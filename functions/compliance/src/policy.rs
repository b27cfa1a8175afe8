//! `compliance policy`: what is a risk, and why.

mod try_text;
mod words;

use std::process::ExitCode;

use clap::Subcommand;
use shared_domain::Settings;

use try_text::TryText;
use words::Words;

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// What the lists of words and the detector of advertising find in a text, and why.
    Try(TryText),
    /// The words that a project permits or forbids.
    Words(Words),
}

pub(crate) async fn policy(settings: &Settings, command: &Policy) -> anyhow::Result<ExitCode> {
    match command {
        Policy::Try(text) => try_text::try_text(settings, text).await,
        Policy::Words(words) => words::words(settings, words).await,
    }
}
