//! Files of outputs, as the provider's delivery hosts serve them: without a token, for an hour.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures::stream;
use shared_domain::Clock;
use time::{Duration, OffsetDateTime};

use super::{Inner, TOKEN};

/// Files are removed this long after they were made.
const RETENTION: Duration = Duration::HOUR;

/// What a delivery host answers.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The file.
    Whole(Bytes),
    /// The file, to those who bring the token only.
    ForToken(Bytes),
    /// Somewhere else.
    Redirect(String),
    /// A file that does not end.
    Endless,
}

#[derive(Debug, Default)]
pub(super) struct Files {
    stored: BTreeMap<String, (OffsetDateTime, Delivery)>,
    pub(super) downloads: usize,
}

impl Files {
    pub(super) fn add(&mut self, now: OffsetDateTime, delivery: Delivery) -> String {
        let name = format!("file{}", self.stored.len());
        self.stored.insert(name.clone(), (now, delivery));
        name
    }
}

pub(super) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/delivery/{name}", get(download))
        .with_state(inner)
}

async fn download(
    State(inner): State<Arc<Inner>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let now = inner.clock.now();
    let mut state = inner.state();
    state.files.downloads += 1;
    let found = state.files.stored.get(&name).cloned();
    let Some((_, delivery)) = found.filter(|(made, _)| now - *made <= RETENTION) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let token = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    let is_known = token == Some(format!("Bearer {TOKEN}").as_bytes());
    match delivery {
        Delivery::Whole(bytes) => bytes.into_response(),
        Delivery::ForToken(bytes) if is_known => bytes.into_response(),
        Delivery::ForToken(_) => StatusCode::UNAUTHORIZED.into_response(),
        Delivery::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Delivery::Endless => {
            let chunk = Bytes::from(vec![b' '; 1 << 20]);
            let chunks = stream::repeat_with(move || Ok::<_, Infallible>(chunk.clone()));
            Body::from_stream(chunks).into_response()
        }
    }
}
