//! The HTTP side, with the rules that clients trip over: bearer tokens, pinned versions, no unknown
//! fields, pages of a hundred.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use shared_domain::{Clock, Ids, SystemIds};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::catalogue::{self, file_field};
use super::limits::no_credit;
use super::record::{Ending, Record};
use super::{Inner, Mishap, SECRET, State as Known, TOKEN};

const PAGE: usize = 100;

#[derive(Clone)]
struct Server {
    inner: Arc<Inner>,
    base: String,
}

pub(super) fn router(inner: Arc<Inner>, base: String) -> Router {
    Router::new()
        .route("/v1/predictions", post(create).get(list))
        .route("/v1/predictions/{id}", get(show))
        .route("/v1/predictions/{id}/cancel", post(cancel))
        .route("/v1/models", get(models))
        .route("/v1/account", get(account))
        .route("/v1/webhooks/default/secret", get(secret))
        .layer(middleware::from_fn(authenticate))
        .with_state(Server { inner, base })
}

async fn authenticate(request: Request, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION);
    let known = format!("Bearer {TOKEN}");
    if given.and_then(|value| value.to_str().ok()) == Some(known.as_str()) {
        next.run(request).await
    } else {
        let detail = "You did not pass a valid authentication token";
        problem(401, "Unauthenticated", detail, json!({}))
    }
}

