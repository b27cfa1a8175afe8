//! Writing down what a run will ask: targets and predictions in bulk, safe to repeat.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::Value;
use shared_domain::{ExecutionId, MediaKind, PredictionId, Target, Task, VideoId};

use crate::dialect::{bulk, rows};
use crate::values::{Id, Json, id, ts};
use crate::{StoreError, Tx};

/// What a run will ask.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What the models are shown. Targets of equal bytes become one with all of their spans.
    pub targets: Vec<Target>,
    /// What they are asked; one question per task and target.
    pub predictions: Vec<NewPrediction>,
    /// What was cut; null leaves what an earlier plan said.
    pub extraction: Value,
    /// Models and versions; null leaves what an earlier plan said.
    pub models: Value,
}

/// A question to be put to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPrediction {
    /// Our own key.
    pub prediction_id: PredictionId,
    /// The kind of analysis.
    pub task: Task,
    /// The target, by its bytes.
    pub content_hash: String,
    /// The bytes that the model is given.
    pub object_key: String,
    /// Who runs the model.
    pub provider: String,
    /// The model, as the provider names it.
    pub model: String,
    /// Its pinned version.
    pub version: String,
}

impl Tx {
    /// Writes the plan down and answers how many predictions the run has now.
    ///
    /// A repeat adds nothing; a later plan may add questions.
    pub async fn plan(
        &mut self,
        execution_id: ExecutionId,
        plan: &Plan,
    ) -> Result<i64, StoreError> {
        let video_id = self.note_plan(execution_id, plan).await?;
        let targets = merged(&plan.targets);
        bulk!(
            self.link(),
            "insert into targets (execution_id, content_hash, media, object_key, spans, width, height) ",
            targets,
            |target| [
                id(execution_id),
                &target.content_hash,
                media_name(target.media),
                &target.object_key,
                Json(&target.spans),
                i64::from(target.width),
                i64::from(target.height),
            ],
            " on conflict (execution_id, content_hash) do nothing"
        )?;
        let now = ts(self.now());
        bulk!(
            self.link(),
            "insert into predictions (prediction_id, execution_id, video_id, task, content_hash, \
             object_key, provider, model, version, status, created_at) ",
            plan.predictions,
            |new| [
                id(new.prediction_id),
                id(execution_id),
                id(video_id),
                new.task.as_str(),
                &new.content_hash,
                &new.object_key,
                &new.provider,
                &new.model,
                &new.version,
                "planned",
                now,
            ],
            " on conflict (execution_id, task, content_hash) do nothing"
        )?;
        let (planned,) = rows!(
            fetch_one as (i64,),
            self.link(),
            "update executions set planned = \
             (select count(*) from predictions where execution_id = $1) \
             where execution_id = $1 returning planned",
            id(execution_id),
        )?;
        Ok(planned)
    }

    /// Adds a question about a target that a run under way has; `false` when it has been asked before.
    ///
    /// The run waits for its answer if it is added before the last open question is closed.
    pub async fn ask_also(
        &mut self,
        execution_id: ExecutionId,
        new: &NewPrediction,
    ) -> Result<bool, StoreError> {
        let plan = Plan {
            predictions: vec![new.clone()],
            ..Plan::default()
        };
        self.plan(execution_id, &plan).await?;
        let (added,) = rows!(
            fetch_one as (i64,),
            self.link(),
            "select count(*) from predictions where prediction_id = $1",
            id(new.prediction_id),
        )?;
        Ok(added == 1)
    }

    /// Locks the run's row, so that two planners count one after the other.
    async fn note_plan(
        &mut self,
        execution_id: ExecutionId,
        plan: &Plan,
    ) -> Result<VideoId, StoreError> {
        let now = ts(self.now());
        let given = |value: &Value| (!value.is_null()).then(|| Json(value.clone()));
        let video = rows!(
            fetch_optional as (Id,),
            self.link(),
            "update executions set extraction = coalesce($2, extraction), \
             models = coalesce($3, models), started_at = coalesce(started_at, $4), \
             status = case when status = 'pending' then 'running' else status end \
             where execution_id = $1 returning video_id",
            id(execution_id),
            given(&plan.extraction),
            given(&plan.models),
            now,
        )?;
        video
            .map(|(video_id,)| video_id.into())
            .ok_or_else(|| StoreError::missing("execution", execution_id))
    }
}

/// One target per content: two silent chunks have the same bytes and are asked about once.
fn merged(targets: &[Target]) -> Vec<Target> {
    let mut places: HashMap<&str, usize> = HashMap::with_capacity(targets.len());
    let mut merged: Vec<Target> = Vec::with_capacity(targets.len());
    for target in targets {
        match places.entry(&target.content_hash) {
            Entry::Vacant(entry) => {
                entry.insert(merged.len());
                merged.push(target.clone());
            }
            Entry::Occupied(entry) => {
                if let Some(first) = merged.get_mut(*entry.get()) {
                    first.spans.extend(&target.spans);
                }
            }
        }
    }
    merged
}

pub(crate) fn media_name(media: MediaKind) -> &'static str {
    match media {
        MediaKind::Frame => "frame",
        MediaKind::Audio => "audio",
    }
}
