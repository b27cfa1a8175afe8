//! The table of doors, and what holds for all of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderValue, StatusCode, header};

use crate::error::Error;
use crate::{Inner, auth, health, page, playback, progress, report, videos, words};

/// Doors that answer under any name: a platform's health checks come by address. They tell how the
/// process is and nothing of anybody's.
const BY_ANY_NAME: [&str; 2] = ["/healthz", "/readyz"];

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/", get(page::index))
        .route("/app.js", get(page::script))
        .route("/style.css", get(page::style))
        .route("/api/auth/login/", post(auth::login))
        .route("/api/auth/logout/", post(auth::logout))
        .route("/api/users/me/", get(auth::me))
        .route("/api/limits/", get(videos::limits))
        .route("/api/projects/", get(videos::projects))
        .route(
            "/api/projects/{id}/words/",
            get(words::show).put(words::replace),
        )
        .route("/api/videos/", get(videos::list))
        .route("/api/videos/{id}/", get(videos::one))
        .route("/api/videos/{id}/progress/", get(progress::progress))
        .route("/api/videos/{id}/signed_url/", get(playback::signed_url))
        .route("/api/videos/{id}/playlist.m3u8", get(playback::playlist))
        .route("/api/videos/{id}/report/", get(report::json))
        .route("/api/videos/{id}/report.html", get(report::html))
        .route("/api/videos/{id}/frames/{name}", get(report::frame))
        .route("/api/videos/{id}/retry_processing/", post(videos::retry))
        .route("/api/health/", get(health::health))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(async || Error::NotFound)
        .layer(middleware::from_fn_with_state(inner.clone(), guard))
        .with_state(inner)
}

/// Host names against DNS rebinding, and headers that every answer carries.
async fn guard(State(inner): State<Arc<Inner>>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("");
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let is_known = |allowed: &String| allowed == "*" || allowed.eq_ignore_ascii_case(name);
    let is_probe = BY_ANY_NAME.contains(&request.uri().path());
    if !is_probe && !inner.config.hosts.iter().any(is_known) {
        return (StatusCode::MISDIRECTED_REQUEST, "unknown host").into_response();
    }
    let mut answer = next.run(request).await;
    let (storage, cdn) = (&inner.config.storage, inner.playback.origin());
    let files = [Some(storage.as_str()), cdn].into_iter().flatten();
    let files = files.collect::<Vec<_>>().join(" ");
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         media-src 'self' blob: {files}; connect-src 'self' {files}; frame-ancestors 'none'; \
         base-uri 'none'; form-action 'self'"
    );
    let headers = answer.headers_mut();
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(policy);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    answer
}
