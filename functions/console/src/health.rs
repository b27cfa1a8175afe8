//! Health: for people, load balancers and deployments.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde_json::{Value, json};
use shared_replicate::Provider;
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
    let (database, b2, replicate, pause) = tokio::join!(
        well(inner.store.ping()),
        well(inner.objects.ping()),
        well(inner.replicate.account()),
        pause(&inner),
    );
    let healthy = database && b2 && replicate;
    let status = if healthy {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let word = |ok| if ok { "ok" } else { "failed" };
    let mut body = json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "database": word(database),
        "redis": "embedded",
        "b2": word(b2),
        "replicate": word(replicate),
    });
    if let Some(pause) = pause {
        body["replicate_paused"] = pause;
    }
    (status, Json(body))
}

/// Why nothing is put to the provider. The service is well: the work waits and is not lost.
async fn pause(inner: &Inner) -> Option<Value> {
    let asked = inner.store.lane_pause(Provider::Replicate.as_str());
    let pause = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()??;
    let until = pause.until.format(&Rfc3339).unwrap_or_default();
    Some(json!({ "reason": pause.reason, "until": until }))
}

async fn well<T, E>(part: impl Future<Output = Result<T, E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, part).await, Ok(Ok(_)))
}
