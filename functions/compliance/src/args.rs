//! The command line.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

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
    /// All functions, the page and the API in one process; or the doors of some.
    Serve(Serve),
    /// Functions without their doors, fed by the queue.
    Worker(Worker),
    /// One sweep: expire, look for what was lost, delete.
    Cleanup,
    /// Check video files in the terminal.
    Check(Check),
    /// Bring the database to this version's schema.
    Migrate,
    /// Send a mail to ADDR and say what became of it.
    SendTestEmail(SendTestEmail),
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
    /// Only the doors of these functions; database, storage and models are then elsewhere.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<Door>,
    /// Address to listen at; the default is HOST, or 127.0.0.1.
    #[arg(long, requires = "only", value_name = "IP")]
    pub(crate) host: Option<IpAddr>,
}

/// A function that answers requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Door {
    Console,
    UploadSignedUrl,
    OnUpload,
    ReplicateWebhook,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Worker {
    /// The functions; all that the queue feeds when none is named.
    #[arg(value_name = "NAME", default_values = ["on-upload", "frame-extract", "replicate-webhook", "report-finalize", "send-email"])]
    pub(crate) names: Vec<Function>,
    /// Events of one function at a time.
    #[arg(long, default_value = "1", value_name = "N")]
    pub(crate) concurrency: NonZeroUsize,
}

/// A function that the queue feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Function {
    OnUpload,
    FrameExtract,
    ReplicateWebhook,
    ReportFinalize,
    SendEmail,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Video files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The policy pack to judge by; there is one.
    #[arg(long, default_value = "general", value_name = "ID", value_parser = ["general"])]
    pub(crate) policy: String,
    /// Folder for the reports.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write the JSON report here as well, several files as an array; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Files to write.
    #[arg(long, value_delimiter = ',', default_values = ["html", "json"])]
    pub(crate) format: Vec<Format>,
    /// Port of the doors, storage one above it; 0 takes any. For models that run elsewhere.
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// Check again what has been checked before.
    #[arg(long)]
    pub(crate) again: bool,
}

impl Check {
    /// Standard output belongs to the JSON.
    pub(crate) fn json_is_output(&self) -> bool {
        self.json.as_deref() == Some(Path::new("-"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Self-contained page with frames.
    Html,
    /// `compliance-report/1`.
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SendTestEmail {
    /// To whom.
    #[arg(value_name = "ADDR")]
    pub(crate) address: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_deployment_is_one_of_ours() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.do/app.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        let commands: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("run_command: "))
            .collect();
        assert!(commands.len() >= 4, "{commands:?}");
        for command in commands {
            let parsed = Args::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{command}: {:?}", parsed.err());
        }
    }

    #[test]
    fn an_unknown_policy_is_refused_with_the_list() {
        let line = ["compliance", "check", "a.mp4", "--policy", "strict"];
        let error = Args::try_parse_from(line).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("general"), "{error}");
    }
}
