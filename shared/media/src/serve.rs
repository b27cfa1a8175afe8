//! A range server on loopback that serves exactly one object under a random path.
//!
//! ffmpeg must never be given an address that a user or a provider has a say in; this is the only
//! one it gets, and the sandbox forbids it every other.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::StreamExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::error::MediaError;
use crate::pulse::Pulse;
use crate::source::Blocks;

#[derive(Debug)]
pub(crate) struct Loopback {
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) blocks: Arc<Blocks>,
    /// Dropping it stops the server.
    _server: JoinSet<()>,
}

#[derive(Clone)]
struct Object {
    blocks: Arc<Blocks>,
    pulse: Arc<Pulse>,
}

impl Loopback {
    pub(crate) async fn start(blocks: Arc<Blocks>, pulse: Arc<Pulse>) -> Result<Self, MediaError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let path = format!("/{:016x}{:016x}", random(), random());
        let url = format!("http://127.0.0.1:{port}{path}");
        let object = Object {
            blocks: Arc::clone(&blocks),
            pulse,
        };
        let app = Router::new().route(&path, get(serve)).with_state(object);
        let mut server = JoinSet::new();
        server.spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::warn!(%error, "the loopback range server stopped");
            }
        });
        Ok(Self {
            port,
            url,
            blocks,
            _server: server,
        })
    }
}

/// The standard library's hasher is keyed by the system's randomness.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

async fn serve(State(object): State<Object>, headers: HeaderMap) -> Response {
    object.pulse.beat();
    let size = object.blocks.size();
    let asked = headers
        .get(header::RANGE)
        .map(|value| value.to_str().unwrap_or_default());
    let (status, start, end) = match asked.map(|text| parse(text, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((start, end))) => (StatusCode::PARTIAL_CONTENT, start, end),
        Some(None) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response();
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_LENGTH, (end - start).into());
    headers.insert(
        header::ACCEPT_RANGES,
        header::HeaderValue::from_static("bytes"),
    );
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = format!("bytes {start}-{}/{size}", end - 1).parse()
    {
        headers.insert(header::CONTENT_RANGE, range);
    }
    // Slow storage is no hang.
    let bytes = object.blocks.stream(start, end);
    let bytes = bytes.inspect(move |_| object.pulse.beat());
    (status, headers, Body::from_stream(bytes)).into_response()
}

/// `bytes=A-` or `bytes=A-B` as a half-open range within the object.
fn parse(text: &str, size: u64) -> Option<(u64, u64)> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start: u64 = start.trim().parse().ok()?;
    let end = match end.trim() {
        "" => size,
        last => last.parse::<u64>().ok()?.saturating_add(1).min(size),
    };
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests;
