//! `GET /metrics`: counts, no secrets, and yet nobody's business outside.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::IntoResponse;
use axum::routing::get;
use http::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use shared_store::Store;
use subtle::ConstantTimeEq;
use tracing::warn;

use super::http::{speak, text};
use crate::{Response, Shared, causes, metrics};

/// The database may be away: the counts of the process are told without it.
const PATIENCE: Duration = Duration::from_secs(4);

#[derive(Clone)]
struct Counter {
    store: Store,
    token: Option<SecretString>,
}

/// The door of the metrics. With `METRICS_TOKEN` it opens to that token; without, to whoever comes from
/// this machine and on nobody's behalf. To others it is not there.
pub fn metrics(shared: &Shared) -> Router {
    let counter = Counter {
        store: shared.store.clone(),
        token: shared.settings.reader().find_secret("METRICS_TOKEN"),
    };
    Router::new()
        .route("/metrics", get(show))
        .with_state(counter)
}

async fn show(State(counter): State<Counter>, request: Request) -> axum::response::Response {
    if !counter.may_read(&request) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let asked = tokio::time::timeout(PATIENCE, counter.store.outbox_figures());
    let outbox = match asked.await {
        Ok(Ok(figures)) => Some(figures),
        Ok(Err(error)) => {
            let error = causes(&error);
            warn!(error, "metrics are told without the database: {error}");
            None
        }
        Err(_) => None,
    };
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    speak(Response::typed(StatusCode::OK, kind, metrics::text(outbox)))
}

impl Counter {
    fn may_read(&self, request: &Request) -> bool {
        let headers = request.headers();
        match &self.token {
            Some(token) => {
                let given = text(headers, header::AUTHORIZATION.as_str()).strip_prefix("Bearer ");
                let token = token.expose_secret().as_bytes();
                given.is_some_and(|given| given.as_bytes().ct_eq(token).into())
            }
            None => {
                let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
                let is_here = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback());
                let forwarded = ["forwarded", "x-forwarded-for", "via"];
                is_here && !forwarded.iter().any(|name| headers.contains_key(*name))
            }
        }
    }
}
