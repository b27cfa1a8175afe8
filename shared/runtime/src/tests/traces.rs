//! Ids of traces and videos: taken from the sender, in every line, handed on.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use shared_domain::{Settings, VideoId};
use shared_queue::Queue;
use shared_testing::database;
use tracing::info;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::JsonFields;

use super::event;
use crate::json_line::JsonLine;
use crate::telemetry::{filter, subscriber};
use crate::{
    Classify, Event, FromEvent, Handler, Malformed, Verdict, about, boxed, dispatch, otlp, trace,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SENDER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn only_what_has_the_format_is_a_trace() {
    let good = ["00", "01", "cc"].map(|version| format!("{version}-{TRACE}-00f067aa0ba902b7-01"));
    let later = format!("cc-{TRACE}-00f067aa0ba902b7-00-more");
    for text in good.iter().chain([&later]) {
        let sender = trace::parse(text).expect(text);
        assert_eq!(sender.trace_id().to_string(), TRACE);
        assert!(sender.is_sampled() && sender.is_remote());
    }
    for text in [
        "",
        "00-t",
        &format!("{SENDER}-more"),
        &format!("{SENDER} "),
        &format!("ff-{TRACE}-00f067aa0ba902b7-01"),
        &format!("cc-{TRACE}-00f067aa0ba902b7-01more"),
        &format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
        &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        &format!("00-{TRACE}-{}-01", "0".repeat(16)),
        &format!("00-{TRACE}-00f067aa0ba902b7-+1"),
        &format!("+0-{TRACE}-00f067aa0ba902b7-01"),
        &format!("00_{TRACE}_00f067aa0ba902b7_01"),
        &format!("00-{}\n-00f067aa0ba902b7-01", &TRACE[1..]),
        &format!("00-{TRACE}-00f067aa0ba902b\u{43f}-01"),
        "00-4bf92f3577b34da6a3ce929d0e0e4736' or 1=1 --7-01",
    ] {
        assert_eq!(trace::parse(text), None, "{text:?}");
    }
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl Classify for Never {
    fn verdict(&self) -> Verdict {
        Verdict::Reject
    }
}

struct Anything;

impl FromEvent for Anything {
    fn from_event(_: &Event) -> Result<Self, Malformed> {
        Ok(Self)
    }
}

/// Logs a line, tells what it would hand on, and fails.
struct Teller(Arc<Mutex<Option<String>>>, VideoId);

impl Handler for Teller {
    const NAME: &'static str = "teller";
    const TIMEOUT: Duration = Duration::from_secs(5);
    type Input = Anything;
    type Output = ();
    type Error = Never;

    async fn handle(&self, event: &Event, _: Anything) -> Result<(), Never> {
        about(self.1);
        info!(video.frames = 3, "told");
        *self.0.lock().unwrap() = event.delivery(Self::NAME).trace;
        Err(Never)
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The lines of one event that came with `sender`, and the trace that it hands on.
async fn told(sender: Option<&str>, level: &str) -> (Vec<Value>, String, String) {
    let buffer = Buffer::default();
    let writer = buffer.clone();
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(JsonLine)
        .with_writer(move || writer.clone())
        .with_filter(filter(level))
        .boxed();
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let database = database().await;
    let queue = Queue::new(database.store().await);
    // From here on: what the making of a database has to say is no line of the event.
    let _listening =
        tracing::subscriber::set_default(subscriber(&provider, lines, LevelFilter::ERROR));

    let (handed_on, video_id) = (Arc::default(), queue.store().fresh());
    let handler = boxed(Teller(Arc::clone(&handed_on), video_id));
    let event = Event {
        trace: sender.map(str::to_owned),
        ..event("{}")
    };
    dispatch(handler.as_ref(), &event, &queue).await;
    let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let handed_on = handed_on.lock().unwrap().clone().expect("a trace");
    (lines.collect(), handed_on, video_id.to_string())
}

#[tokio::test]
async fn every_line_names_the_video_and_the_trace_that_is_handed_on() {
    let (lines, handed_on, video) = told(Some(SENDER), "info").await;
    let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(messages, ["told", "teller ended with reject: never"]);
    for line in &lines {
        assert_eq!(line["video.id"], video.as_str(), "{line}");
        assert_eq!(line["trace_id"], TRACE, "{line}");
        let span = line["span_id"].as_str().unwrap();
        assert_eq!(handed_on, format!("00-{TRACE}-{span}-01"));
        assert!(!SENDER.contains(span), "a span of its own");
        assert_eq!(
            (&line["handler"], &line["event.id"]),
            (&"teller".into(), &"e".into())
        );
        assert!(
            line["timestamp"].is_string() && line["target"].is_string(),
            "{line}"
        );
        assert!(
            line.as_object()
                .unwrap()
                .keys()
                .all(|name| !name.starts_with("otel."))
        );
    }
    assert_eq!(
        (&lines[0]["level"], &lines[0]["video.frames"]),
        (&"INFO".into(), &3.into())
    );
}

#[tokio::test]
async fn a_log_of_warnings_has_the_ids_as_well() {
    let (lines, handed_on, video) = told(Some(SENDER), "warn").await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["video.id"], video.as_str());
    assert!(handed_on.contains(TRACE));
}

#[tokio::test]
async fn a_sender_without_a_trace_or_with_none_that_counts_begins_one() {
    let mut traces = Vec::new();
    for sender in [None, Some(""), Some("00-t"), Some("x\r\nset-cookie: a=b")] {
        let (lines, handed_on, _) = told(sender, "info").await;
        let begun = trace::parse(&handed_on)
            .expect("a trace")
            .trace_id()
            .to_string();
        assert_eq!(lines[0]["trace_id"], begun.as_str());
        traces.push(begun);
    }
    traces.sort();
    traces.dedup();
    assert_eq!(traces.len(), 4, "each its own");
}

#[test]
fn the_collectors_address_is_checked_and_never_repeated() {
    let at = |text: &str| {
        let mut settings = Settings::default();
        settings.set("OTEL_EXPORTER_OTLP_ENDPOINT", text);
        let reader = settings.reader();
        let url = otlp::endpoint(&reader).map(String::from);
        (url, reader.finish().err().map(|error| error.to_string()))
    };
    for (text, url) in [
        ("http://localhost:4318", "http://localhost:4318/v1/traces"),
        (
            "https://a:b@otlp.example/otlp/",
            "https://a:b@otlp.example/otlp/v1/traces",
        ),
    ] {
        assert_eq!(at(text), (Some(url.to_owned()), None));
    }
    assert_eq!(at(""), (None, None));
    for text in ["localhost:4318", "grpc://canary:4317", "canary"] {
        let (url, told) = at(text);
        assert_eq!(url, None, "{text}");
        let told = told.expect(text);
        assert!(told.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !told.contains("canary"));
    }
}
