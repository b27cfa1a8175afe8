//! Cloudflare's API, as far as it purges: one zone, one token, the rules of a call and its limits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use crate::listen::Port;

/// Items of one call, on every plan but the dearest.
const MOST: usize = 100;
/// What a call may purge by: exactly one of them.
const KINDS: [&str; 5] = ["files", "prefixes", "tags", "hosts", "purge_everything"];

/// What goes wrong at Cloudflare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloudflareMishap {
    /// 429 with `Retry-After`.
    Throttled,
    /// 502 with a page of its own.
    Away,
    /// 401 although the token is good, as was seen now and then.
    Unsure,
}

/// The API, as the test steers it; it ends when it is dropped.
#[derive(Debug)]
pub struct FakeCloudflare {
    api_url: String,
    inner: Arc<Inner>,
    _servers: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The addresses of each call that succeeded.
    purged: Vec<Vec<String>>,
    calls: usize,
    mishaps: Vec<CloudflareMishap>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, Held> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeCloudflare {
    /// The one zone.
    pub const ZONE: &'static str = "023e105f4ecef8ad9ca31a8372d0c353";
    /// A token that may purge it.
    pub const TOKEN: &'static str = "canary-of-the-purge-token";

    /// Starts one whose cache has forgotten nothing yet.
    pub async fn start() -> Result<Self> {
        let port = Port::take().await?;
        let api_url = format!("{}/client/v4", port.url()?);
        let inner = Arc::new(Inner::default());
        let router = Router::new()
            .route("/client/v4/zones/{zone}/purge_cache", post(purge))
            .with_state(inner.clone());
        let mut servers = JoinSet::new();
        port.serve(router, &mut servers);
        Ok(Self {
            api_url,
            inner,
            _servers: servers,
        })
    }

    /// The settings that lead here.
    pub fn settings(&self) -> [(&str, &str); 3] {
        [
            ("CLOUDFLARE_API_URL", &self.api_url),
            ("CLOUDFLARE_ZONE_ID", Self::ZONE),
            ("CLOUDFLARE_API_TOKEN", Self::TOKEN),
        ]
    }

    /// What goes wrong with the next calls, once each.
    pub fn expect_mishaps(&self, mishaps: impl IntoIterator<Item = CloudflareMishap>) {
        self.inner.state().mishaps.extend(mishaps);
    }

    /// The addresses of each call that succeeded, in order.
    pub fn purged(&self) -> Vec<Vec<String>> {
        self.inner.state().purged.clone()
    }

    /// Every call so far.
    pub fn calls(&self) -> usize {
        self.inner.state().calls
    }
}

async fn purge(
    State(inner): State<Arc<Inner>>,
    Path(zone): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Map<String, Value>>,
) -> Response {
    let mut state = inner.state();
    state.calls += 1;
    if !state.mishaps.is_empty() {
        return match state.mishaps.remove(0) {
            CloudflareMishap::Throttled => {
                let wait = [(header::RETRY_AFTER, "7")];
                (wait, refuse(429, 971, "Rate limit exceeded")).into_response()
            }
            CloudflareMishap::Away => (StatusCode::BAD_GATEWAY, "<html>").into_response(),
            CloudflareMishap::Unsure => refuse(401, 10000, "Authentication error"),
        };
    }
    let bearer = format!("Bearer {}", FakeCloudflare::TOKEN);
    let given = headers.get(header::AUTHORIZATION);
    if given.and_then(|value| value.to_str().ok()) != Some(bearer.as_str()) {
        return refuse(401, 10000, "Authentication error");
    }
    if zone != FakeCloudflare::ZONE {
        return refuse(403, 9109, "Unauthorized to access requested resource");
    }
    if body.len() != 1 || !body.keys().all(|kind| KINDS.contains(&kind.as_str())) {
        let words = "Request must contain one of \"purge_everything\", \"files\", \"tags\", \"hosts\", \"prefixes\"";
        return refuse(400, 1012, words);
    }
    match addresses(&body["files"]) {
        Ok(files) => {
            state.purged.push(files);
            let body = json!({ "success": true, "errors": [], "messages": [],
                "result": { "id": FakeCloudflare::ZONE } });
            Json(body).into_response()
        }
        Err(words) => refuse(400, 1094, words),
    }
}

/// The addresses to purge, where every one is whole.
fn addresses(files: &Value) -> Result<Vec<String>, &'static str> {
    let files = files.as_array().ok_or("Invalid files")?;
    if files.is_empty() || files.len() > MOST {
        return Err("You can only purge up to 100 URLs at a time");
    }
    let address = |file: &Value| {
        let url = url::Url::parse(file.as_str()?).ok()?;
        let whole = matches!(url.scheme(), "http" | "https") && url.has_host();
        (whole && !url.as_str().contains('*')).then(|| file.as_str().map(str::to_owned))?
    };
    let addresses: Option<Vec<_>> = files.iter().map(address).collect();
    addresses.ok_or("Invalid URL")
}

fn refuse(status: u16, code: i64, words: &str) -> Response {
    let errors = [json!({ "code": code, "message": words })];
    let body = json!({ "success": false, "errors": errors, "messages": [], "result": null });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}
