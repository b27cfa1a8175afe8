//! The wire: AWS JSON 1.0, one address for all operations.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::{ACCOUNT, BATCH, Inner, Message, SqsMishap, signature};

/// A message, and a batch of them.
const LARGEST: usize = 1024 * 1024;
const LONGEST_DELAY: i64 = 900;

pub(super) fn router(inner: Arc<Inner>) -> Router {
    Router::new().route("/", post(answer)).with_state(inner)
}

/// What is refused: code, and what a person is told.
type Refusal = (&'static str, &'static str);

fn refused((code, message): Refusal) -> Response {
    let status = match code {
        "SignatureDoesNotMatch" | "InvalidClientTokenId" => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": message });
    (status, [("content-type", JSON)], body.to_string()).into_response()
}

const JSON: &str = "application/x-amz-json-1.0";

async fn answer(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match sent(&inner, (&method, &uri, &headers), &body) {
        Ok(answer) => ([("content-type", JSON)], answer.to_string()).into_response(),
        Err(refusal) => refused(refusal),
    }
}

fn sent(
    inner: &Inner,
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    body: &[u8],
) -> Result<Value, Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    signature::check(method, uri, headers, body)?;
    let target = header("x-amz-target");
    if header("content-type") != Some(JSON) || target != Some("AmazonSQS.SendMessageBatch") {
        return Err(("UnknownOperationException", "No such operation."));
    }
    let asked: Value = serde_json::from_slice(body)
        .map_err(|_| ("SerializationException", "The body is no JSON."))?;
    let entries = asked["Entries"].as_array().map(Vec::as_slice);
    let entries = entries.unwrap_or_default();
    fits(entries)?;
    let (now, mut state) = (inner.clock.now(), inner.state());
    let url = asked["QueueUrl"].as_str().unwrap_or_default();
    let name = url.strip_prefix(&format!("{}/{ACCOUNT}/", inner.base));
    let mishap = state.mishaps.pop_front();
    state.batches.push(entries.len());
    let queue = name.and_then(|name| state.queues.get_mut(name));
    let queue = queue.ok_or(("QueueDoesNotExist", "The specified queue does not exist."))?;
    let lost = match mishap {
        Some(SqsMishap::Throttled) => return Err(("ThrottlingException", "Rate exceeded")),
        Some(SqsMishap::SomeFail(count)) => count,
        None => 0,
    };
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (place, entry) in entries.iter().enumerate() {
        let (id, body) = (
            &entry["Id"],
            entry["MessageBody"].as_str().unwrap_or_default(),
        );
        let delay = entry["DelaySeconds"].as_i64().unwrap_or(0);
        let fault = match () {
            () if place < lost => Some((false, "InternalError")),
            () if body.is_empty() => Some((true, "MissingParameter")),
            () if !(0..=LONGEST_DELAY).contains(&delay) => Some((true, "InvalidParameterValue")),
            () => None,
        };
        if let Some((sender, code)) = fault {
            failed.push(json!({ "Id": id, "SenderFault": sender, "Code": code, "Message": "no" }));
            continue;
        }
        let message = Message::new(body, now, delay);
        // No client of ours compares the digest.
        successful.push(json!({ "Id": id, "MessageId": message.id, "MD5OfMessageBody": "" }));
        queue.messages.push(message);
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// What is wrong with a batch as a whole.
fn fits(entries: &[Value]) -> Result<(), Refusal> {
    let ids: BTreeSet<&str> = entries.iter().filter_map(|e| e["Id"].as_str()).collect();
    let is_name = |id: &&str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=80).contains(&id.len()) && id.bytes().all(known)
    };
    let bodies = entries.iter().filter_map(|e| e["MessageBody"].as_str());
    let size: usize = bodies.map(str::len).sum();
    match () {
        () if entries.is_empty() => Err(("EmptyBatchRequest", "There are no messages.")),
        () if entries.len() > BATCH => Err((
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are 10.",
        )),
        () if ids.len() != entries.len() => Err(("BatchEntryIdsNotDistinct", "Id repeated.")),
        () if !ids.iter().all(is_name) => Err((
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores.",
        )),
        () if size > LARGEST => Err(("BatchRequestTooLong", "Batch requests cannot be longer.")),
        () => Ok(()),
    }
}
