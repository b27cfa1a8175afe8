//! What no door takes: a message of our own, or the stroke of the clock, as JSON.
//!
//! A message whose row stands in the outbox is worked on under that row's lease, exactly as a worker
//! does it; what is in the row counts, not what the transport carried.

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use shared_domain::{Lang, OutboxId};
use shared_queue::Queue;
use shared_store::{Claim, Claimed, DeadEvent, StoreError};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, warn};

use super::deadline::Deadline;
use super::worker::{event_of, keep, settle};
use crate::dispatch::{dispatch_within, span_of};
use crate::{AnyHandler, Event, Malformed, Outcome, Source, Verdict};

/// The kind that stands for the clock.
const TICK: &str = "Tick";

/// `{"kind": …, "id": …, "body": …, "trace": …}`: a message on its way.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Given {
    /// The name of the fact, or `Tick`.
    pub(crate) kind: String,
    /// The row of the outbox, or whatever stays the same when the sender repeats it.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// The message.
    #[serde(default)]
    pub(crate) body: Value,
    /// W3C `traceparent` of the sender.
    #[serde(default)]
    pub(crate) trace: Option<String>,
}

impl Given {
    /// Nothing at all (null or an empty object) is a tick.
    pub(crate) fn parse(value: Value) -> Result<Self, Malformed> {
        let is_empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
        if is_empty {
            return Ok(Self::tick(None));
        }
        if !value.is_object() {
            return Err(Malformed("neither a message nor a tick: no object".into()));
        }
        serde_json::from_value(value)
            .map_err(|error| Malformed(format!("neither a message nor a tick: {error}")))
    }

    /// A tick; `id` names the schedule and the period.
    pub(crate) fn tick(id: Option<String>) -> Self {
        Self {
            kind: TICK.to_owned(),
            id,
            body: Value::Null,
            trace: None,
        }
    }

    /// As its handler sees it; without an id of its own it goes by that of the call.
    fn event(self, call_id: &str) -> Event {
        let is_tick = self.kind == TICK;
        Event {
            id: self.id.unwrap_or_else(|| call_id.to_owned()),
            attempt: 1,
            lease: None,
            trace: self.trace,
            source: match is_tick {
                true => Source::Tick,
                false => Source::Message { kind: self.kind },
            },
            headers: HeaderMap::new(),
            body: match is_tick {
                true => Bytes::new(),
                false => Bytes::from(self.body.to_string()),
            },
        }
    }
}

/// One call of a platform.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    /// The platform's own name for it, the same when the platform repeats it.
    pub(crate) id: &'a str,
    /// When it will be ended.
    pub(crate) deadline: Deadline,
    /// The stop of the process.
    pub(crate) stop: &'a CancellationToken,
}

/// Brings a message or a tick to its handler and writes the verdict down.
pub(crate) async fn deliver(
    handler: &dyn AnyHandler,
    given: Given,
    queue: &Queue,
    occasion: Occasion<'_>,
) -> Outcome {
    if occasion.deadline.is_over() || occasion.stop.is_cancelled() {
        return Outcome::later("no time was left to begin".to_owned());
    }
    let row = given
        .id
        .as_deref()
        .and_then(|id| id.parse::<OutboxId>().ok());
    let claim = match row {
        Some(event_id) => queue.claim_event(event_id, handler.name()).await,
        None => Ok(Claim::Unknown),
    };
    match claim {
        Ok(Claim::Ours(claimed)) => {
            let event = event_of(&claimed);
            let span = span_of(handler.name(), &event);
            let working = under_lease(handler, (&event, &claimed), queue, occasion);
            working.instrument(span).await
        }
        Ok(Claim::Finished) => Outcome::before("it was finished before".to_owned()),
        Ok(Claim::NotNow) => Outcome::later("another start has it, or it is not due".to_owned()),
        Ok(Claim::Unknown) => {
            let event = given.event(occasion.id);
            let span = span_of(handler.name(), &event);
            let working = alone(handler, &event, queue, occasion);
            working.instrument(span).await
        }
        Err(error) => Outcome::failed(&error, Lang::default()),
    }
}

/// Gives up what cannot even be read as a message.
pub(crate) async fn refuse(
    handler: &dyn AnyHandler,
    raw: &str,
    malformed: &Malformed,
    queue: &Queue,
    call_id: &str,
) -> Outcome {
    let outcome = Outcome::malformed(malformed, Lang::default());
    warn!(
        handler = handler.name(),
        "a call cannot be read: {malformed}"
    );
    let letter = DeadEvent {
        handler: handler.name(),
        event_id: call_id,
        kind: "unreadable",
        body: raw,
        error: &malformed.to_string(),
    };
    buried(queue, letter, outcome).await
}

async fn alone(
    handler: &dyn AnyHandler,
    event: &Event,
    queue: &Queue,
    occasion: Occasion<'_>,
) -> Outcome {
    let working = dispatch_within(handler, event, queue, occasion.deadline.left());
    let outcome = tokio::select! {
        outcome = working => outcome,
        () = occasion.stop.cancelled() => return Outcome::later("the process stops".to_owned()),
    };
    match (&event.source, outcome.verdict) {
        (Source::Message { kind }, Verdict::Reject) => {
            let (body, error) = (text(&event.body), outcome.error.clone().unwrap_or_default());
            let letter = DeadEvent {
                handler: handler.name(),
                event_id: &event.id,
                kind,
                body: &body,
                error: &error,
            };
            buried(queue, letter, outcome).await
        }
        _ => outcome,
    }
}

fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// Without its dead letter a refusal would leave no trace: then it has to come again.
async fn buried(queue: &Queue, letter: DeadEvent<'_>, outcome: Outcome) -> Outcome {
    match queue.store().bury_event(letter).await {
        Ok(()) => outcome,
        Err(error) => Outcome::failed(&error, Lang::default()),
    }
}

async fn under_lease(
    handler: &dyn AnyHandler,
    (event, claimed): (&Event, &Claimed),
    queue: &Queue,
    occasion: Occasion<'_>,
) -> Outcome {
    let outcome = tokio::select! {
        outcome = dispatch_within(handler, event, queue, occasion.deadline.left()) => outcome,
        () = keep(queue, claimed) => {
            return Outcome::later("the lease was lost; the work is dropped".to_owned());
        }
        () = occasion.stop.cancelled() => {
            info!(event.id = %event.id, "stopping: the lease is given back");
            let given = queue.store().give_back(claimed.event_id, claimed.epoch).await;
            return noted(given, Outcome::later("the process stops".to_owned()), claimed);
        }
    };
    let settled = settle(handler.name(), claimed, &outcome, queue).await;
    let comes_anew = settled.is_ok() && queue.sends_anew();
    let outcome = noted(settled, outcome, claimed);
    queue.over(claimed).await;
    Outcome {
        comes_anew,
        ..outcome
    }
}

/// A verdict that was not written down has not been passed: the next delivery reads the row.
fn noted(written: Result<(), StoreError>, outcome: Outcome, claimed: &Claimed) -> Outcome {
    match written {
        Ok(()) => outcome,
        Err(error) => {
            error!(event.id = %claimed.event_id, %error, "the verdict could not be written");
            Outcome::later("the verdict could not be written".to_owned())
        }
    }
}
