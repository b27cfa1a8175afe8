//! What the calls of a platform are brought to: requests to the doors that the HTTP host serves,
//! everything else to the handler. One way in, so that every platform gives the same answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use serde_json::{Map, Value};
use shared_domain::Lang;
use shared_queue::Queue;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::warn;

use super::deadline::Deadline;
use super::direct::{Given, Occasion, deliver, refuse};
use super::http::doors;
use crate::{AnyHandler, Malformed, Outcome, Problem, Reply, Response, Shared, Verdict};

/// A request as a platform describes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// In any case.
    pub(crate) method: String,
    /// Percent-encoded; from the function's own name on, or below it.
    pub(crate) path: String,
    /// Without the question mark.
    pub(crate) query: String,
    /// Headers, cookies among them.
    pub(crate) headers: HeaderMap,
    /// As the client sent it.
    pub(crate) body: Vec<u8>,
}

/// A function on a platform that calls it.
#[derive(Clone)]
pub(crate) struct Desk {
    /// `None` for functions that are doors only.
    handler: Option<Arc<dyn AnyHandler>>,
    doors: Router,
    queue: Queue,
    stop: CancellationToken,
    open: TaskTracker,
}

impl Desk {
    /// The desk of one handler.
    pub(crate) fn of_handler(handler: Arc<dyn AnyHandler>, shared: &Shared) -> Self {
        let doors = doors(std::slice::from_ref(&handler), &shared.queue);
        Self {
            handler: Some(handler),
            ..Self::of_router(doors, shared)
        }
    }

    /// The desk of a function that is many doors.
    pub(crate) fn of_router(doors: Router, shared: &Shared) -> Self {
        Self {
            handler: None,
            doors,
            queue: shared.queue.clone(),
            stop: shared.stop.clone(),
            open: TaskTracker::new(),
        }
    }

    /// The stop of the process.
    pub(crate) fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// From the platform's milliseconds.
    pub(crate) fn deadline(&self, epoch_ms: Option<u64>) -> Deadline {
        let now = self.queue.store().now();
        epoch_ms.map_or_else(Deadline::default, |at| Deadline::of_epoch_ms(at, now))
    }

    /// Waits until every open call has been answered, but not longer than that.
    pub(crate) async fn drained(&self, longest: Duration) {
        self.open.close();
        if tokio::time::timeout(longest, self.open.wait())
            .await
            .is_err()
        {
            warn!("calls were open at the stop");
        }
    }

    /// Brings a request to its door.
    pub(crate) async fn request(&self, asked: Asked, deadline: Deadline) -> Response {
        let _open = self.open.token();
        let lang: Lang = asked
            .headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("")
            .parse()
            .unwrap_or_default();
        let request = match self.at_door(asked) {
            Ok(request) => request,
            Err(malformed) => return Outcome::malformed(&malformed, lang).response,
        };
        let asking = async {
            let Ok(answer) = self.doors.clone().oneshot(request).await;
            let (mut parts, body) = answer.into_parts();
            // The platform writes the body anew, and its length with it.
            parts.headers.remove(header::CONTENT_LENGTH);
            let body = to_bytes(body, usize::MAX).await.ok()?;
            Some(Response {
                status: parts.status,
                headers: parts.headers,
                body,
            })
        };
        let answer = match deadline.left() {
            Some(left) => tokio::time::timeout(left, asking).await,
            None => Ok(asking.await),
        };
        match answer {
            Ok(Some(response)) => response,
            Ok(None) => Problem::of_verdict(Verdict::RETRY, lang).reply(),
            Err(_) => {
                warn!("the platform's time was over before the answer was there");
                Problem::of_verdict(Verdict::RETRY, lang).reply()
            }
        }
    }

    /// Brings JSON that is no request to the handler.
    pub(crate) async fn direct(&self, value: Value, call_id: &str, deadline: Deadline) -> Outcome {
        match (&self.handler, Given::parse(value.clone())) {
            (None, _) => no_handler(),
            (Some(_), Ok(given)) => self.given(given, call_id, deadline).await,
            (Some(handler), Err(malformed)) => {
                let (raw, queue) = (value.to_string(), &self.queue);
                refuse(handler.as_ref(), &raw, &malformed, queue, call_id).await
            }
        }
    }

