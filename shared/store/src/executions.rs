//! Runs of the chain over a video: one live run at most.

use serde_json::Value;
use shared_domain::{ExecutionId, VideoId};
use time::OffsetDateTime;

use crate::dialect::{Link, change, execute, rows};
use crate::values::{Id, Maybe, Name, Ts, id, stored_by_name, ts};
use crate::{Store, StoreError, Tx};

/// How a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExecutionStatus {
    /// Opened, nothing done yet.
    Pending,
    /// At work.
    Running,
    /// Ended with a report.
    Completed,
    /// Ended without.
    Failed,
}

stored_by_name!(ExecutionStatus {
    Pending = "pending",
    Running = "running",
    Completed = "completed",
    Failed = "failed",
});

/// One run over one video.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Execution {
    /// Key.
    #[sqlx(try_from = "Id")]
    pub execution_id: ExecutionId,
    /// What is checked.
    #[sqlx(try_from = "Id")]
    pub video_id: VideoId,
    /// Live while pending or running.
    #[sqlx(try_from = "Name")]
    pub status: ExecutionStatus,
    /// What is being done, for people who wait.
    pub current_task: String,
    /// Per cent; never falls.
    pub progress: f32,
    /// Expected rest.
    pub eta_seconds: Option<i64>,
    /// The last step of the video that this run reached.
    pub last_step: String,
    /// Earlier runs of the same video.
    pub retry_count: i64,
    /// Why it failed.
    pub error_trace: Option<String>,
    /// Predictions written down.
    pub planned: i64,
    /// Predictions closed.
    pub done: i64,
    /// What was cut.
    #[sqlx(json(nullable))]
    pub extraction: Option<Value>,
    /// Models and versions of this run.
    #[sqlx(json(nullable))]
    pub models: Option<Value>,
    /// Answers that were not from the cache.
    pub api_calls_count: i64,
    /// Expected before the start.
    pub cost_estimate_usd: f64,
    /// Sum over closed predictions.
    pub cost_actual_usd: f64,
    /// When it was opened.
    #[sqlx(try_from = "Ts")]
    pub created_at: OffsetDateTime,
    /// When work began.
    #[sqlx(try_from = "Maybe<Ts>")]
    pub started_at: Option<OffsetDateTime>,
    /// When it ended, either way.
    #[sqlx(try_from = "Maybe<Ts>")]
    pub completed_at: Option<OffsetDateTime>,
}

macro_rules! select_execution {
    ($tail:literal) => {
        concat!(
            "select execution_id, video_id, status, current_task, progress, eta_seconds, \
             last_step, retry_count, error_trace, planned, done, extraction, models, \
             api_calls_count, cost_estimate_usd, cost_actual_usd, created_at, started_at, \
             completed_at from executions ",
            $tail
        )
    };
}

async fn live(link: Link<'_>, video_id: VideoId) -> Result<Option<Execution>, StoreError> {
    rows!(
        fetch_optional as Execution,
        link,
        select_execution!("where video_id = $1 and status in ('pending', 'running')"),
        id(video_id),
    )
}

impl Store {
    /// The run.
    pub async fn execution(&self, execution_id: ExecutionId) -> Result<Execution, StoreError> {
        rows!(
            fetch_optional as Execution,
            self.reader().await?.link(),
            select_execution!("where execution_id = $1"),
            id(execution_id),
        )?
        .ok_or_else(|| StoreError::missing("execution", execution_id))
    }

    /// The run that is at work on this video.
    pub async fn live_execution(&self, video_id: VideoId) -> Result<Option<Execution>, StoreError> {
        live(self.reader().await?.link(), video_id).await
    }

    /// The last run of this video, live or not.
    pub async fn latest_execution(
        &self,
        video_id: VideoId,
    ) -> Result<Option<Execution>, StoreError> {
        rows!(
            fetch_optional as Execution,
            self.reader().await?.link(),
            select_execution!(
                "where video_id = $1 order by created_at desc, execution_id desc limit 1"
            ),
            id(video_id),
        )
    }

    /// Tells the people who wait; progress never falls, and a run that ended keeps its last word.
    pub async fn report_progress(
        &self,
        execution_id: ExecutionId,
        task: &str,
        progress: f32,
        eta_seconds: Option<i64>,
    ) -> Result<(), StoreError> {
        change!(
            self,
            "update executions set status = 'running', started_at = coalesce(started_at, $5), \
             current_task = $2, eta_seconds = $4, \
             progress = case when progress > $3 then progress else $3 end \
             where execution_id = $1 and status in ('pending', 'running')",
            id(execution_id),
            task,
            progress.clamp(0.0, 100.0),
            eta_seconds,
            ts(self.now()),
        )?;
        Ok(())
    }
}

impl Tx {
    /// Opens a run, or finds the one that is live.
    pub async fn start_execution(&mut self, video_id: VideoId) -> Result<Execution, StoreError> {
        let (execution_id, now) = (self.fresh::<ExecutionId>(), ts(self.now()));
        execute!(
            self.link(),
            "insert into executions (execution_id, video_id, status, retry_count, created_at) \
             select $1, $2, 'pending', count(*), $3 from executions where video_id = $2 \
             on conflict (video_id) where status in ('pending', 'running') do nothing",
            id(execution_id),
            id(video_id),
            now,
        )?;
        live(self.link(), video_id)
            .await?
            .ok_or_else(|| StoreError::missing("live execution of video", video_id))
    }

    /// Ends a run with success; a run that has ended stays as it is.
    pub async fn complete_execution(
        &mut self,
        execution_id: ExecutionId,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        execute!(
            self.link(),
            "update executions set status = 'completed', progress = 100, eta_seconds = null, \
             completed_at = $2 where execution_id = $1 and status in ('pending', 'running')",
            id(execution_id),
            now,
        )?;
        Ok(())
    }

    /// Ends a run without success; a run that has ended stays as it is.
    pub async fn fail_execution(
        &mut self,
        execution_id: ExecutionId,
        error: &str,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        execute!(
            self.link(),
            "update executions set status = 'failed', error_trace = $2, eta_seconds = null, \
             completed_at = $3 where execution_id = $1 and status in ('pending', 'running')",
            id(execution_id),
            error,
            now,
        )?;
        Ok(())
    }
}
