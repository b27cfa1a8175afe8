//! The command line.

mod judging;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Parser, Subcommand, ValueEnum};
use shared_domain::Lang;
use shared_exports::Format;
use uuid::Uuid;

use crate::doctor::Deploy;

pub(crate) use judging::{Policy, Rescore};

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
    /// Turn a report into a file for an editing program, a player or a person.
    Export(Export),
    /// Bring the database to this version's schema.
    Migrate,
    /// Add an administrator and show the password, once.
    #[command(name = "createsuperuser")]
    CreateSuperuser(CreateSuperuser),
    /// Send a mail to ADDR and say what became of it.
    SendTestEmail(SendTestEmail),
    /// What is wrong with this machine or, with --deploy, with a deployment, and what to do about it.
    Doctor(Doctor),
    /// The weights of the local models.
    Models {
        #[command(subcommand)]
        command: Models,
    },
    /// What waits between the functions, and what was given up.
    Queue {
        #[command(subcommand)]
        command: Queue,
    },
    /// The packs by which videos are judged.
    Policy {
        #[command(subcommand)]
        command: Policy,
    },
    /// Judge stored evidence anew; no model is asked. Ends with 2 when a video could not be judged.
    Rescore(Rescore),
}

impl Command {
    /// Whether a platform reads the log, and no person.
    pub(crate) fn is_deployed(&self) -> bool {
        match self {
            Self::Serve(serve) => !serve.only.is_empty(),
            Self::Worker(_) | Self::Cleanup => true,
            _ => false,
        }
    }

