//! W3C trace context: which trace an event continues, and what the next function is told of it.
//!
//! Of what comes from outside only the ids are taken, and only when all of it has the format: whether
//! a trace is recorded is decided here and not by whoever asks.

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing::field::display;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Length of `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`.
const LENGTH: usize = 55;

/// Reads a `traceparent`; what is none counts as missing.
pub(crate) fn parse(text: &str) -> Option<SpanContext> {
    let bytes = text.as_bytes();
    let known = bytes.get(..LENGTH)?;
    let fits = |(at, byte): (usize, &u8)| match at {
        2 | 35 | 52 => *byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let ends = match &known[..2] {
        b"00" => bytes.len() == LENGTH,
        b"ff" => false,
        // A later version may say more behind another dash.
        _ => bytes.get(LENGTH).is_none_or(|byte| *byte == b'-'),
    };
    if !ends || !known.iter().enumerate().all(fits) {
        return None;
    }
    let trace_id = TraceId::from_hex(text.get(3..35)?).ok()?;
    let span_id = SpanId::from_hex(text.get(36..52)?).ok()?;
    let state = TraceState::default();
    let sender = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, state);
    sender.is_valid().then_some(sender)
}

/// Puts a new span into the trace of its sender, links the two, and notes the ids in the span's
/// fields `trace_id` and `span_id`, from where they get into every line of the log.
pub fn continue_trace(span: &Span, sender: Option<&str>) {
    if let Some(sender) = sender.and_then(parse) {
        // Refused only where nothing listens to this span.
        let _ = span.set_parent(Context::new().with_remote_span_context(sender.clone()));
        span.add_link(sender);
    }
    let context = span.context();
    let own = context.span().span_context().clone();
    if own.is_valid() {
        span.record("trace_id", display(own.trace_id()));
        span.record("span_id", display(own.span_id()));
    }
}

/// `traceparent` of what a span sends. Where nothing listens to the span, its sender's is handed on.
pub(crate) fn of(span: &Span, sender: Option<&str>) -> Option<String> {
    let context = span.context();
    let own = context.span().span_context().clone();
    let told = if own.is_valid() { own } else { parse(sender?)? };
    let (trace_id, span_id) = (told.trace_id(), told.span_id());
    Some(format!("00-{trace_id}-{span_id}-01"))
}
