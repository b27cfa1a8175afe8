//! Doors that are no handler's: their requests get the same span and the same counts as events.

use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tracing::{Instrument, Span};

use super::http::trace_of;
use crate::dispatch::span_of;
use crate::{Event, Source, Verdict, metrics};

/// The doors of a function that is many, each request an event of that function.
pub fn observed(doors: Router, function: &'static str) -> Router {
    metrics::expect(function);
    doors.layer(from_fn(move |request: Request, next: Next| {
        observe(function, request, next)
    }))
}

async fn observe(function: &'static str, request: Request, next: Next) -> Response {
    let (uri, headers) = (request.uri(), request.headers());
    let query = uri.query().unwrap_or_default();
    let event = Event {
        id: String::new(),
        attempt: 1,
        lease: None,
        trace: trace_of(headers, query),
        source: Source::Request {
            method: request.method().clone(),
            path: uri.path().to_owned(),
            query: query.to_owned(),
        },
        headers: HeaderMap::new(),
        body: Bytes::new(),
    };
    let answering = async {
        let started = Instant::now();
        let answer = next.run(request).await;
        let verdict = verdict(answer.status());
        metrics::count(function, verdict, started.elapsed());
        Span::current().record("verdict", verdict.as_str());
        answer
    };
    answering.instrument(span_of(function, &event)).await
}

fn verdict(status: StatusCode) -> Verdict {
    match status {
        status if status.is_server_error() => Verdict::RETRY,
        status if status.is_client_error() => Verdict::Reject,
        _ => Verdict::Done,
    }
}