    /// Whether what it prints is read by a person who asked for it, and no log.
    pub(crate) fn is_quiet(&self) -> bool {
        let asked = matches!(
            self,
            Self::Policy { .. } | Self::Rescore(_) | Self::Export(_)
        );
        asked || matches!(self, Self::Check(_) | Self::Doctor(_))
    }
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
pub(crate) struct CreateSuperuser {
    /// The mail address to sign in with.
    #[arg(value_name = "EMAIL")]
    pub(crate) email: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Video files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The policy pack to judge by.
    #[arg(long, default_value = "general", value_name = "ID", value_parser = shared_policy::SHIPPED)]
    pub(crate) policy: String,
    /// Folder for the reports.
    #[arg(long, default_value = "out", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Write the JSON report here as well, several files as an array; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Files to write.
    #[arg(long, value_delimiter = ',', default_values = [HTML, JSON, "csv", "edl"], value_parser = check_formats())]
    pub(crate) format: Vec<String>,
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

/// Format of `check`: a self-contained page with frames.
pub(crate) const HTML: &str = "html";
/// Format of `check`: `compliance-report/1`.
pub(crate) const JSON: &str = "json";
/// Format of `export`: the video without the words that were found.
pub(crate) const BLEEP: &str = "bleep";

fn formats() -> impl Iterator<Item = PossibleValue> {
    let told = |format: &Format| PossibleValue::new(format.name).help(format.title(Lang::En));
    Format::ALL.iter().map(told)
}

fn check_formats() -> PossibleValuesParser {
    let html = PossibleValue::new(HTML).help("Self-contained page with frames");
    let json = PossibleValue::new(JSON).help("compliance-report/1");
    [html, json]
        .into_iter()
        .chain(formats())
        .collect::<Vec<_>>()
        .into()
}

fn export_formats() -> PossibleValuesParser {
    let bleep = PossibleValue::new(BLEEP).help("The video and its sound, found words covered");
    formats().chain([bleep]).collect::<Vec<_>>().into()
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The report, as `check` writes it.
    #[arg(value_name = "REPORT.json")]
    pub(crate) report: PathBuf,
    /// What to write.
    #[arg(long, value_parser = export_formats())]
    pub(crate) format: String,
    /// Where to; the default is a name beside the report. Of `bleep`, the video; its sound lies beside it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The video that was checked, for `bleep`.
    #[arg(long, value_name = "FILE", required_if_eq("format", BLEEP))]
    pub(crate) media: Option<PathBuf>,
    /// Silence over the words instead of a tone.
    #[arg(long, requires = "media")]
    pub(crate) silence: bool,
    /// Only the risks of these categories, `profanity,insult`.
    #[arg(long, value_delimiter = ',', value_name = "CODE")]
    pub(crate) category: Vec<String>,
    /// The studio's logo for the PDF, PNG or JPEG.
    #[arg(long, value_name = "FILE")]
    pub(crate) logo: Option<PathBuf>,
    /// Language of the file; the default is the system's.
    #[arg(long, value_parser = ["ru", "en"], value_name = "ru|en")]
    pub(crate) lang: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SendTestEmail {
    /// To whom.
    #[arg(value_name = "ADDR")]
    pub(crate) address: String,
}

/// Ends with 0, or 1 when something has to be mended, 2 when something could not be looked at.
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// The checklist of a deployment.
    #[arg(long)]
    pub(crate) deploy: bool,
    /// Only these lines of it.
    #[arg(value_name = "NAME", requires = "deploy")]
    pub(crate) names: Vec<Deploy>,
    /// Set the bucket's CORS, lifecycle and notification rules where they are wrong, then look.
    #[arg(long, requires = "deploy")]
    pub(crate) fix: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
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

#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// How many events wait, are due later, run and were given up, per function.
    Status {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// What was given up, the latest first.
    Dead {
        /// Print JSON, with whole reasons.
        #[arg(long)]
        json: bool,
    },
    /// Start what was given up again; ends with 1 when something cannot be.
    Retry(Retry),
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Retry {
    /// The entry, as `queue dead` lists it.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<Uuid>,
    /// Everything that was given up.
    #[arg(long)]
    pub(crate) all: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files whose commands are run by a platform or by a reader, and how many there are at least.
    const COMMANDED: &[(&str, usize)] = &[
        (".do/app.yaml", 4),
        (".do/split.yaml", 11),
        ("infra/docker/Dockerfile", 1),
        ("infra/docker/compose.yaml", 3),
        ("infra/DEPLOYMENT.md", 3),
        ("infra/DEPLOYMENT.ru.md", 3),
    ];

    /// Command lines of a text: JSON arrays of Docker and what follows the program's name in a line.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let mut found = Vec::new();
        for line in text.lines() {
            let array = line
                .find(r#"["compliance""#)
                .map(|start| serde_json::Deserializer::from_str(&line[start..]).into_iter());
            if let Some(words) = array.and_then(|mut arrays| arrays.next()) {
                found.push(words.unwrap());
                continue;
            }
            // Behind a blank or a quotation mark; in prose a command stands in backticks.
            let code = line
                .split('`')
                .enumerate()
                .filter(|(index, _)| line.matches('`').count() == 0 || index % 2 == 1);
            for (_, code) in code {
                for (start, name) in code.match_indices("compliance ") {
                    let before = code[..start].chars().next_back();
                    let after = code[start + name.len()..].chars().next();
                    let is_command = after.is_some_and(|c| c.is_ascii_lowercase());
                    if is_command && before.is_none_or(|c| c == ' ' || c == '"') {
                        let end = code[start + name.len()..].find([';', '"', '#', '|', '>']);
                        let end = end.map_or(code.len(), |end| start + name.len() + end);
                        found.push(
                            code[start..end]
                                .split_whitespace()
                                .map(str::to_owned)
                                .collect(),
                        );
                    }
                }
            }
        }
        found
    }

    #[test]
    fn every_command_of_the_deployment_is_one_of_ours() {
        for (file, least) in COMMANDED {
            let path = format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"));
            let found = commands(&std::fs::read_to_string(path).unwrap());
            assert!(found.len() >= *least, "{file}: {found:?}");
            for command in found {
                let parsed = Args::try_parse_from(&command);
                assert!(parsed.is_ok(), "{file}: {command:?}: {:?}", parsed.err());
            }
        }
    }

    #[test]
    fn a_retry_names_one_entry_or_all() {
        let parse = |args: &[&str]| {
            let line = ["compliance", "queue", "retry"].iter().chain(args).copied();
            Args::try_parse_from(line).map_err(|error| error.exit_code())
        };
        let id = "018f0000-0000-7000-8000-000000000001";
        assert!(parse(&[id]).is_ok());
        assert!(parse(&["--all"]).is_ok());
        for wrong in [&[][..], &[id, "--all"], &["7"]] {
            assert_eq!(parse(wrong).err(), Some(2), "{wrong:?}");
        }
    }

    #[test]
    fn commands_are_found_where_they_stand() {
        let text = concat!(
            "    run_command: compliance worker send-email\n",
            "    command: [\"compliance\", \"migrate\"]\n",
            "    command: [\"bash\", \"-c\", \"while :; do compliance cleanup; sleep 60; done\"]\n",
            "Then `compliance doctors` and `ai-compliance-agent`; the compliance agent is no command.\n",
        );
        let found = commands(text);
        let lines: Vec<String> = found.iter().map(|words| words.join(" ")).collect();
        let expected = [
            "compliance worker send-email",
            "compliance migrate",
            "compliance cleanup",
            "compliance doctors",
        ];
        assert_eq!(lines, expected);
        assert!(Args::try_parse_from(&found[3]).is_err());
    }

    #[test]
    fn an_unknown_policy_is_refused_with_the_list() {
        let line = ["compliance", "check", "a.mp4", "--policy", "strict"];
        let error = Args::try_parse_from(line).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("general"), "{error}");
    }
}