pub(super) fn problem(status: u16, title: &str, detail: &str, more: Value) -> Response {
    let mut body = json!({ "title": title, "detail": detail, "status": status });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

fn invalid(field: &str, description: &str) -> Response {
    let fields = json!({ "invalid_fields": [
        { "type": "invalid", "field": field, "description": description } ] });
    let detail = format!("- {field}: {description}\n");
    problem(422, "Input validation failed", &detail, fields)
}

fn bad_gateway() -> Response {
    let page = "<html><body>502 Bad Gateway</body></html>";
    let html = [(header::CONTENT_TYPE, "text/html")];
    (StatusCode::BAD_GATEWAY, html, page).into_response()
}

fn not_found() -> Response {
    let detail = "The requested resource could not be found.";
    problem(404, "Not Found", detail, json!({}))
}

async fn create(
    State(server): State<Server>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let mut state = server.inner.state();
    state.tries += 1;
    let mishap = state.mishaps.pop_front();
    match mishap {
        Some(Mishap::Throttled { retry_after }) => {
            let detail = "Request was throttled.";
            return problem(
                429,
                "Too many requests",
                detail,
                json!({ "retry_after": retry_after }),
            );
        }
        Some(Mishap::NoCredit) => return no_credit(),
        Some(Mishap::Broken { status }) => {
            return problem(
                status,
                "Internal Server Error",
                "Something went wrong.",
                json!({}),
            );
        }
        Some(Mishap::Forbidden) => {
            let detail = "You do not have permission to perform this action.";
            return problem(403, "Forbidden", detail, json!({}));
        }
        Some(Mishap::LostQuestion) => return bad_gateway(),
        Some(Mishap::Refused) => return invalid("input.image", "Does not match format 'uri'"),
        Some(Mishap::LostAnswer | Mishap::CutAnswer) | None => {}
    }
    if let Err(refusal) = state.account.admit(server.inner.clock.now()) {
        return *refusal;
    }
    let cancel_after = headers
        .get("cancel-after")
        .and_then(|value| value.to_str().ok());
    let mut record = match asked(&body, &state) {
        Ok(record) => record,
        Err(refusal) => return *refusal,
    };
    record.cancel_after = cancel_after.map(str::to_owned);
    record.created_at = server.inner.clock.now();
    let view = record.view(record.created_at, state.echoes_webhooks);
    state.records.push(record);
    if mishap == Some(Mishap::LostAnswer) {
        return bad_gateway();
    }
    if mishap == Some(Mishap::CutAnswer) {
        let half = [
            Ok("{\"id\": "),
            Err(std::io::ErrorKind::ConnectionReset.into()),
        ];
        let half = futures::stream::iter::<[std::io::Result<&str>; 2]>(half);
        return (StatusCode::CREATED, Body::from_stream(half)).into_response();
    }
    (StatusCode::CREATED, Json(view)).into_response()
}

/// Checks a question as the hosted API does.
fn asked(body: &Value, known: &Known) -> Result<Record, Box<Response>> {
    let refuse = |field, why| Err(Box::new(invalid(field, why)));
    let allowed = [
        "version",
        "input",
        "webhook",
        "webhook_events_filter",
        "stream",
    ];
    let fields = body.as_object().into_iter().flatten();
    if let Some((name, _)) = fields
        .into_iter()
        .find(|(name, _)| !allowed.contains(&name.as_str()))
    {
        return refuse(name, "Additional property is not allowed");
    }
    let version = body["version"].as_str().unwrap_or_default();
    let Some(file_field) = file_field(version, known) else {
        let detail = "The specified version does not exist (or perhaps you don't have permission)";
        let title = "Invalid version or not permitted";
        return Err(Box::new(problem(422, title, detail, json!({}))));
    };
    if !body["input"][file_field].as_str().is_some_and(is_file) {
        return refuse("input", "the file is required and must be a URL");
    }
    let webhook = body["webhook"].as_str();
    if webhook.is_some_and(|url| !url.starts_with("https://")) {
        return refuse("webhook", "must be a valid HTTPS URL");
    }
    Ok(Record {
        id: SystemIds.next().simple().to_string(),
        version: version.to_owned(),
        input: body["input"].clone(),
        webhook: webhook.map(str::to_owned),
        cancel_after: None,
        created_at: OffsetDateTime::UNIX_EPOCH,
        running: false,
        predict_seconds: 0.5,
        ended: None,
    })
}

/// A URL, or up to 256 kB within the question.
fn is_file(text: &str) -> bool {
    text.starts_with("http") || (text.starts_with("data:") && text.len() <= 256_000)
}

async fn show(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let state = server.inner.state();
    let found = state.records.iter().find(|record| record.id == id);
    match found.filter(|_| !state.forgotten.contains(&id)) {
        Some(record) => {
            Json(record.view(server.inner.clock.now(), state.echoes_webhooks)).into_response()
        }
        None => not_found(),
    }
}

async fn cancel(State(server): State<Server>, Path(id): Path<String>) -> Response {
    let now = server.inner.clock.now();
    let mut state = server.inner.state();
    let ignores_cancel = state.ignores_cancel;
    let Some(record) = state.records.iter_mut().find(|record| record.id == id) else {
        return not_found();
    };
    // In the queue nothing has run yet.
    let ending = match record.running {
        true => Ending::Canceled,
        false => Ending::Aborted,
    };
    if !ignores_cancel {
        record.end(now, ending);
    }
    Json(record.view(now, true)).into_response()
}

/// Newest first; `cursor` is a number of records to leave out.
async fn list(
    State(server): State<Server>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let now = server.inner.clock.now();
    let state = server.inner.state();
    let after = query
        .get("created_after")
        .map(|text| OffsetDateTime::parse(text, &Rfc3339));
    let Ok(after) = after.transpose() else {
        return invalid("created_after", "is not a date and time");
    };
    let skip: usize = query
        .get("cursor")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let found: Vec<Value> = state
        .records
        .iter()
        .rev()
        .filter(|record| after.is_none_or(|after| record.created_at >= after))
        .filter(|record| !state.forgotten.contains(&record.id))
        .map(|record| record.view(now, state.echoes_webhooks))
        .collect();
    let more = found.len() > skip + PAGE;
    let next = more.then(|| format!("{}/predictions?cursor={}", server.base, skip + PAGE));
    let results: Vec<Value> = found.into_iter().skip(skip).take(PAGE).collect();
    Json(json!({ "next": next, "previous": null, "results": results })).into_response()
}

async fn models(State(server): State<Server>) -> Json<Value> {
    let results = catalogue::listed(&server.inner.state());
    Json(json!({ "next": null, "previous": null, "results": results }))
}

async fn account() -> Json<Value> {
    Json(json!({ "type": "user", "username": "world", "name": "World" }))
}

async fn secret() -> Json<Value> {
    Json(json!({ "key": SECRET }))
}
