//! Sends webhooks: start and output once, the end until it is acknowledged or the pauses are used up.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use shared_replicate::signature;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::Inner;
use super::record::Record;

/// Deliveries under way at a time.
const CONCURRENT: usize = 8;

/// A receiver stores and answers; the work comes later.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends what is due until the service stops. What is not acknowledged by then stays due.
pub(super) async fn send_due(inner: Arc<Inner>) {
    let slots = Arc::new(Semaphore::new(CONCURRENT));
    let mut tasks = JoinSet::new();
    while let Some(id) = inner.deliveries.next(&inner.stopping).await {
        let (inner, slots) = (inner.clone(), slots.clone());
        tasks.spawn(async move {
            if let Err(error) = deliver(&inner, &slots, &id).await {
                warn!(prediction.id = %id, "a webhook cannot be read or marked: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                inner.deliveries.push(id);
            }
        });
        while tasks.try_join_next().is_some() {}
    }
    while tasks.join_next().await.is_some() {}
}

async fn deliver(inner: &Inner, slots: &Semaphore, id: &str) -> std::io::Result<()> {
    let mut pauses = inner.config.webhook_pauses.iter();
    loop {
        let Some(record) = inner.store.find(id).await? else {
            return Ok(());
        };
        if !record.webhook_due {
            return Ok(());
        }
        let sent = {
            let _slot = slots.acquire().await;
            tokio::select! {
                sent = send(inner, &record, "completed", PATIENCE) => sent,
                () = inner.stopping.cancelled() => return Ok(()),
            }
        };
        let pause = if sent { None } else { pauses.next() };
        let Some(pause) = pause else {
            if !sent {
                warn!(prediction.id = %id, "a webhook was never acknowledged");
            }
            let done = |record: &mut Record| std::mem::take(&mut record.webhook_due);
            return inner.store.update(id, done).await.map(drop);
        };
        tokio::select! {
            () = tokio::time::sleep(*pause) => {}
            () = inner.stopping.cancelled() => return Ok(()),
        }
    }
}

/// Tells of the start, if that is wanted; nobody waits for it and it is not repeated.
pub(super) async fn announce_start(inner: &Inner, record: &Record) {
    if record.wants("start") {
        send(inner, record, "start", Duration::from_secs(2)).await;
    }
}

/// Tells of the output before the prediction ends, if that is wanted; as with the start, nobody waits
/// for it. Our models answer at once and write no log: there is one such event, and none of `logs`.
pub(super) async fn announce_output(
    inner: &Inner,
    id: &str,
    output: &Value,
) -> std::io::Result<()> {
    if let Some(mut record) = inner.store.find(id).await?
        && record.wants("output")
        && !record.phase.is_terminal()
    {
        record.output = output.clone();
        send(inner, &record, "output", Duration::from_secs(2)).await;
    }
    Ok(())
}

/// Whether the receiver acknowledged.
async fn send(inner: &Inner, record: &Record, event: &str, patience: Duration) -> bool {
    // Checked again: the settings may have changed since the prediction was created.
    let address = record
        .webhook
        .as_deref()
        .and_then(|text| inner.webhooks.parse(text));
    let Some(address) = address else { return false };
    let body = record.view(&inner.config.public_base_url).to_string();
    // The id is the same when a delivery is repeated, the timestamp is not.
    let message = format!("msg_{}_{event}", record.id);
    let timestamp = inner.clock.now().unix_timestamp().to_string();
    let secret = &inner.config.webhook_secret;
    let Ok(signature) = signature::sign(secret, &message, &timestamp, body.as_bytes()) else {
        return false;
    };
    let request = inner
        .http
        .request(Method::POST, address)
        .timeout(patience)
        .header("content-type", "application/json")
        .header("webhook-id", message)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(body);
    match request.send().await {
        Ok(answer) => answer.status().is_success(),
        Err(error) => {
            debug!(prediction.id = %record.id, "a webhook did not arrive: {}", error.without_url());
            false
        }
    }
}
