//! One-shot: a scheduled job (a tick), or one message given as an argument or on standard input.

use serde_json::Value;
use shared_queue::Queue;
use tokio_util::sync::CancellationToken;

use super::deadline::Deadline;
use super::direct::{Given, Occasion, deliver};
use crate::{AnyHandler, Malformed, Outcome};

/// Runs the handler once. Empty input is a tick.
pub async fn once(
    handler: &dyn AnyHandler,
    input: &str,
    queue: &Queue,
) -> Result<Outcome, Malformed> {
    let value = match input.trim() {
        "" => Value::Null,
        text => serde_json::from_str(text).map_err(|error| Malformed(error.to_string()))?,
    };
    let occasion = Occasion {
        id: &format!("{}@{}", handler.name(), queue.store().now()),
        deadline: Deadline::default(),
        stop: &CancellationToken::new(),
    };
    Ok(deliver(handler, Given::parse(value)?, queue, occasion).await)
}
