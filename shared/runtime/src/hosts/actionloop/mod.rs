//! `OpenWhisk` and DigitalOcean Functions: one line of JSON in on standard input, one out on
//! descriptor 3, one call at a time.
//!
//! Standard output carries nothing but the marker that ends a call's log, and that only where the
//! proxy waits for it: a marker too many would frame the next call's log wrongly.

mod marker;
mod web;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tracing::{Instrument, error, info_span};

use super::desk::{Desk, detail, ending};
use crate::{Malformed, telemetry};
use web::Called;

pub(crate) use marker::{EndMarker, Manners};

/// One call, as the proxy writes it. Nothing of it goes into the environment: two functions of one
/// process would read each other's.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    value: Value,
    #[serde(default)]
    activation_id: Option<String>,
    /// Epoch milliseconds, as a number or as text.
    #[serde(default)]
    deadline: Option<Value>,
}

/// Answers calls until standard input ends or the process stops.
pub(crate) async fn action_loop(desk: &Desk, manners: Manners) -> std::io::Result<()> {
    let calls = pipe::OpenOptions::new().open_receiver("/dev/stdin")?;
    let answers = pipe::OpenOptions::new().open_sender("/dev/fd/3")?;
    converse(desk, manners, BufReader::new(calls), answers).await
}

/// The same over any two streams.
pub(crate) async fn converse(
    desk: &Desk,
    manners: Manners,
    mut calls: impl AsyncBufRead + Unpin,
    mut answers: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    if manners.acknowledges {
        // Unasked for, this would be taken for the answer to the first call.
        answers.write_all(b"{\"ok\":true}\n").await?;
        answers.flush().await?;
    }
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = tokio::select! {
            read = calls.read_until(b'\n', &mut line) => read?,
            () = desk.stop().cancelled() => return Ok(()),
        };
        if read == 0 {
            return Ok(());
        }
        let mut answer = answer(desk, &line).await.to_string();
        answer.push('\n');
        // After the answer the platform may stop the process at any point.
        telemetry::flush().await;
        answers.write_all(answer.as_bytes()).await?;
        answers.flush().await?;
        if manners.marks_the_end {
            marker::end_of_log()?;
        }
    }
}

/// The answer to one line; never anything but an object.
async fn answer(desk: &Desk, line: &[u8]) -> Value {
    let line = match read(line) {
        Ok(line) => line,
        Err(malformed) => return failure(&malformed.to_string()),
    };
    let id = line.activation_id.as_deref().unwrap_or("");
    let span = info_span!("activation", activation.id = id);
    let called = AssertUnwindSafe(call(desk, line).instrument(span)).catch_unwind();
    called.await.unwrap_or_else(|_| {
        error!("a call panicked outside its handler");
        failure("the call broke off")
    })
}

fn read(line: &[u8]) -> Result<Line, Malformed> {
    let malformed = |error: serde_json::Error| Malformed(error.to_string());
    let line: Value = serde_json::from_slice(line).map_err(malformed)?;
    if !line.is_object() {
        return Err(Malformed("a call is an object".into()));
    }
    serde_json::from_value(line).map_err(malformed)
}

async fn call(desk: &Desk, line: Line) -> Value {
    let deadline = desk.deadline(line.deadline.as_ref().and_then(epoch_ms));
    let call_id = line.activation_id.unwrap_or_default();
    match web::sort(line.value) {
        Called::Request(Ok(asked)) => web::spoken(&desk.request(asked, deadline).await),
        Called::Request(Err(malformed)) => web::refused(&malformed),
        Called::Direct(value) => match ending(desk.direct(value, &call_id, deadline).await) {
            Ok(response) => web::spoken(&response),
            Err(outcome) => failure(&detail(&outcome)),
        },
    }
}

fn epoch_ms(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

/// What the platform counts as a failure of the function.
fn failure(why: &str) -> Value {
    json!({ "error": why })
}
