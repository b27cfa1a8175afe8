//! Health: for people, load balancers and deployments.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Map, Value, json};
use shared_store::Pause;
use time::format_description::well_known::Rfc3339;

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

/// What was found.
struct Parts {
    /// Parts without which requests fail, by their names in the answer.
    needed: [(&'static str, bool); 3],
    /// Why and until when nothing is put to the provider, or to one of its models.
    pauses: Map<String, Value>,
}

async fn parts(inner: &Inner) -> Parts {
    let (database, b2, replicate, pauses) = tokio::join!(
        well(inner.store.ping()),
        well(inner.objects.ping()),
        well(inner.replicate.account()),
        pauses(inner),
    );
    Parts {
        needed: [("database", database), ("b2", b2), ("replicate", replicate)],
        pauses,
    }
}

fn told(parts: &Parts, redis: &str, transport: bool) -> (StatusCode, Json<Value>) {
    let healthy = transport && parts.needed.iter().all(|(_, well)| *well);
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let mut body = json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "redis": redis,
    });
    for (name, well) in parts.needed {
        body[name] = json!(if well { "ok" } else { "failed" });
    }
    for (lane, pause) in &parts.pauses {
        match lane.split_once('/') {
            None => body["replicate_paused"] = pause.clone(),
            Some((_, task)) => body["models_paused"][task] = pause.clone(),
        }
    }
    (status, Json(body))
}

/// Why something is not asked. The service is well: the work waits and is not lost.
async fn pauses(inner: &Inner) -> Map<String, Value> {
    let asked = tokio::time::timeout(PATIENCE, inner.store.paused_lanes()).await;
    let told = |(lane, pause): (String, Pause)| {
        let until = pause.until.format(&Rfc3339).unwrap_or_default();
        (lane, json!({ "reason": pause.reason, "until": until }))
    };
    match asked {
        Ok(Ok(paused)) => paused.into_iter().map(told).collect(),
        _ => Map::new(),
    }
}

async fn well<T, E>(part: impl Future<Output = Result<T, E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, part).await, Ok(Ok(_)))
}
