//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Tells what in a video breaks the law or a platform's rules, before it is published.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// All functions, the page and the API in one process.
    Serve(Serve),
    /// Check video files in the terminal.
    Check(Check),
    /// Bring the database to this version's schema.
    Migrate,
    /// The weights of the local models.
    Models {
        #[command(subcommand)]
        command: Models,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Port of page and API; storage and models take the two above it. 0 takes any.
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Video files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The policy pack to judge by.
    #[arg(long, default_value = "general", value_name = "ID")]
    pub(crate) policy: String,
    /// Folder for the reports.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write the JSON report here as well; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Files to write.
    #[arg(long, value_delimiter = ',', default_values = ["html", "json"])]
    pub(crate) format: Vec<Format>,
    /// Check again what has been checked before.
    #[arg(long)]
    pub(crate) again: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Self-contained page with frames.
    Html,
    /// `compliance-report/1`.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// What there is, where it comes from, under which licence.
    List,
    /// Fetch what is missing, by name and checksum.
    Fetch,
    /// Compare every file with its checksum.
    Verify,
}
