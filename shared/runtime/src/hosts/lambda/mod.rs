//! AWS Lambda: requests, batches of messages, schedules and direct calls, sorted by their shape.
//!
//! The next event is awaited without a time limit, because an environment may be frozen for hours
//! between two calls. Errors are said as `Diagnostic`s of our own: the default name of an error is
//! the path of a Rust type.

mod batch;
mod reply;
mod shape;

use std::time::Duration;

use futures::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use super::deadline::Deadline;
use super::desk::{Desk, detail, ending};
use crate::{Outcome, telemetry};
use reply::v2;
use shape::Shape;

/// Between SIGTERM and SIGKILL, where an extension lets SIGTERM through at all.
pub(crate) const DRAIN: Duration = Duration::from_millis(300);

/// Why an invocation failed, as Lambda and its retries are told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The event has the marks of a shape and not its fields.
    #[error("the event cannot be read: {0}")]
    Unreadable(String),
    /// A failed record without an identifier would make the whole batch fail anyway.
    #[error("a record of the batch has no messageId")]
    Unnamed,
    /// The handler says "later".
    #[error("{0}")]
    Retry(String),
    /// The handler panicked or took too long.
    #[error("{0}")]
    BrokeOff(String),
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = match &failure {
            Failure::Unreadable(_) => "Compliance.Unreadable",
            Failure::Unnamed => "Compliance.UnnamedRecord",
            Failure::Retry(_) => "Compliance.Retry",
            Failure::BrokeOff(_) => "Compliance.BrokeOff",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: failure.to_string(),
        }
    }
}

/// Answers invocations until the process ends; one at a time, or as many as
/// `AWS_LAMBDA_MAX_CONCURRENCY` says.
pub(crate) async fn lambda(desk: Desk) -> Result<(), lambda_runtime::Error> {
    let service = service_fn(move |event: LambdaEvent<Value>| {
        let desk = desk.clone();
        let invoked = async move {
            let (payload, context) = event.into_parts();
            let ended = invoke(&desk, payload, &context).await;
            telemetry::flush().await;
            ended
        };
        invoked.boxed()
    });
    // Boxed inside and out: the crate's layers make a type too deep for the compiler's limit.
    lambda_runtime::run_concurrent(service).boxed_local().await
}

/// One invocation.
pub(crate) async fn invoke(
    desk: &Desk,
    payload: Value,
    context: &Context,
) -> Result<Value, Failure> {
    let deadline = desk.deadline(Some(context.deadline));
    let call_id = context.request_id.as_str();
    match shape::sort(payload)? {
        Shape::Batch(records) => batch::work(desk, &records, deadline).await,
        Shape::Request(asked) => Ok(v2(&answer(desk, asked, deadline).await)),
        Shape::Schedule(tick) => told(desk.given(tick, call_id, deadline).await),
        Shape::Direct(value) => told(desk.direct(value, call_id, deadline).await),
    }
}

async fn answer(desk: &Desk, asked: shape::Readable, deadline: Deadline) -> crate::Response {
    match asked {
        Ok(asked) => desk.request(asked, deadline).await,
        Err(malformed) => Outcome::malformed(&malformed, shared_domain::Lang::default()).response,
    }
}

fn told(outcome: Outcome) -> Result<Value, Failure> {
    ending(outcome)
        .map(|response| v2(&response))
        .map_err(|outcome| {
            let detail = detail(&outcome);
            match outcome.broke_off {
                true => Failure::BrokeOff(detail),
                false => Failure::Retry(detail),
            }
        })
}
