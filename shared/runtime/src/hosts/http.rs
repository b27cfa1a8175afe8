//! HTTP: each function is a door at `/functions/<name>` and below.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::any;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use shared_domain::Lang;
use shared_queue::Queue;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;

use crate::{
    AnyHandler, Event, Problem, Reply, Response, Source, Verdict, dispatch, metrics, trace,
};

/// No door takes a larger body: videos go to storage, never through here.
const BODY_LIMIT: usize = 1024 * 1024;
/// How long open requests may go on after the stop.
pub const DRAIN: Duration = Duration::from_secs(20);
/// A body that trickles in is given up.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Door {
    handler: Arc<dyn AnyHandler>,
    queue: Queue,
}

/// The doors of these functions.
pub fn doors(handlers: &[Arc<dyn AnyHandler>], queue: &Queue) -> Router {
    handlers.iter().fold(Router::new(), |router, handler| {
        let door = Door {
            handler: handler.clone(),
            queue: queue.clone(),
        };
        metrics::expect(handler.name());
        let base = format!("/functions/{}", handler.name());
        let below = format!("{base}/{{*rest}}");
        router.merge(
            Router::new()
                .route(&base, any(enter))
                .route(&below, any(enter))
                .with_state(door),
        )
    })
}

/// Serves until `stop`, then lets open requests end for as long as `drain`: an answer may be endless.
pub async fn serve_http(
    listener: TcpListener,
    router: Router,
    drain: Duration,
    stop: CancellationToken,
) -> io::Result<()> {
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, router)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let drained = async {
        stop.cancelled().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = drained => Ok(()),
    }
}

async fn enter(State(door): State<Door>, request: Request) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let lang: Lang = text(&parts.headers, "accept-language")
        .parse()
        .unwrap_or_default();
    let body = match read(body).await {
        Ok(body) => body,
        Err(problem) => return speak(problem(lang).reply()),
    };
    let base = format!("/functions/{}", door.handler.name());
    let path = parts
        .uri
        .path()
        .strip_prefix(&base)
        .unwrap_or_default()
        .to_owned();
    let event = Event {
        id: text(&parts.headers, "webhook-id").to_owned(),
        attempt: 1,
        lease: None,
        trace: trace_of(&parts.headers, parts.uri.query().unwrap_or_default()),
        source: Source::Request {
            method: parts.method,
            path,
            query: parts.uri.query().unwrap_or_default().to_owned(),
        },
        headers: parts.headers,
        body,
    };
    let outcome = dispatch(door.handler.as_ref(), &event, &door.queue).await;
    match outcome.verdict {
        // Handled before, by another delivery of the same event: the sender is content with a 200.
        Verdict::Done if outcome.error.is_some() => speak(().reply()),
        _ => speak(outcome.response),
    }
}

async fn read(body: Body) -> Result<Bytes, fn(Lang) -> Problem> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(|lang| {
            let detail = lang.pick(
                "Тело запроса больше 1 МиБ или оборвалось.",
                "The body of the request is over 1 MiB or broke off.",
            );
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
        }),
        Err(_) => Err(|lang| {
            let detail = lang.pick(
                "Тело запроса не пришло за 10 секунд.",
                "The body of the request did not arrive within 10 seconds.",
            );
            Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
        }),
    }
}

/// Who calls back was given the trace in the address: he has no headers of ours, but maybe of his own.
pub(super) fn trace_of(headers: &HeaderMap, query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let given = pairs.find_map(|(name, value)| (name == "traceparent").then(|| value.into_owned()));
    given
        .filter(|given| trace::parse(given).is_some())
        .or_else(|| Some(text(headers, "traceparent").to_owned()).filter(|text| !text.is_empty()))
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

pub(super) fn speak(response: Response) -> axum::response::Response {
    let mut answer = (response.status, Body::from(response.body)).into_response();
    answer.headers_mut().extend(response.headers);
    answer
}
