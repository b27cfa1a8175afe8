//! The end of a question: its answer is stored and counted in one transaction, and whoever counts the
//! last one leads the run on.

use serde_json::Value;
use shared_domain::{Detection, ExecutionId, PredictionId, VideoId};

use crate::dialect::{bulk, rows};
use crate::predictions::PredictionStatus;
use crate::values::{Id, Json, id, text_without_nul, ts};
use crate::{StoreError, Tx};

/// How a question ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Closing {
    /// One of the closed ones.
    pub status: PredictionStatus,
    /// The raw answer, kept for audit and for the cache.
    pub answer: Option<Value>,
    /// Time on the model, as billed.
    pub predict_seconds: Option<f64>,
    /// What the last try cost.
    pub cost_usd: f64,
    /// Why it failed or is undecided.
    pub error: Option<String>,
}

/// The state of the run after a question was closed. Whoever sees `done == planned` goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fan {
    /// The run.
    pub execution_id: ExecutionId,
    /// Its video.
    pub video_id: VideoId,
    /// Questions written down.
    pub planned: i64,
    /// Questions closed.
    pub done: i64,
}

impl Fan {
    /// Whether this was the last answer.
    pub fn is_complete(&self) -> bool {
        self.done >= self.planned
    }
}

impl Tx {
    /// Stores an answer with what it says and counts it in the run; `None` when the question is
    /// closed already. Fails with `Conflict` when `closing` does not close.
    pub async fn close_prediction(
        &mut self,
        prediction_id: PredictionId,
        closing: &Closing,
        detections: &[Detection],
    ) -> Result<Option<Fan>, StoreError> {
        if !closing.status.is_closed() {
            let key = closing.status.to_string();
            return Err(StoreError::Conflict {
                what: "an open question with status",
                key,
            });
        }
        let now = ts(self.now());
        let closed = rows!(
            fetch_optional as (Id, Id),
            self.link(),
            "update predictions set status = $2, answer = $3, predict_seconds = $4, \
             cost_usd = cost_usd + $5, error = $6, closed_at = $7 where prediction_id = $1 \
             and status in ('planned', 'submitting', 'submitted') returning execution_id, video_id",
            id(prediction_id),
            closing.status.as_str(),
            closing.answer.as_ref().map(Json),
            closing.predict_seconds,
            closing.cost_usd,
            closing.error.as_deref().map(text_without_nul),
            now,
        )?;
        let Some((execution_id, video_id)) = closed else {
            return Ok(None);
        };
        self.unreserve(prediction_id).await?;
        self.spend(video_id.into(), closing.cost_usd).await?;
        self.add_detections(prediction_id, execution_id, detections)
            .await?;
        self.count_in(execution_id, closing).await.map(Some)
    }

    async fn add_detections(
        &mut self,
        prediction_id: PredictionId,
        execution_id: Id,
        detections: &[Detection],
    ) -> Result<(), StoreError> {
        let numbered: Vec<(i64, &Detection)> = (0..).zip(detections).collect();
        bulk!(
            self.link(),
            "insert into detections (prediction_id, ordinal, execution_id, task, label, score, \
             start_ms, end_ms, bbox, text, words, object_key) ",
            numbered,
            |(ordinal, found)| [
                id(prediction_id),
                ordinal,
                execution_id,
                found.task.as_str(),
                &found.label,
                found.score,
                found.start_ms,
                found.end_ms,
                found.bbox.map(Json),
                found.text.as_deref(),
                Json(&found.words),
                &found.object_key,
            ],
            ""
        )?;
        Ok(())
    }

    /// The run's row is locked by the update, so that of two last answers one sees the other.
    async fn count_in(&mut self, execution_id: Id, closing: &Closing) -> Result<Fan, StoreError> {
        let calls = i64::from(closing.status != PredictionStatus::Cached);
        let (video_id, planned, done) = rows!(
            fetch_one as (Id, i64, i64),
            self.link(),
            "update executions set done = done + 1, api_calls_count = api_calls_count + $2, \
             cost_actual_usd = cost_actual_usd + $3 where execution_id = $1 \
             returning video_id, planned, done",
            execution_id,
            calls,
            closing.cost_usd,
        )?;
        let (execution_id, video_id) = (execution_id.into(), video_id.into());
        Ok(Fan {
            execution_id,
            video_id,
            planned,
            done,
        })
    }
}
