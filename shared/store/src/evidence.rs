//! Reading what a run has gathered.

use shared_domain::{BBox, Detection, ExecutionId, MediaKind, Span, Target, Task, Word};

use crate::dialect::rows;
use crate::predictions::PredictionStatus;
use crate::values::{Name, UnknownName, id};
use crate::{Store, StoreError};

/// How far one task has come.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TaskCount {
    /// The kind of analysis.
    #[sqlx(try_from = "Name")]
    pub task: Task,
    /// Questions written down.
    pub planned: i64,
    /// Questions closed, either way.
    pub done: i64,
    /// Of these, answered from the cache.
    pub cached: i64,
    /// Of these, without a reliable answer.
    pub undecided: i64,
    /// Of these, given up.
    pub failed: i64,
}

/// One question, as coverage needs it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct EvidenceRow {
    /// The kind of analysis.
    #[sqlx(try_from = "Name")]
    pub task: Task,
    /// How it stands.
    #[sqlx(try_from = "Name")]
    pub status: PredictionStatus,
    /// The stretches of the video that it is about.
    #[sqlx(json)]
    pub spans: Vec<Span>,
    /// Frame or audio.
    #[sqlx(try_from = "Name")]
    pub media: MediaKind,
    /// Why it failed or is undecided.
    pub error: Option<String>,
}

/// A target as it lies in the table.
#[derive(sqlx::FromRow)]
pub(crate) struct TargetRow {
    content_hash: String,
    #[sqlx(try_from = "Name")]
    media: MediaKind,
    object_key: String,
    #[sqlx(json)]
    spans: Vec<Span>,
    #[sqlx(try_from = "i64")]
    width: u32,
    #[sqlx(try_from = "i64")]
    height: u32,
}

impl From<TargetRow> for Target {
    fn from(row: TargetRow) -> Self {
        Self {
            media: row.media,
            object_key: row.object_key,
            content_hash: row.content_hash,
            spans: row.spans,
            width: row.width,
            height: row.height,
        }
    }
}

/// A detection as it lies in the table.
#[derive(sqlx::FromRow)]
struct DetectionRow {
    #[sqlx(try_from = "Name")]
    task: Task,
    label: String,
    score: f32,
    start_ms: i64,
    end_ms: i64,
    #[sqlx(json(nullable))]
    bbox: Option<BBox>,
    text: Option<String>,
    #[sqlx(json)]
    words: Vec<Word>,
    object_key: String,
}

/// Of what was cut, the part that is evidence.
#[derive(sqlx::FromRow)]
struct CutRow {
    #[sqlx(json(nullable))]
    extraction: Option<Cut>,
}

#[derive(serde::Deserialize)]
struct Cut {
    codes: Option<Vec<Detection>>,
}

impl From<DetectionRow> for Detection {
    fn from(row: DetectionRow) -> Self {
        Self {
            task: row.task,
            label: row.label,
            score: row.score,
            start_ms: row.start_ms,
            end_ms: row.end_ms,
            bbox: row.bbox,
            text: row.text,
            words: row.words,
            object_key: row.object_key,
        }
    }
}

impl TryFrom<Name> for MediaKind {
    type Error = UnknownName;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        match name.0.as_str() {
            "frame" => Ok(Self::Frame),
            "audio" => Ok(Self::Audio),
            _ => Err(UnknownName(name.0)),
        }
    }
}

impl Store {
    /// How far each task of a run has come, in the order of their names.
    pub async fn task_counts(
        &self,
        execution_id: ExecutionId,
    ) -> Result<Vec<TaskCount>, StoreError> {
        rows!(
            fetch_all as TaskCount,
            self.reader().await?.link(),
            "select task, count(*) as planned, count(closed_at) as done, \
             count(case when status = 'cached' then 1 end) as cached, \
             count(case when status = 'undecided' then 1 end) as undecided, \
             count(case when status = 'failed' then 1 end) as failed \
             from predictions where execution_id = $1 group by task order by task",
            id(execution_id),
        )
    }

    /// Every question of a run with the stretches that it is about.
    pub async fn evidence_rows(
        &self,
        execution_id: ExecutionId,
    ) -> Result<Vec<EvidenceRow>, StoreError> {
        rows!(
            fetch_all as EvidenceRow,
            self.reader().await?.link(),
            "select task, status, spans, media, error from predictions \
             join targets on targets.execution_id = predictions.execution_id \
             and targets.content_hash = predictions.content_hash \
             where predictions.execution_id = $1 order by task, prediction_id",
            id(execution_id),
        )
    }

    /// Every detection of a run, in the order of the video: what models answered, and the codes that
    /// were read while frames were cut.
    pub async fn detections(
        &self,
        execution_id: ExecutionId,
    ) -> Result<Vec<Detection>, StoreError> {
        let found = rows!(
            fetch_all as DetectionRow,
            self.reader().await?.link(),
            "select task, label, score, start_ms, end_ms, bbox, text, words, object_key \
             from detections where execution_id = $1 \
             order by start_ms, end_ms, task, prediction_id, ordinal",
            id(execution_id),
        )?;
        let answered = found.into_iter().map(Detection::from);
        let mut all: Vec<Detection> = answered.chain(self.codes(execution_id).await?).collect();
        all.sort_by_key(|found| (found.start_ms, found.end_ms));
        Ok(all)
    }

    /// What `frame-extract` read by itself; a run of an earlier release has none.
    async fn codes(&self, execution_id: ExecutionId) -> Result<Vec<Detection>, StoreError> {
        let cut = rows!(
            fetch_optional as CutRow,
            self.reader().await?.link(),
            "select extraction from executions where execution_id = $1",
            id(execution_id),
        )?;
        let codes = cut.and_then(|cut| cut.extraction?.codes);
        Ok(codes.unwrap_or_default())
    }

    /// Everything that the models of a run are shown.
    pub async fn targets(&self, execution_id: ExecutionId) -> Result<Vec<Target>, StoreError> {
        let found = rows!(
            fetch_all as TargetRow,
            self.reader().await?.link(),
            "select content_hash, media, object_key, spans, width, height from targets \
             where execution_id = $1 order by media, object_key",
            id(execution_id),
        )?;
        Ok(found.into_iter().map(Target::from).collect())
    }
}
