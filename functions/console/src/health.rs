//! Health: for people, load balancers and deployments.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};

use crate::Inner;

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> &'static str {
    "ok"
}

/// How long a part may take to say that it is well.
const PATIENCE: Duration = Duration::from_secs(4);

/// `GET /api/health/`: asks every part; 503 when one fails.
pub(crate) async fn health(State(inner): State<Arc<Inner>>) -> (StatusCode, Json<Value>) {
    let (parts, transport) = tokio::join!(parts(&inner), inner.shared.queue.transport());
    let well = transport.is_well();
    told(&parts, transport.as_str(), well)
}

/// `GET /readyz`: as `health`, but requests are answered without the transport of the queue, so that
/// its absence takes no server out of service.
pub(crate) async fn ready(State(inner): State<Arc<Inner>>) -> (StatusCode, Json<Value>) {
    let (parts, transport) = tokio::join!(parts(&inner), inner.shared.queue.transport());
    told(&parts, transport.as_str(), true)
}

/// Parts without which requests fail, by their names in the answer.
type Parts = [(&'static str, bool); 3];

async fn parts(inner: &Inner) -> Parts {
    let (database, b2, replicate) = tokio::join!(
        well(inner.store.ping()),
        well(inner.objects.ping()),
        well(inner.replicate.account()),
    );
    [("database", database), ("b2", b2), ("replicate", replicate)]
}

fn told(parts: &Parts, redis: &str, transport: bool) -> (StatusCode, Json<Value>) {
    let healthy = transport && parts.iter().all(|(_, well)| *well);
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut body = json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "redis": redis,
    });
    for (name, well) in parts {
        body[*name] = json!(if *well { "ok" } else { "failed" });
    }
    (status, Json(body))
}

async fn well<T, E>(part: impl Future<Output = Result<T, E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, part).await, Ok(Ok(_)))
}
