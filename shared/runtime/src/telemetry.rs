//! Logs go to stderr: stdout belongs to the host.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    #[default]
    Json,
    /// For a person at a terminal.
    Plain,
}

/// Starts logging at `level` (`LOG_LEVEL`: `info`, or a filter such as `warn,frame_extract=debug`).
///
/// A second call in one process changes nothing.
pub fn start_logging(level: &str, format: LogFormat) {
    let filter =
        EnvFilter::try_new(level.to_lowercase()).unwrap_or_else(|_| EnvFilter::new("info"));
    let writer = BoxMakeWriter::new(std::io::stderr);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer);
    // The error is only that a subscriber is set already.
    let _ = match format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Plain => builder.with_target(false).compact().try_init(),
    };
}
