//! The paths, and the token that all of `/v1` asks for.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use super::{Inner, about, files, models, predictions};

/// Inputs may hold data URIs; clients refuse to send more than 10 MB of them.
pub(super) const MAX_BODY_MIB: usize = 16;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    let api = Router::new()
        .route(
            "/predictions",
            get(predictions::list).post(predictions::create),
        )
        .route("/predictions/{id}", get(predictions::show))
        .route("/predictions/{id}/cancel", post(predictions::cancel))
        .route("/models", get(models::list))
        .route("/models/{owner}/{name}", get(models::show))
        .route("/models/{owner}/{name}/versions", get(models::versions))
        .route(
            "/models/{owner}/{name}/versions/{version}",
            get(models::version),
        )
        .route(
            "/models/{owner}/{name}/predictions",
            post(predictions::create_by_model),
        )
        .route("/files/{id}", get(files::show).delete(files::delete))
        .route("/account", get(about::account))
        .route("/hardware", get(about::hardware))
        .route("/webhooks/default/secret", get(about::secret))
        .layer(DefaultBodyLimit::max(MAX_BODY_MIB * 1024 * 1024))
        // The store counts the bytes of an upload itself.
        .route(
            "/files",
            get(files::list)
                .post(files::upload)
                .layer(DefaultBodyLimit::disable()),
        )
        .fallback(nothing)
        .method_not_allowed_fallback(async || Problem::method())
        .layer(from_fn_with_state(inner.clone(), authenticate));
    Router::new()
        .nest("/v1", api)
        .route("/healthz", get(about::health))
        .fallback(nothing)
        .with_state(inner)
}

async fn nothing() -> Problem {
    Problem::not_found("The requested resource")
}

/// `Bearer` and the older `Token` are the same.
async fn authenticate(
    State(inner): State<Arc<Inner>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = header
        .and_then(|text| text.split_once(' '))
        .and_then(|(scheme, token)| {
            let known = ["bearer", "token"]
                .iter()
                .any(|name| scheme.eq_ignore_ascii_case(name));
            known.then(|| token.trim())
        });
    // Hashes have one length, so that the time says nothing about the token's.
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    let expected = hash(inner.config.token.expose_secret());
    if given.is_some_and(|given| bool::from(hash(given).ct_eq(&expected))) {
        Ok(next.run(request).await)
    } else {
        Err(Problem::unauthenticated())
    }
}
