//! What kind of event a payload is. Several kinds come to one function, and nothing outside the
//! payload tells them apart.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, header};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::Failure;
use crate::Malformed;
use crate::hosts::desk::{Asked, header_map};
use crate::hosts::direct::Given;

/// A request, unless what it carries cannot be one.
pub(super) type Readable = Result<Asked, Malformed>;

/// An event by its shape.
#[derive(Debug)]
pub(super) enum Shape {
    /// Messages from SQS.
    Batch(Vec<Record>),
    /// HTTP API v2 or a Function URL.
    Request(Readable),
    /// A rule of `EventBridge`.
    Schedule(Given),
    /// Anything else: a message or a tick of our own.
    Direct(Value),
}

/// One message of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// Names it in the answer.
    #[serde(default)]
    pub(super) message_id: Option<String>,
    /// Our own message.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) body: String,
    #[serde(default, deserialize_with = "or_default")]
    attributes: Map<String, Value>,
}

impl Record {
    /// Whether its queue keeps an order.
    pub(super) fn is_fifo(&self) -> bool {
        self.attributes.contains_key("MessageGroupId")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HttpV2 {
    #[serde(default, deserialize_with = "or_default")]
    raw_path: String,
    #[serde(default, deserialize_with = "or_default")]
    raw_query_string: String,
    #[serde(default, deserialize_with = "or_default")]
    headers: Map<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    cookies: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    body: String,
    #[serde(default, deserialize_with = "or_default")]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

/// Emulators write null where Lambda leaves a field out.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    field: D,
) -> Result<T, D::Error> {
    Option::deserialize(field).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
struct RequestContext {
    http: Http,
    #[serde(default)]
    stage: Option<String>,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// Tells the shapes apart in the order in which their marks are unmistakable.
pub(super) fn sort(payload: Value) -> Result<Shape, Failure> {
    if payload["Records"][0]["eventSource"] == "aws:sqs" {
        let records = payload["Records"].clone();
        return read(records).map(Shape::Batch);
    }
    if payload["requestContext"]["http"].is_object() {
        return read(payload).map(|event: HttpV2| Shape::Request(asked(event)));
    }
    if payload["detail-type"].is_string() && payload["source"].is_string() {
        return Ok(Shape::Schedule(tick(&payload)));
    }
    Ok(Shape::Direct(payload))
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| Failure::Unreadable(error.to_string()))
}

/// Rule and moment name the tick, so that a repeated event is the same tick.
fn tick(payload: &Value) -> Given {
    let rule = payload["resources"][0].as_str();
    let named = rule.zip(payload["time"].as_str());
    let id = match named {
        Some((rule, time)) => Some(format!("{rule}@{time}")),
        None => payload["id"].as_str().map(str::to_owned),
    };
    Given::tick(id)
}

fn asked(event: HttpV2) -> Readable {
    let mut headers = header_map(&event.headers);
    if !event.cookies.is_empty() {
        let cookies = HeaderValue::from_str(&event.cookies.join("; "));
        headers.insert(header::COOKIE, cookies.map_err(|_| malformed("cookies"))?);
    }
    let body = match event.is_base64_encoded {
        true => STANDARD.decode(event.body).map_err(|_| malformed("body"))?,
        false => event.body.into_bytes(),
    };
    let stage = event.request_context.stage.unwrap_or_default();
    Ok(Asked {
        method: event.request_context.http.method,
        path: without_stage(&event.raw_path, &stage).to_owned(),
        query: event.raw_query_string,
        headers,
        body,
    })
}

fn malformed(part: &str) -> Malformed {
    Malformed(format!("its {part} are not what their encoding says"))
}

/// API Gateway puts the stage before the path, except the default stage.
fn without_stage<'a>(path: &'a str, stage: &str) -> &'a str {
    let rest = path
        .strip_prefix('/')
        .and_then(|path| path.strip_prefix(stage));
    match rest {
        Some(rest) if stage != "$default" && !stage.is_empty() => match rest.is_empty() {
            true => "/",
            false if rest.starts_with('/') => rest,
            false => path,
        },
        _ => path,
    }
}
