//! A batch of SQS messages: one at a time, and only the failed ones come again.

use serde_json::{Value, json};

use super::Failure;
use super::shape::Record;
use crate::hosts::deadline::Deadline;
use crate::hosts::desk::{Desk, ending};

/// Works through a batch. Of a queue that keeps an order, nothing after a failure is begun: it must
/// come again behind the one that failed.
pub(super) async fn work(
    desk: &Desk,
    records: &[Record],
    deadline: Deadline,
) -> Result<Value, Failure> {
    let mut failed = Vec::new();
    for record in records {
        let waits = record.is_fifo() && !failed.is_empty();
        if !waits && is_done(desk, record, deadline).await {
            continue;
        }
        match record.message_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => failed.push(json!({ "itemIdentifier": id })),
            None => return Err(Failure::Unnamed),
        }
    }
    Ok(json!({ "batchItemFailures": failed }))
}

async fn is_done(desk: &Desk, record: &Record, deadline: Deadline) -> bool {
    let call_id = record.message_id.as_deref().unwrap_or_default();
    let outcome = desk.letter(&record.body, call_id, deadline).await;
    // A retry is a message of its own, which waits as long as the verdict says. This one would come
    // back beside it, be counted, and in the end lie among the dead letters for nothing.
    outcome.comes_anew || ending(outcome).is_ok()
}
