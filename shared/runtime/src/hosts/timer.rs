//! The embedded schedule: a tick every period until the stop.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use shared_queue::Queue;
use tokio_util::sync::CancellationToken;

use crate::{AnyHandler, Event, Source, dispatch, metrics};

/// Sends a tick at once and then every `period`.
pub async fn timer(
    handler: Arc<dyn AnyHandler>,
    period: Duration,
    queue: Queue,
    stop: CancellationToken,
) {
    metrics::expect(handler.name());
    loop {
        let now = queue.store().now();
        let event = tick(format!("{}@{}", handler.name(), now.unix_timestamp()));
        // A sweep may be broken off anywhere: the next one begins afresh.
        tokio::select! {
            _ = dispatch(handler.as_ref(), &event, &queue) => {}
            () = stop.cancelled() => return,
        }
        if tokio::time::timeout(period, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

pub(crate) fn tick(id: String) -> Event {
    Event {
        id,
        attempt: 1,
        lease: None,
        trace: None,
        source: Source::Tick,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}
