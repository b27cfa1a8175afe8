//! Questions to models, from the intent until the provider has them. Their end is in `closing.rs`.

use serde_json::Value;
use shared_domain::{ExecutionId, PredictionId, Target, Task, VideoId};
use time::OffsetDateTime;

use crate::dialect::{change, execute, rows};
use crate::evidence::TargetRow;
use crate::values::{Id, Maybe, Name, StoredJson, Ts, id, stored_by_name, ts};
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
            fetch_optional as (StoredJson<Value>,),
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
    /// late or lost. Those that were not looked for lately come first, so that many slow ones hide
    /// no answer until the provider forgets it.
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
                 order by coalesce(polled_at, submitted_at), prediction_id limit $2"
            ),
            ts(moment),
            limit,
        )
    }

    /// The provider was asked how the question stands: others come before it the next time.
    pub async fn mark_polled(&self, prediction_id: PredictionId) -> Result<(), StoreError> {
        change!(
            self,
            "update predictions set polled_at = $2 where prediction_id = $1",
            id(prediction_id),
            ts(self.now()),
        )?;
        Ok(())
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

    /// Another model is asked than the one that was planned: the answer is kept under its name.
    pub async fn ask_instead(
        &mut self,
        prediction_id: PredictionId,
        model: &str,
        version: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update predictions set model = $2, version = $3 where prediction_id = $1",
            id(prediction_id),
            model,
            version,
        )?;
        Ok(())
    }

    /// Takes a submission back that certainly made nothing: the question is as it was before, and the
    /// attempt does not count. An answer that came meanwhile stays.
    pub async fn withdraw_submission(
        &mut self,
        prediction_id: PredictionId,
        before: PredictionStatus,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update predictions set status = $2, attempts = attempts - 1 \
             where prediction_id = $1 and status = 'submitting'",
            id(prediction_id),
            before.as_str(),
        )?;
        self.unreserve(prediction_id).await
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
        if taken == 1 {
            self.unreserve(prediction_id).await?;
        }
        Ok(taken == 1)
    }
}
