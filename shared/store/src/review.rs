//! What the policy makes of the evidence: triggers, reports, and the task of the operator.

use serde_json::Value;
use shared_domain::{ExecutionId, ReportId, TaskId, TriggerId, VideoId};
use time::{Duration, OffsetDateTime};

use crate::dialect::{bulk, execute, rows};
use crate::values::{Id, Json, Name, Ts, id, stored_by_name, ts};
use crate::{Store, StoreError, Tx};

/// By when an operator should have decided.
const REVIEW_WITHIN: Duration = Duration::hours(4);

/// Before or after the human decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportStage {
    /// What the machine proposes.
    Ai,
    /// What people decided.
    Final,
}

stored_by_name!(ReportStage { Ai = "ai", Final = "final" });

/// A derived risk.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTrigger {
    /// Key, the same as in the report.
    pub trigger_id: TriggerId,
    /// Rule of the policy pack.
    pub rule: String,
    /// Category of the risk.
    pub category: String,
    /// Code of the risk definition.
    pub risk_code: String,
    /// What noticed it.
    pub source: String,
    /// Milliseconds of the video.
    pub start_ms: i64,
    /// Milliseconds of the video.
    pub end_ms: i64,
    /// 0 to 1.
    pub confidence: f64,
    /// The whole risk, as in the report.
    pub body: Value,
}

/// A report to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReport {
    /// Known before, since the keys of its files are made of it.
    pub report_id: ReportId,
    /// The video.
    pub video_id: VideoId,
    /// The run it tells of.
    pub execution_id: ExecutionId,
    /// Before or after the human decisions.
    pub stage: ReportStage,
    /// Policy pack that judged.
    pub policy_id: String,
    /// Its version.
    pub policy_version: String,
    /// `pass`, `review` or `fail`.
    pub verdict: String,
    /// The report for reading; the sealed bytes are the stored file.
    pub body: Value,
    /// Stored JSON file.
    pub json_key: String,
    /// Stored HTML file.
    pub html_key: String,
    /// Hash over the stored JSON file.
    pub seal: String,
}

/// A written report.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Report {
    /// Key.
    #[sqlx(try_from = "Id")]
    pub report_id: ReportId,
    /// The video.
    #[sqlx(try_from = "Id")]
    pub video_id: VideoId,
    /// The run it tells of.
    #[sqlx(try_from = "Id")]
    pub execution_id: ExecutionId,
    /// Before or after the human decisions.
    #[sqlx(try_from = "Name")]
    pub stage: ReportStage,
    /// Policy pack that judged.
    pub policy_id: String,
    /// Its version.
    pub policy_version: String,
    /// `pass`, `review` or `fail`.
    pub verdict: String,
    /// The report for reading.
    #[sqlx(json)]
    pub body: Value,
    /// Stored JSON file.
    pub json_key: String,
    /// Stored HTML file.
    pub html_key: String,
    /// Hash over the stored JSON file.
    pub seal: String,
    /// When it was written.
    #[sqlx(try_from = "Ts")]
    pub created_at: OffsetDateTime,
}

macro_rules! select_report {
    ($tail:literal) => {
        concat!(
            "select report_id, video_id, execution_id, stage, policy_id, policy_version, verdict, \
             body, json_key, html_key, seal, created_at from reports ",
            $tail
        )
    };
}

impl Store {
    /// The report.
    pub async fn report(&self, report_id: ReportId) -> Result<Report, StoreError> {
        rows!(
            fetch_optional as Report,
            self.reader().await?.link(),
            select_report!("where report_id = $1"),
            id(report_id),
        )?
        .ok_or_else(|| StoreError::missing("report", report_id))
    }

    /// The last report of a video.
    pub async fn latest_report(&self, video_id: VideoId) -> Result<Option<Report>, StoreError> {
        rows!(
            fetch_optional as Report,
            self.reader().await?.link(),
            select_report!("where video_id = $1 order by created_at desc, report_id desc limit 1"),
            id(video_id),
        )
    }
}

impl Tx {
    /// Puts these risks in the place of those that an earlier judgement of the run derived.
    pub async fn replace_triggers(
        &mut self,
        execution_id: ExecutionId,
        video_id: VideoId,
        triggers: Vec<NewTrigger>,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "delete from triggers where execution_id = $1",
            id(execution_id),
        )?;
        let now = ts(self.now());
        bulk!(
            self.link(),
            "insert into triggers (trigger_id, execution_id, video_id, rule, category, risk_code, \
             source, start_ms, end_ms, confidence, body, created_at) ",
            triggers,
            |new| [
                id(new.trigger_id),
                id(execution_id),
                id(video_id),
                &new.rule,
                &new.category,
                &new.risk_code,
                &new.source,
                new.start_ms,
                new.end_ms,
                new.confidence,
                Json(&new.body),
                now,
            ],
            ""
        )?;
        Ok(())
    }

    /// Keeps a report, or finds the one that this run has at this stage.
    pub async fn add_report(&mut self, new: NewReport) -> Result<ReportId, StoreError> {
        let now = ts(self.now());
        execute!(
            self.link(),
            "insert into reports (report_id, video_id, execution_id, stage, policy_id, \
             policy_version, verdict, body, json_key, html_key, seal, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
             on conflict (execution_id, stage) do nothing",
            id(new.report_id),
            id(new.video_id),
            id(new.execution_id),
            new.stage.as_str(),
            &new.policy_id,
            &new.policy_version,
            &new.verdict,
            Json(&new.body),
            &new.json_key,
            &new.html_key,
            &new.seal,
            now,
        )?;
        let (report_id,) = rows!(
            fetch_one as (Id,),
            self.link(),
            "select report_id from reports where execution_id = $1 and stage = $2",
            id(new.execution_id),
            new.stage.as_str(),
        )?;
        Ok(report_id.into())
    }

    /// Asks for an operator's decision, or finds the task that is open.
    pub async fn open_verification_task(
        &mut self,
        video_id: VideoId,
    ) -> Result<TaskId, StoreError> {
        let (task_id, now) = (self.fresh::<TaskId>(), self.now());
        execute!(
            self.link(),
            "insert into verification_tasks (task_id, video_id, status, due_at, created_at) \
             values ($1, $2, 'pending', $3, $4) \
             on conflict (video_id) where status <> 'completed' do nothing",
            id(task_id),
            id(video_id),
            ts(now + REVIEW_WITHIN),
            ts(now),
        )?;
        let (task_id,) = rows!(
            fetch_one as (Id,),
            self.link(),
            "select task_id from verification_tasks where video_id = $1 and status <> 'completed'",
            id(video_id),
        )?;
        Ok(task_id.into())
    }
}
