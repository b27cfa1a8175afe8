//! One delivery of one event to one handler: the key of the inbox.

use crate::OutboxId;

/// What a transaction needs to know of the event that it answers.
///
/// `lease` is set for messages from the queue: the epoch under which this worker claimed the row.
/// A transaction of an older epoch is fenced off: it commits nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `Handler::NAME`.
    pub handler: &'static str,
    /// Survives redelivery.
    pub event_id: String,
    /// Outbox row and epoch, when a lease stands behind this delivery.
    pub lease: Option<(OutboxId, i64)>,
    /// W3C `traceparent`, carried into every message that the transaction sends.
    pub trace: Option<String>,
}
