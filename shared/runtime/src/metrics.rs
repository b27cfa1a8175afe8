//! What this process has done, counted for Prometheus. Like the log it is the process's and no
//! handler's, so that it stands in a static.
//!
//! Labels are bounded: names of functions and the three verdicts.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use shared_store::OutboxFigures;

use crate::Verdict;

/// From a webhook to a film of two hours, in seconds.
const BUCKETS: [f64; 12] = [
    0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0,
];

struct Metrics {
    registry: Registry,
    events: IntCounterVec,
    duration: HistogramVec,
}

static METRICS: LazyLock<Metrics> = LazyLock::new(|| {
    let registry = Registry::new();
    let events = Opts::new(
        "handler_events_total",
        "Events that a function has worked on, by how they ended.",
    );
    let duration = HistogramOpts::new(
        "handler_duration_seconds",
        "How long a function worked on one event.",
    );
    let duration = duration.buckets(BUCKETS.to_vec());
    Metrics {
        events: known(
            &registry,
            IntCounterVec::new(events, &["handler", "verdict"]),
        ),
        duration: known(&registry, HistogramVec::new(duration, &["handler"])),
        registry,
    }
});

#[expect(
    clippy::expect_used,
    reason = "names and labels are constants; each registry is made once for each name"
)]
fn known<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("a valid metric");
    let registered = registry.register(Box::new(collector.clone()));
    registered.expect("a metric of another name");
    collector
}

/// A function is served here: its counters begin at zero.
pub(crate) fn expect(handler: &'static str) {
    METRICS.duration.with_label_values(&[handler]);
    for verdict in [Verdict::Done, Verdict::RETRY, Verdict::Reject] {
        METRICS
            .events
            .with_label_values(&[handler, verdict.as_str()]);
    }
}

/// An event has ended.
pub(crate) fn count(handler: &'static str, verdict: Verdict, took: Duration) {
    let labels = [handler, verdict.as_str()];
    METRICS.events.with_label_values(&labels).inc();
    let duration = METRICS.duration.with_label_values(&[handler]);
    duration.observe(took.as_secs_f64());
}

/// Everything in Prometheus's text format. What the database cannot tell now is left out: a zero
/// would be a lie.
pub(crate) fn text(outbox: Option<OutboxFigures>) -> String {
    let mut families = METRICS.registry.gather();
    if let Some(outbox) = outbox {
        families.extend(gauges(&outbox).gather());
    }
    let mut text = String::new();
    // Writing to memory, of metrics that were registered, does not fail.
    let _ = TextEncoder::new().encode_utf8(&families, &mut text);
    text
}

fn gauges(outbox: &OutboxFigures) -> Registry {
    let registry = Registry::new();
    let count = |name, help| known(&registry, IntGauge::new(name, help));
    count(
        "outbox_unsent",
        "Messages that were not handed to the transport yet.",
    )
    .set(outbox.unsent);
    count("dead_letters", "Events that were given up.").set(outbox.dead);
    let age = Gauge::new(
        "outbox_oldest_age_seconds",
        "How long the oldest unfinished message has been due.",
    );
    known(&registry, age).set(outbox.oldest_age.as_secs_f64());
    registry
}
