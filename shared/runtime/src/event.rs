//! One event, the same whatever host brought it.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use shared_domain::{Delivery, Lang, Message, OutboxId};

/// Where an event came from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A message of our own, by its kind.
    Message {
        /// `VideoUploaded`.
        kind: String,
    },
    /// A request at a door.
    Request {
        /// HTTP method.
        method: Method,
        /// Path below the function's own, with its leading slash; empty at the function itself.
        path: String,
        /// Query string without the question mark.
        query: String,
    },
    /// The clock.
    Tick,
}

/// What a handler is given besides its input.
#[derive(Debug, Clone)]
pub struct Event {
    /// Survives redelivery: outbox row, `webhook-id`, client key, schedule and period.
    pub id: String,
    /// 1 at the first start.
    pub attempt: u32,
    /// Outbox row and epoch of the lease, when there is one.
    pub lease: Option<(OutboxId, i64)>,
    /// W3C `traceparent`.
    pub trace: Option<String>,
    /// Where it came from.
    pub source: Source,
    /// Request headers; empty for messages.
    pub headers: HeaderMap,
    /// The bytes as they came: signatures are checked over these.
    pub body: Bytes,
}

impl Event {
    /// The key under which a transaction takes note of this event.
    pub fn delivery(&self, handler: &'static str) -> Delivery {
        Delivery {
            handler,
            event_id: self.id.clone(),
            lease: self.lease,
            trace: self.trace.clone(),
        }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The language that the caller asks for; English when it does not say.
    pub fn lang(&self) -> Lang {
        self.header("accept-language")
            .unwrap_or("")
            .parse()
            .unwrap_or_default()
    }

    /// Parses the body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        serde_json::from_slice(&self.body).map_err(|error| Malformed(error.to_string()))
    }
}

/// The event is not what this handler reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot be read: {0}")]
pub struct Malformed(pub String);

/// Reads a handler's input from an event.
pub trait FromEvent: Sized {
    /// Fails with `Malformed`, which is a `Reject`.
    fn from_event(event: &Event) -> Result<Self, Malformed>;
}

impl<M: Message> FromEvent for M {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        message(event).unwrap_or_else(|| Err(Malformed(format!("expected {}", M::KIND))))
    }
}

/// The message `M`, when the event is one: for handlers that read several kinds.
pub fn message<M: Message>(event: &Event) -> Option<Result<M, Malformed>> {
    match &event.source {
        Source::Message { kind } if kind == M::KIND => Some(event.json()),
        _ => None,
    }
}

/// The clock struck: input of scheduled functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick;

impl FromEvent for Tick {
    fn from_event(_: &Event) -> Result<Self, Malformed> {
        Ok(Self)
    }
}
