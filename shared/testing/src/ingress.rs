//! The one address before many processes, as a platform's router gives it; and a bad network when told so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use tokio::task::JoinSet;

use crate::listen::Port;

/// No door takes more.
const LARGEST: usize = 8 << 20;

/// A router that runs until it is dropped.
#[derive(Debug)]
pub struct Ingress {
    url: String,
    inner: Arc<Inner>,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    /// Beginnings of paths, and the ports of those who answer there.
    routes: Vec<(String, u16)>,
    /// Beginnings of paths whose requests get lost.
    holes: Vec<String>,
    lost: usize,
}

impl Ingress {
    /// Listens at a free port of 127.0.0.1 and knows nobody yet.
    pub async fn start() -> Result<Self> {
        let port = Port::take().await?;
        let url = port.url()?;
        let inner = Arc::new(Inner {
            http: reqwest::Client::builder().no_proxy().build()?,
            rules: Mutex::default(),
        });
        let router = Router::new().fallback(forward).with_state(inner.clone());
        let mut server = JoinSet::new();
        port.serve(router, &mut server);
        Ok(Self {
            url,
            inner,
            _server: server,
        })
    }

    /// As in `PUBLIC_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Requests for paths that begin so go to a port of this machine; the longest beginning counts.
    pub fn route(&self, prefix: &str, port: u16) {
        let mut rules = self.inner.rules();
        rules.routes.push((prefix.to_owned(), port));
        rules.routes.sort_by_key(|(prefix, _)| prefix.len());
    }

    /// Requests for paths that begin so reach nobody from now on.
    pub fn lose(&self, prefix: &str) {
        self.inner.rules().holes.push(prefix.to_owned());
    }

    /// How many requests were lost.
    pub fn lost(&self) -> usize {
        self.inner.rules().lost
    }
}

impl Inner {
    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The port of whoever answers at a path.
    fn port(&self, path: &str) -> Option<u16> {
        let mut rules = self.rules();
        if rules.holes.iter().any(|prefix| path.starts_with(prefix)) {
            rules.lost += 1;
            return None;
        }
        let mut routes = rules.routes.iter().rev();
        let found = routes.find(|(prefix, _)| path.starts_with(prefix));
        found.map(|(_, port)| *port)
    }

    async fn ask(&self, port: u16, request: Request) -> Result<Response> {
        let (mut parts, body) = request.into_parts();
        // the connection's own: both are said anew
        parts.headers.remove(header::HOST);
        parts.headers.remove(header::CONTENT_LENGTH);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("http://127.0.0.1:{port}{path}");
        let request = self.http.request(parts.method, url).headers(parts.headers);
        let answer = request.body(to_bytes(body, LARGEST).await?).send().await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        let body = Body::from(answer.bytes().await?);
        Ok((status, headers, body).into_response())
    }
}

/// What a platform says when the component behind a path does not answer.
async fn forward(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let Some(port) = inner.port(request.uri().path()) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let answered = inner.ask(port, request).await;
    answered.unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
}
