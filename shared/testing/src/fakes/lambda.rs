//! Lambda's runtime API: the event that is next, and what became of it.
//!
//! It keeps the rules that a runtime trips over: the next event may be long in coming, a response
//! belongs to an invocation that is open and names it in a header, and neither way takes more than 6 MB.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use shared_domain::{Clock, Ids, SystemClock, SystemIds};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::listen::Port;

const LIMIT: usize = 6 * 1024 * 1024;
const INVOCATION: &str = "lambda-runtime-invocation-id";

/// `errorType` and `errorMessage` of a failed invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// For programs.
    pub error_type: String,
    /// For people.
    pub error_message: String,
}

type Ending = Result<Value, Failed>;

struct Invocation {
    id: String,
    deadline_ms: u64,
    payload: Value,
}

#[derive(Debug, Default)]
struct Inner {
    open: Mutex<HashMap<String, oneshot::Sender<Ending>>>,
    next: tokio::sync::Mutex<Option<mpsc::UnboundedReceiver<Invocation>>>,
}

/// A runtime API on the wire, for one function.
#[derive(Debug)]
pub struct FakeLambda {
    address: String,
    inner: Arc<Inner>,
    coming: mpsc::UnboundedSender<Invocation>,
    _server: JoinSet<()>,
}

impl FakeLambda {
    /// Starts it on a free port.
    pub async fn start() -> Result<Self> {
        let port = Port::take().await?;
        let address = port.address()?;
        let (coming, next) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            next: tokio::sync::Mutex::new(Some(next)),
            ..Inner::default()
        });
        let base = "/2018-06-01/runtime/invocation";
        let router = Router::new()
            .route(&format!("{base}/next"), get(hand_out))
            .route(&format!("{base}/{{id}}/response"), post(succeeded))
            .route(&format!("{base}/{{id}}/error"), post(failed))
            .with_state(inner.clone());
        let mut server = JoinSet::new();
        port.serve(router, &mut server);
        Ok(Self {
            address,
            inner,
            coming,
            _server: server,
        })
    }

    /// What Lambda sets for the function's process.
    pub fn environment(&self) -> Vec<(String, String)> {
        let pairs = [
            ("AWS_LAMBDA_RUNTIME_API", self.address.as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "function"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_REGION", "eu-central-1"),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    /// One invocation with this much time.
    pub async fn invoke(&self, payload: Value, time: Duration) -> Result<Ending> {
        let at = SystemClock.now() + time;
        let ms = u64::try_from(at.unix_timestamp_nanos() / 1_000_000)?;
        self.invoke_until(payload, ms).await
    }

    /// One invocation with any number for its deadline.
    pub async fn invoke_until(&self, payload: Value, deadline_ms: u64) -> Result<Ending> {
        ensure!(
            payload.to_string().len() <= LIMIT,
            "the payload is over 6 MB"
        );
        let (id, (ended, ending)) = (SystemIds.next().to_string(), oneshot::channel());
        self.inner.open().insert(id.clone(), ended);
        self.coming.send(Invocation {
            id,
            deadline_ms,
            payload,
        })?;
        ending.await.context("the invocation was dropped")
    }
}

impl Inner {
    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Ending>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` when nobody waits for it, or it is not named as it was handed out.
    fn end(&self, id: &str, headers: &HeaderMap) -> Option<oneshot::Sender<Ending>> {
        let named = headers.get(INVOCATION)?.to_str().ok()?;
        if named != format!("{id}-1") {
            return None;
        }
        self.open().remove(id)
    }
}

async fn hand_out(State(inner): State<Arc<Inner>>) -> Response {
    let mut next = inner.next.lock().await;
    let Some(invocation) = (match next.as_mut() {
        Some(next) => next.recv().await,
        None => None,
    }) else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", invocation.id.clone()),
        (
            "lambda-runtime-deadline-ms",
            invocation.deadline_ms.to_string(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793".to_owned(),
        ),
        (INVOCATION, format!("{}-1", invocation.id)),
    ];
    (headers, Json(invocation.payload)).into_response()
}

async fn succeeded(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    end(&inner, &id, request, Ok).await
}

async fn failed(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let told = |body: Value| {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Err(Failed {
            error_type: text("errorType"),
            error_message: text("errorMessage"),
        })
    };
    end(&inner, &id, request, told).await
}

async fn end(
    inner: &Inner,
    id: &str,
    request: Request<Body>,
    told: impl FnOnce(Value) -> Ending,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LIMIT).await else {
        return problem(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge");
    };
    let Ok(body) = serde_json::from_slice(&body) else {
        return problem(StatusCode::BAD_REQUEST, "InvalidJson");
    };
    match inner.end(id, &parts.headers) {
        // Who waited for it may have gone.
        Some(ended) => drop(ended.send(told(body))),
        None => return problem(StatusCode::FORBIDDEN, "InvalidRequestID"),
    }
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}

fn problem(status: StatusCode, error_type: &str) -> Response {
    let body = json!({ "errorType": error_type, "errorMessage": error_type });
    (status, Json(body)).into_response()
}
