//! Logs go to stderr: stdout belongs to the host.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::log_line::CutLines;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// For a person at a terminal.
    Plain,
}

/// Libraries that tell whole requests below `info`: signed URLs, headers with tokens, mails.
const INDISCREET: [&str; 14] = [
    "s3s",
    "s3s_fs",
    "hyper",
    "hyper_util",
    "h2",
    "reqwest",
    "tower_http",
    "aws_sdk_s3",
    "aws_sdk_sqs",
    "aws_sigv4",
    "aws_runtime",
    "aws_smithy_runtime",
    "aws_smithy_http_client",
    "lettre",
];

/// Starts logging at `level` (`LOG_LEVEL`: `info`, or a filter such as `warn,frame_extract=debug`).
///
/// A second call in one process changes nothing.
pub fn start_logging(level: &str, format: LogFormat) {
    let writer = BoxMakeWriter::new(CutLines::stderr);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_writer(writer);
    // The error is only that a subscriber is set already.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Plain => builder.with_target(false).compact().try_init(),
    };
}

/// `debug` is for our own code; who wants to hear a library names it.
pub(crate) fn filter(level: &str) -> EnvFilter {
    let level = level.to_lowercase();
    let asked = EnvFilter::try_new(&level).unwrap_or_else(|_| EnvFilter::new("info"));
    let quiet = asked
        .max_level_hint()
        .is_some_and(|most| most <= LevelFilter::INFO);
    if quiet {
        return asked;
    }
    let discreet = INDISCREET
        .map(|library| format!("{library}=info,"))
        .concat();
    // Of two directives about one target the later one counts.
    EnvFilter::try_new(format!("{discreet}{level}")).unwrap_or(asked)
}
