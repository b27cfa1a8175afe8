//! A collector of traces: OTLP over HTTP, as protobuf, one path.
//!
//! It keeps the rules that an exporter trips over: the path below the base address, the content type,
//! and a body that is one whole `ExportTraceServiceRequest`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message;
use tokio::task::JoinSet;

use crate::listen::Port;

/// A span as it arrived; ids in hexadecimal.
#[derive(Debug, Clone)]
pub struct Collected {
    /// `service.name` of the process.
    pub service: String,
    /// `handle`, `db.videos.update`.
    pub name: String,
    /// The trace.
    pub trace_id: String,
    /// The span.
    pub span_id: String,
    /// What it is part of; empty at the root.
    pub parent_id: String,
    /// Spans that it is linked to.
    pub links: Vec<String>,
    /// Attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Its status says so.
    pub failed: bool,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CollectorMishap {
    /// It answers 503.
    Refuses,
    /// It takes the request and never answers.
    Hangs,
}

#[derive(Debug, Default)]
struct Inner {
    spans: Mutex<Vec<Collected>>,
    heard: Mutex<Vec<u8>>,
    asked: Mutex<usize>,
    mishap: Mutex<Option<CollectorMishap>>,
}

/// A collector on the wire.
#[derive(Debug)]
pub struct FakeCollector {
    url: String,
    inner: Arc<Inner>,
    _server: JoinSet<()>,
}

impl FakeCollector {
    /// Starts it on a free port.
    pub async fn start() -> Result<Self> {
        let port = Port::take().await?;
        let url = port.url()?;
        let inner = Arc::new(Inner::default());
        let router = Router::new()
            .route("/v1/traces", post(take))
            .with_state(inner.clone());
        let mut server = JoinSet::new();
        port.serve(router, &mut server);
        Ok(Self {
            url,
            inner,
            _server: server,
        })
    }

    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every span that has come.
    pub fn spans(&self) -> Vec<Collected> {
        locked(&self.inner.spans).clone()
    }

    /// Every byte that has come, as text: whatever is secret must not be in there.
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&locked(&self.inner.heard)).into_owned()
    }

    /// How many requests have come, whatever became of them.
    pub fn asked(&self) -> usize {
        *locked(&self.inner.asked)
    }

    /// From here on this happens to every request.
    pub fn suffer(&self, mishap: CollectorMishap) {
        *locked(&self.inner.mishap) = Some(mishap);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    *locked(&inner.asked) += 1;
    let mishap = *locked(&inner.mishap);
    match mishap {
        Some(CollectorMishap::Refuses) => return StatusCode::SERVICE_UNAVAILABLE,
        Some(CollectorMishap::Hangs) => std::future::pending().await,
        None => {}
    }
    let kind = headers.get("content-type");
    if kind.is_none_or(|kind| kind != "application/x-protobuf") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else {
        return StatusCode::BAD_REQUEST;
    };
    locked(&inner.heard).extend_from_slice(&body);
    locked(&inner.spans).extend(collected(request));
    StatusCode::OK
}

fn collected(request: ExportTraceServiceRequest) -> Vec<Collected> {
    let mut spans = Vec::new();
    for of_process in request.resource_spans {
        let resource = texts(of_process.resource.unwrap_or_default().attributes);
        let service = resource.get("service.name").cloned().unwrap_or_default();
        let found = of_process
            .scope_spans
            .into_iter()
            .flat_map(|scope| scope.spans);
        spans.extend(found.map(|span| {
            Collected {
                service: service.clone(),
                name: span.name,
                trace_id: hex::encode(&span.trace_id),
                span_id: hex::encode(&span.span_id),
                parent_id: hex::encode(&span.parent_span_id),
                links: span
                    .links
                    .iter()
                    .map(|link| hex::encode(&link.span_id))
                    .collect(),
                attributes: texts(span.attributes),
                failed: span
                    .status
                    .is_some_and(|status| status.code() == SpanStatus::Error),
            }
        }));
    }
    spans
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes
        .into_iter()
        .map(|pair| (pair.key, text(pair.value)))
        .collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
