//! Questions to models, from the intent to the stored answer, and the fan-in behind them.

use serde_json::Value;
use shared_domain::{Detection, ExecutionId, PredictionId, Target, Task, VideoId};
use time::OffsetDateTime;

use crate::dialect::{bulk, execute, rows};
use crate::evidence::TargetRow;
use crate::values::{Id, Json, Maybe, Name, Ts, id, stored_by_name, ts};
use crate::{Store, StoreError, Tx};

/// How a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PredictionStatus {
    /// Written down.
    Planned,
    /// The call is being made, or was cut off: perhaps the provider has it.
    Submitting,
    /// The provider has it.
    Submitted,
    /// Answered.
    Succeeded,
    /// Answered by an earlier prediction of the same bytes.
    Cached,
    /// Answered, but the answer says nothing that can be relied on.
    Undecided,
    /// Given up.
    Failed,
}

stored_by_name!(PredictionStatus {
    Planned = "planned",
    Submitting = "submitting",
    Submitted = "submitted",
    Succeeded = "succeeded",
    Cached = "cached",
    Undecided = "undecided",
    Failed = "failed",
});

impl PredictionStatus {
    /// Whether nothing more will be learnt.
    pub fn is_closed(self) -> bool {
        match self {
            Self::Planned | Self::Submitting | Self::Submitted => false,
            Self::Succeeded | Self::Cached | Self::Undecided | Self::Failed => true,
        }
    }
}

/// One question put to one model about one target.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Prediction {
    /// Our own key.
    #[sqlx(try_from = "Id")]
    pub prediction_id: PredictionId,
    /// The run that asks.
    #[sqlx(try_from = "Id")]
    pub execution_id: ExecutionId,
    /// The video that is asked about.
    #[sqlx(try_from = "Id")]
    pub video_id: VideoId,
    /// The kind of analysis.
    #[sqlx(try_from = "Name")]
    pub task: Task,
    /// What the model is shown.
    #[sqlx(flatten, try_from = "TargetRow")]
    pub target: Target,
    /// Who runs the model.
    pub provider: String,
    /// The model, as the provider names it.
    pub model: String,
    /// Its pinned version.
    pub version: String,
    /// The provider's id.
    pub provider_id: Option<String>,
    /// How it stands.
    #[sqlx(try_from = "Name")]
    pub status: PredictionStatus,
    /// Submissions begun.
    pub attempts: i64,
    /// The raw answer.
    #[sqlx(json(nullable))]
    pub answer: Option<Value>,
    /// Why it failed or is undecided.
    pub error: Option<String>,
    /// When the last submission began.
    #[sqlx(try_from = "Maybe<Ts>")]
    pub submitted_at: Option<OffsetDateTime>,
}

/// How a question ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Closing {
    /// One of the closed ones.
    pub status: PredictionStatus,
    /// The raw answer, kept for audit and for the cache.
    pub answer: Option<Value>,
    /// Time on the model, as billed.
    pub predict_seconds: Option<f64>,
    /// What it cost.
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

macro_rules! select_prediction {
    ($tail:literal) => {
        concat!(
            "select predictions.prediction_id, predictions.execution_id, predictions.video_id, \
             predictions.task, targets.content_hash, targets.media, targets.object_key, \
             targets.spans, targets.width, targets.height, provider, model, version, \
             provider_id, status, attempts, answer, error, submitted_at \
             from predictions join targets on targets.execution_id = predictions.execution_id \
             and targets.content_hash = predictions.content_hash ",
            $tail
        )
    };
}

impl Store {
    /// The question.
    pub async fn prediction(&self, prediction_id: PredictionId) -> Result<Prediction, StoreError> {
        self.find_prediction(prediction_id)
            .await?
            .ok_or_else(|| StoreError::missing("prediction", prediction_id))
    }

    /// The question, if there is one.
    pub async fn find_prediction(
        &self,
        prediction_id: PredictionId,
    ) -> Result<Option<Prediction>, StoreError> {
        rows!(
            fetch_optional as Prediction,
            self.reader().await?.link(),
            select_prediction!("where prediction_id = $1"),
            id(prediction_id),
        )
    }

    /// The raw answer that this version of the model gave about the same bytes, in any video.
    pub async fn cached_answer(
        &self,
        content_hash: &str,
        model: &str,
        version: &str,
    ) -> Result<Option<Value>, StoreError> {
        let found = rows!(
            fetch_optional as (Json<Value>,),
            self.reader().await?.link(),
            "select answer from predictions where content_hash = $1 and model = $2 \
             and version = $3 and status = 'succeeded' and answer is not null limit 1",
            content_hash,
            model,
            version,
        )?;
        Ok(found.map(|(answer,)| answer.0))
    }

    /// Questions that the provider has had since before a moment, or may have: their webhook is
    /// late or lost.
    pub async fn submitted_before(
        &self,
        moment: OffsetDateTime,
        limit: i64,
    ) -> Result<Vec<Prediction>, StoreError> {
        rows!(
            fetch_all as Prediction,
            self.reader().await?.link(),
            select_prediction!(
                "where status in ('submitting', 'submitted') and submitted_at < $1 \
                 order by submitted_at limit $2"
            ),
            ts(moment),
            limit,
        )
    }
}

impl Tx {
    /// Writes down the intent to submit, the attempt counted; false when the provider has the
    /// question already or it is closed.
    pub async fn begin_submission(
        &mut self,
        prediction_id: PredictionId,
    ) -> Result<bool, StoreError> {
        let now = ts(self.now());
        let begun = execute!(
            self.link(),
            "update predictions set status = 'submitting', attempts = attempts + 1, \
             submitted_at = $2 where prediction_id = $1 and status in ('planned', 'submitting')",
            id(prediction_id),
            now,
        )?;
        Ok(begun == 1)
    }

    /// Notes the provider's id; an answer that came faster keeps the question closed.
    pub async fn submitted(
        &mut self,
        prediction_id: PredictionId,
        provider_id: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update predictions set provider_id = $2, \
             status = case when status in ('planned', 'submitting') then 'submitted' else status end \
             where prediction_id = $1",
            id(prediction_id),
            provider_id,
        )?;
        Ok(())
    }

    /// Takes a question back that the provider lost; false when it is not with the provider.
    pub async fn resubmit(&mut self, prediction_id: PredictionId) -> Result<bool, StoreError> {
        let taken = execute!(
            self.link(),
            "update predictions set status = 'planned', provider_id = null, submitted_at = null \
             where prediction_id = $1 and status in ('submitting', 'submitted')",
            id(prediction_id),
        )?;
        Ok(taken == 1)
    }

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
            fetch_optional as (Id,),
            self.link(),
            "update predictions set status = $2, answer = $3, predict_seconds = $4, cost_usd = $5, \
             error = $6, closed_at = $7 where prediction_id = $1 \
             and status in ('planned', 'submitting', 'submitted') returning execution_id",
            id(prediction_id),
            closing.status.as_str(),
            closing.answer.as_ref().map(Json),
            closing.predict_seconds,
            closing.cost_usd,
            closing.error.as_deref(),
            now,
        )?;
        let Some((execution_id,)) = closed else {
            return Ok(None);
        };
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