    /// Brings what must be a message in JSON to the handler.
    pub(crate) async fn letter(&self, raw: &str, call_id: &str, deadline: Deadline) -> Outcome {
        let value = serde_json::from_str(raw).unwrap_or_else(|_| Value::String(raw.to_owned()));
        self.direct(value, call_id, deadline).await
    }

    /// Brings a message or a tick to the handler.
    pub(crate) async fn given(&self, given: Given, call_id: &str, deadline: Deadline) -> Outcome {
        let _open = self.open.token();
        let occasion = Occasion {
            id: call_id,
            deadline,
            stop: &self.stop,
        };
        match &self.handler {
            Some(handler) => deliver(handler.as_ref(), given, &self.queue, occasion).await,
            None => no_handler(),
        }
    }

    fn at_door(&self, asked: Asked) -> Result<Request<Body>, Malformed> {
        let mut uri = self.door(&asked.path);
        if !asked.query.is_empty() {
            uri = format!("{uri}?{}", asked.query);
        }
        let mut request = Request::builder()
            .method(asked.method.to_uppercase().as_str())
            .uri(uri)
            .body(Body::from(asked.body))
            .map_err(|error| Malformed(error.to_string()))?;
        *request.headers_mut() = asked.headers;
        Ok(request)
    }

    /// Below `/functions/<name>` at our own front, below nothing at a function's own address.
    fn door(&self, path: &str) -> String {
        let path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
        let Some(handler) = &self.handler else {
            return path;
        };
        let base = format!("/functions/{}", handler.name());
        let is_below = path
            .strip_prefix(&base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        match path.as_str() {
            _ if is_below => path,
            "/" => base,
            below => format!("{base}{below}"),
        }
    }
}

/// Names and values that cannot be headers are left out.
pub(crate) fn header_map(headers: &Map<String, Value>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = match value {
            Value::String(text) => HeaderValue::from_bytes(text.as_bytes()),
            other => HeaderValue::from_str(&other.to_string()),
        };
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value) {
            map.append(name, value);
        }
    }
    map
}

/// Whether an answer can be sent as text without harm; everything else goes as base64.
pub(crate) fn is_text(response: &Response) -> bool {
    let encoded = response.headers.contains_key(header::CONTENT_ENCODING);
    let kind = media_type(&response.headers);
    let named = ["json", "javascript", "xml", "yaml", "x-www-form-urlencoded"];
    let textual = kind.starts_with("text/")
        || kind
            .rsplit(['/', '+'])
            .next()
            .is_some_and(|kind| named.contains(&kind));
    !encoded && textual && std::str::from_utf8(&response.body).is_ok()
}

/// `type/subtype` in lower case, without parameters; empty when there is none.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE);
    let text = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = text.split(';').next().unwrap_or("");
    kind.trim().to_ascii_lowercase()
}

/// The answer to a call that is no request: that of a door, except that "later" is an error.
pub(crate) fn ending(outcome: Outcome) -> Result<Response, Box<Outcome>> {
    match outcome.verdict {
        Verdict::Retry { .. } => Err(Box::new(outcome)),
        Verdict::Done if outcome.error.is_some() => Ok(().reply()),
        Verdict::Done | Verdict::Reject => Ok(outcome.response),
    }
}

fn no_handler() -> Outcome {
    let malformed = Malformed("this function answers requests only".into());
    Outcome::malformed(&malformed, Lang::default())
}

/// What a person is told of an outcome: `detail` of its problem document.
pub(crate) fn detail(outcome: &Outcome) -> String {
    let body: Value = serde_json::from_slice(&outcome.response.body).unwrap_or_default();
    let status = outcome.response.status;
    match body["detail"].as_str() {
        Some(detail) => detail.to_owned(),
        None => status
            .canonical_reason()
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR.as_str())
            .to_owned(),
    }
}
