//! One-shot: a scheduled job (a tick), or one message given on standard input as
//! `{"kind": …, "id": …, "body": …}`.

use bytes::Bytes;
use serde::Deserialize;
use shared_queue::Queue;

use crate::{AnyHandler, Malformed, Outcome, Source, dispatch};

#[derive(Deserialize)]
struct Given {
    kind: String,
    id: String,
    body: serde_json::Value,
}

/// Runs the handler once. Empty input is a tick.
pub async fn once(
    handler: &dyn AnyHandler,
    input: &str,
    queue: &Queue,
) -> Result<Outcome, Malformed> {
    let mut event = super::timer::tick(format!("{}@{}", handler.name(), queue.store().now()));
    if !input.trim().is_empty() {
        let given: Given =
            serde_json::from_str(input).map_err(|error| Malformed(error.to_string()))?;
        event.id = given.id;
        event.source = Source::Message { kind: given.kind };
        event.body = Bytes::from(given.body.to_string());
    }
    Ok(dispatch(handler, &event, queue).await)
}
