//! Runs predictions, one at a time per worker, on its own thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use shared_runtime::continue_trace;
use time::OffsetDateTime;
use tracing::field::Empty;
use tracing::{Instrument, Span, error_span, info, warn};
use url::Url;

use super::record::{Phase, Record};
use super::thread::{ModelThread, Panicked};
use super::{Inner, fetch, webhook};
use crate::predictor::{Cancel, PredictError};

/// After this many runs that ended with the process, the input is taken to be the cause. The queue of
/// an embedded system bears as many deaths: on a laptop it is mostly the person who ends the process.
pub(super) const MAX_STARTS: u32 = 15;

/// How a run ended.
enum End {
    Output(Value, Duration),
    Failed(String),
    /// Somebody else has ended it, or the service stops.
    Dropped,
}

/// Takes predictions from the queue until the service stops.
pub(super) async fn work(inner: Arc<Inner>) {
    let thread = ModelThread::start();
    while let Some(id) = inner.work.next(&inner.stopping).await {
        if let Err(error) = run(&inner, &thread, &id).await {
            warn!(prediction.id = %id, "the state of a prediction cannot be written: {error}");
            // A full disk may get room again; the prediction must not be forgotten until the next start.
            tokio::time::sleep(Duration::from_secs(1)).await;
            inner.work.push(id);
        }
    }
}

async fn run(inner: &Inner, thread: &ModelThread, id: &str) -> std::io::Result<()> {
    let cancel = Cancel::default();
    // Before the state says `processing`, so that a cancel that sees it finds the flag.
    inner.running().insert(id.to_owned(), cancel.clone());
    let result = run_flagged(inner, thread, id, &cancel).await;
    inner.running().remove(id);
    result
}

async fn run_flagged(
    inner: &Inner,
    thread: &ModelThread,
    id: &str,
    cancel: &Cancel,
) -> std::io::Result<()> {
    let now = inner.clock.now();
    if inner.overdue(id, now).await? {
        return Ok(());
    }
    let mut is_open = false;
    let begin = |record: &mut Record| {
        is_open = !record.phase.is_terminal();
        record.phase = if is_open {
            Phase::Processing
        } else {
            record.phase
        };
        record.started_at = record.started_at.or(Some(now));
        record.starts += 1;
        is_open
    };
    let Some(record) = inner.store.update(id, begin).await? else {
        return Ok(());
    };
    if !is_open {
        return Ok(());
    }
    let span = span_of(&record);
    let answered = answer_begun(inner, thread, record, cancel);
    answered.instrument(span).await
}

/// Whoever asked gave the trace with the address that he is called back at.
fn span_of(record: &Record) -> Span {
    // Of the level of errors, so that no `LOG_LEVEL` takes its ids from a line.
    let span = error_span!(
        "predict",
        prediction.id = record.id,
        trace_id = Empty,
        span_id = Empty
    );
    let webhook = record
        .webhook
        .as_deref()
        .and_then(|url| Url::parse(url).ok());
    let given = webhook.as_ref().and_then(|url| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(name, value)| (name == "traceparent").then(|| value.into_owned()))
    });
    continue_trace(&span, given.as_deref());
    span
}

async fn answer_begun(
    inner: &Inner,
    thread: &ModelThread,
    record: Record,
    cancel: &Cancel,
) -> std::io::Result<()> {
    let id = record.id.clone();
    let id = id.as_str();
    webhook::announce_start(inner, &record).await;
    let deadline = record.deadline;
    let watch = async {
        tokio::select! {
            () = until(deadline, inner.clock.now()) => inner.end(id, Phase::Canceled).await.map(drop),
            () = inner.stopping.cancelled() => {
                cancel.cancel();
                Ok(())
            }
        }
    };
    let answer = answer(inner, thread, record, cancel);
    tokio::pin!(answer);
    let end = tokio::select! {
        end = &mut answer => end,
        // The thread is still busy: this worker is not free before it has looked at the flag.
        watched = watch => { watched?; answer.await }
    };
    if let End::Output(output, _) = &end {
        webhook::announce_output(inner, id, output).await?;
    }
    finish(inner, id, end).await
}

/// Never, without a deadline.
async fn until(deadline: Option<OffsetDateTime>, now: OffsetDateTime) {
    match deadline {
        Some(at) => tokio::time::sleep((at - now).try_into().unwrap_or_default()).await,
        None => std::future::pending().await,
    }
}

async fn answer(inner: &Inner, thread: &ModelThread, record: Record, cancel: &Cancel) -> End {
    if record.starts > MAX_STARTS {
        return End::Failed("the process ended each time while it ran (code: E1001)".into());
    }
    let Some(model) = inner.model(&record.version).cloned() else {
        return End::Failed("this version of the model is no longer here".into());
    };
    let input = tokio::select! {
        input = fetch::fetch(inner, model.card(), record.input) => input,
        () = inner.stopping.cancelled() => return End::Dropped,
    };
    let input = match input {
        Ok(input) => input,
        Err(why) => return End::Failed(why),
    };
    if cancel.is_cancelled() {
        return End::Dropped;
    }
    let flag = cancel.clone();
    let job = thread.run(move || {
        let begun = Instant::now();
        let result = model.predict(&input, &flag);
        (result, begun.elapsed())
    });
    match job.await {
        Ok((Ok(output), took)) => End::Output(output, took),
        Ok((Err(PredictError::Cancelled), _)) => End::Dropped,
        Ok((Err(error), _)) => End::Failed(error.to_string()),
        Err(Panicked) => End::Failed("the model panicked".into()),
    }
}

async fn finish(inner: &Inner, id: &str, end: End) -> std::io::Result<()> {
    let now = inner.clock.now();
    let stopping = inner.stopping.is_cancelled();
    let change = |record: &mut Record| {
        if record.phase.is_terminal() {
            return false;
        }
        match end {
            End::Output(output, took) => {
                record.output = output;
                record.predict_time = Some(took.as_secs_f64());
                record.end(Phase::Succeeded, now);
            }
            End::Failed(error) => {
                record.error = Some(error);
                record.end(Phase::Failed, now);
            }
            // It is not the input's fault that the service stops.
            End::Dropped if stopping => {
                record.phase = Phase::Starting;
                record.starts = record.starts.saturating_sub(1);
            }
            End::Dropped => {
                record.error = Some("the model gave up without being asked to".into());
                record.end(Phase::Failed, now);
            }
        }
        true
    };
    let Some(record) = inner.store.update(id, change).await? else {
        return Ok(());
    };
    if record.webhook_due {
        inner.deliveries.push(id.to_owned());
    }
    let (phase, seconds) = (record.phase, record.predict_time);
    info!(prediction.id = %id, model = %record.model, ?phase, ?seconds, "prediction left its worker");
    Ok(())
}

impl Inner {
    /// Ends a prediction whose deadline passed in the queue.
    pub(super) async fn overdue(&self, id: &str, now: OffsetDateTime) -> std::io::Result<bool> {
        let waiting = self.store.phase(id) == Some(Phase::Starting);
        let is_overdue = |record: &Record| record.deadline.is_some_and(|at| at <= now);
        let found = if waiting {
            self.store.find(id).await?
        } else {
            None
        };
        let overdue = found.as_ref().is_some_and(is_overdue);
        if overdue {
            self.end(id, Phase::Aborted).await?;
        }
        Ok(overdue)
    }
}
