//! Logs go to stderr: stdout belongs to the host. Spans give every line its ids, and go to a collector
//! where `OTEL_EXPORTER_OTLP_ENDPOINT` names one.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use shared_domain::Settings;
use tokio::runtime::Handle;
use tracing::Metadata;
use tracing::field::Field;
use tracing_subscriber::filter::{FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::fmt::format::{JsonFields, Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt::layer};

use crate::json_line::JsonLine;
use crate::log_line::CutLines;
use crate::otlp;

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

/// Crates whose spans are exported: our own, whose fields hold no secrets.
const OURS: [&str; 4] = ["shared_", "inference", "on_upload", "send_email"];
/// How long the spans that wait may hold up a frozen function or the end of the process.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The spans of this process that leave it.
static EXPORTED: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Logs and traces of the process. At its end, and while the runtime is there, it sends what waits.
#[derive(Debug)]
#[must_use = "what waits is sent when this is dropped"]
pub struct Telemetry(SdkTracerProvider);

impl Telemetry {
    /// Starts logging at `level` (`LOG_LEVEL`: `info`, or a filter such as `warn,frame_extract=debug`) and
    /// tracing as the settings say. A malformed address of the collector is reported by `Shared::connect`.
    ///
    /// A second call in one process changes nothing.
    pub fn start(settings: &Settings, level: &str, format: LogFormat, runtime: &Handle) -> Self {
        let exporter = otlp::exporter(settings, runtime);
        let seen = match exporter {
            Some(_) => LevelFilter::DEBUG,
            // Spans of events give the log its ids; nobody would see the others.
            None => LevelFilter::ERROR,
        };
        let (exports, provider) = (exporter.is_some(), provider(exporter));
        if subscriber(&provider, lines(level, format), seen)
            .try_init()
            .is_ok()
            && exports
        {
            // Set once, as the subscriber is.
            let _ = EXPORTED.set(provider.clone());
        }
        Self(provider)
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // What could not be sent by now is lost, as it is while the collector is away.
        let _ = self.0.shutdown_with_timeout(LAST_WORDS);
    }
}

/// Sends what waits, before a platform freezes the process.
pub(crate) async fn flush() {
    if let Some(provider) = EXPORTED.get() {
        let flushing = tokio::task::spawn_blocking(|| provider.force_flush());
        drop(tokio::time::timeout(LAST_WORDS, flushing).await);
    }
}

/// Without an exporter ids are made all the same.
fn provider(exporter: Option<SpanExporter>) -> SdkTracerProvider {
    let builder = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(
            Resource::builder_empty()
                .with_service_name(program())
                .build(),
        );
    match exporter {
        Some(exporter) => builder.with_batch_exporter(exporter).build(),
        None => builder.build(),
    }
}

/// `frame-extract`, `compliance`: the binary's name.
fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_ref().and_then(|path| path.file_name());
    name.map_or_else(
        || "compliance".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// What all lines and spans of the process go through.
pub(crate) fn subscriber(
    provider: &SdkTracerProvider,
    lines: Lines,
    seen: LevelFilter,
) -> impl tracing::Subscriber + Send + Sync + 'static {
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("compliance"))
        .with_location(false)
        // Nothing here asks OpenTelemetry for the span at hand; tracing is asked.
        .with_context_activation(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(ours(seen));
    tracing_subscriber::registry().with(lines).with(spans)
}

fn ours(seen: LevelFilter) -> FilterFn<impl Fn(&Metadata<'_>) -> bool> {
    let ours = filter_fn(move |metadata: &Metadata<'_>| {
        let target = metadata.target();
        metadata.is_span()
            && *metadata.level() <= seen
            && OURS.iter().any(|name| target.starts_with(name))
    });
    ours.with_max_level_hint(seen)
}

/// What writes the log.
pub(crate) type Lines = Box<dyn Layer<Registry> + Send + Sync>;

fn lines(level: &str, format: LogFormat) -> Lines {
    match format {
        LogFormat::Json => layer()
            .fmt_fields(JsonFields::new())
            .event_format(JsonLine)
            .with_ansi(false)
            .with_writer(CutLines::stderr)
            .with_filter(filter(level))
            .boxed(),
        LogFormat::Plain => layer()
            .compact()
            .with_target(false)
            .fmt_fields(debug_fn(readable))
            .with_writer(CutLines::stderr)
            .with_filter(filter(level))
            .boxed(),
    }
}

/// A person at a terminal follows one process: ids that lead to others are left out.
fn readable(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => write!(writer, "{value:?}"),
        "trace_id" | "span_id" => Ok(()),
        name if name.starts_with("otel.") => Ok(()),
        name => write!(writer, " {name}={value:?}"),
    }
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
