//! The shell that all hosts share: span, decoding, time limit, panics, verdict, one log line.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use http::StatusCode;
use shared_domain::{Lang, VideoId};
use shared_queue::Queue;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span, debug, error_span, warn};

use crate::{
    AnyHandler, Classify, Event, Malformed, Problem, Reply, Response, Source, Verdict, causes,
    metrics, trace,
};

/// How one event ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What the host does with the event.
    pub verdict: Verdict,
    /// What a caller who waits is told.
    pub response: Response,
    /// The chain of causes, for the log and the dead letter; never shown to callers.
    pub error: Option<String>,
    /// Whether it ended without a verdict of its handler: panic or time-out.
    pub broke_off: bool,
    /// Whether the outbox has it and sends it anew, so that what brought it here is spent.
    pub comes_anew: bool,
}

impl Outcome {
    pub(crate) fn done(response: Response) -> Self {
        Self {
            verdict: Verdict::Done,
            response,
            error: None,
            broke_off: false,
            comes_anew: false,
        }
    }

    pub(crate) fn malformed(malformed: &Malformed, lang: Lang) -> Self {
        let detail = match lang {
            Lang::Ru => format!("Запрос не читается: {}.", malformed.0),
            Lang::En => format!("The request cannot be read: {}.", malformed.0),
        };
        let problem = Problem::new(StatusCode::BAD_REQUEST, "malformed", detail);
        let error = Some(malformed.to_string());
        Self {
            verdict: Verdict::Reject,
            response: problem.reply(),
            error,
            broke_off: false,
            comes_anew: false,
        }
    }

    /// Nothing was left to do.
    pub(crate) fn before(why: String) -> Self {
        Self {
            error: Some(why),
            ..Self::done(().reply())
        }
    }

    /// Not now, for a reason that is none of the handler's.
    pub(crate) fn later(why: String) -> Self {
        Self {
            broke_off: false,
            ..Self::broke_off(why, Lang::default())
        }
    }

    /// An error of the host's own, as its verdict says.
    pub(crate) fn failed(error: &impl Classify, lang: Lang) -> Self {
        Self {
            verdict: error.verdict(),
            response: error.problem(lang).reply(),
            error: Some(causes(error)),
            broke_off: false,
            comes_anew: false,
        }
    }

    fn broke_off(error: String, lang: Lang) -> Self {
        let response = Problem::of_verdict(Verdict::RETRY, lang).reply();
        Self {
            verdict: Verdict::RETRY,
            response,
            error: Some(error),
            broke_off: true,
            comes_anew: false,
        }
    }
}

/// Runs one event through one handler and relays what it sent.
///
/// A panic and an overrun time limit are retries: the next start may fare better, and strikes
/// are counted. The relay is awaited, because a frozen function finishes nothing afterwards.
pub async fn dispatch(handler: &dyn AnyHandler, event: &Event, queue: &Queue) -> Outcome {
    let span = span_of(handler.name(), event);
    dispatch_within(handler, event, queue, None)
        .instrument(span)
        .await
}

/// The span of one event. What is logged of it stands in there, and what it sends continues its trace.
pub(crate) fn span_of(handler: &'static str, event: &Event) -> Span {
    let kind = match event.source {
        Source::Request { .. } => "server",
        Source::Message { .. } => "consumer",
        Source::Tick => "internal",
    };
    // Of the level of errors, so that no `LOG_LEVEL` takes its ids from a line.
    let span = error_span!(
        "handle",
        handler,
        event.id = %event.id,
        attempt = event.attempt,
        video.id = Empty,
        verdict = Empty,
        trace_id = Empty,
        span_id = Empty,
        otel.kind = kind,
        otel.status_code = Empty,
    );
    trace::continue_trace(&span, event.trace.as_deref());
    span
}

/// Says which video the event at hand is about: every line of the log from here on names it. A handler
/// says it as soon as it knows.
pub fn about(video_id: VideoId) {
    Span::current().record("video.id", display(video_id));
}

/// As `dispatch`, in a span that is open already, and on a platform that ends a call after the time that
/// is `left`.
pub(crate) async fn dispatch_within(
    handler: &dyn AnyHandler,
    event: &Event,
    queue: &Queue,
    left: Option<Duration>,
) -> Outcome {
    let limit = left.map_or(handler.timeout(), |left| left.min(handler.timeout()));
    let event = &Event {
        trace: trace::of(&Span::current(), event.trace.as_deref()),
        ..event.clone()
    };
    let started = Instant::now();
    let call = AssertUnwindSafe(handler.call(event)).catch_unwind();
    let outcome = match tokio::time::timeout(limit, call).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Outcome::broke_off(panic_text(panic.as_ref()), event.lang()),
        Err(_) => Outcome::broke_off(
            format!("took longer than {} s", limit.as_secs()),
            event.lang(),
        ),
    };
    tell(handler.name(), &outcome, started.elapsed());
    queue.relay().boxed().await;
    outcome
}

/// One line, one count and one word in the span for each event.
fn tell(handler: &'static str, outcome: &Outcome, took: Duration) {
    metrics::count(handler, outcome.verdict, took);
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let verdict = outcome.verdict.as_str();
    match &outcome.error {
        Some(error) if outcome.verdict != Verdict::Done => {
            Span::current().record("otel.status_code", "ERROR");
            warn!(
                verdict,
                duration_ms, error, "{handler} ended with {verdict}: {error}"
            );
        }
        _ => debug!(verdict, duration_ms, "{handler} ended with {verdict}"),
    }
    Span::current().record("verdict", verdict);
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "panicked: {}",
        text.unwrap_or_else(|| "without a message".to_owned())
    )
}
