//! Versions of one video: which one came before, and the decisions that carry over.

use shared_domain::{LabelId, TriggerId, UserId, VideoId};
use time::OffsetDateTime;

use crate::dialect::{execute, rows};
use crate::values::{Id, Ts, id, ts};
use crate::{Store, StoreError, Tx};

/// A decision to be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct NewLabel {
    /// The risk that is decided.
    pub trigger_id: TriggerId,
    /// Who decided.
    pub operator_id: UserId,
    /// What it is: a label of the risk definition.
    pub final_label: String,
    /// In the operator's words.
    pub comment: Option<String>,
}

/// A decision about a risk.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Label {
    /// Key.
    #[sqlx(try_from = "Id")]
    pub label_id: LabelId,
    /// The risk that is decided.
    #[sqlx(try_from = "Id")]
    pub trigger_id: TriggerId,
    /// What it is.
    pub final_label: String,
    /// In the operator's words.
    pub comment: Option<String>,
    /// When it was decided.
    #[sqlx(try_from = "Ts")]
    pub decided_at: OffsetDateTime,
    /// The version that the operator saw: another one when the decision was carried over.
    #[sqlx(try_from = "Id")]
    pub decided_on: VideoId,
}

impl Store {
    /// The version before a video: the one that its client named, or the newest of the same name in
    /// its project that has a report.
    pub async fn previous_version(&self, video_id: VideoId) -> Result<Option<VideoId>, StoreError> {
        let found = rows!(
            fetch_optional as (Option<Id>,),
            self.reader().await?.link(),
            "select coalesce(previous_video_id, (select earlier.video_id from videos earlier \
             where earlier.project_id = videos.project_id \
             and earlier.original_name = videos.original_name \
             and earlier.video_id < videos.video_id \
             and earlier.step in ('verification', 'completed') \
             order by earlier.video_id desc limit 1)) \
             from videos where video_id = $1",
            id(video_id),
        )?;
        let (previous,) = found.ok_or_else(|| StoreError::missing("video", video_id))?;
        Ok(previous.map(VideoId::from))
    }

    /// Every decision about a risk of a video that counts, in the order of time.
    pub async fn labels(&self, video_id: VideoId) -> Result<Vec<Label>, StoreError> {
        rows!(
            fetch_all as Label,
            self.reader().await?.link(),
            "select kept.label_id, kept.trigger_id, kept.final_label, kept.comment, \
             kept.decided_at, coalesce(source.video_id, kept.video_id) as decided_on \
             from operator_labels kept \
             left join operator_labels source on source.label_id = kept.carried_from \
             where kept.video_id = $1 and kept.trigger_id is not null and kept.status <> 'draft' \
             order by kept.start_ms, kept.label_id",
            id(video_id),
        )
    }
}

impl Tx {
    /// Notes the version before; what was noted first stays.
    pub async fn set_previous_video(
        &mut self,
        video_id: VideoId,
        previous: VideoId,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update videos set previous_video_id = $2 \
             where video_id = $1 and previous_video_id is null",
            id(video_id),
            id(previous),
        )?;
        Ok(())
    }

    /// Keeps an operator's decision about a risk; a risk that is decided stays so.
    pub async fn decide(&mut self, new: NewLabel) -> Result<(), StoreError> {
        let (label_id, now) = (self.fresh::<LabelId>(), ts(self.now()));
        execute!(
            self.link(),
            "insert into operator_labels (label_id, video_id, trigger_id, operator_id, start_ms, \
             end_ms, final_label, status, comment, decided_at, created_at) \
             select $1, video_id, trigger_id, $3, start_ms, end_ms, $4, 'submitted', $5, $6, $6 \
             from triggers where trigger_id = $2 \
             on conflict (trigger_id) where status <> 'draft' do nothing",
            id(label_id),
            id(new.trigger_id),
            id(new.operator_id),
            &new.final_label,
            new.comment.as_deref(),
            now,
        )?;
        self.note_decided(new.trigger_id).await
    }

    /// Repeats the decision of a version before for a risk of this one, at the risk's own place, and
    /// keeps whose and which it is.
    pub async fn carry_label(
        &mut self,
        label_id: LabelId,
        trigger_id: TriggerId,
    ) -> Result<(), StoreError> {
        let (fresh, now) = (self.fresh::<LabelId>(), ts(self.now()));
        execute!(
            self.link(),
            "insert into operator_labels (label_id, video_id, trigger_id, operator_id, start_ms, \
             end_ms, final_label, confidence, status, comment, carried_from, decided_at, created_at) \
             select $1, triggers.video_id, triggers.trigger_id, kept.operator_id, \
             triggers.start_ms, triggers.end_ms, kept.final_label, kept.confidence, kept.status, \
             kept.comment, coalesce(kept.carried_from, kept.label_id), kept.decided_at, $4 \
             from operator_labels kept join triggers on triggers.trigger_id = $3 \
             where kept.label_id = $2 \
             on conflict (trigger_id) where status <> 'draft' do nothing",
            id(fresh),
            id(label_id),
            id(trigger_id),
            now,
        )?;
        self.note_decided(trigger_id).await
    }

    async fn note_decided(&mut self, trigger_id: TriggerId) -> Result<(), StoreError> {
        let decided = execute!(
            self.link(),
            "update triggers set status = 'processed' where trigger_id = $1",
            id(trigger_id),
        )?;
        match decided {
            0 => Err(StoreError::missing("trigger", trigger_id)),
            _ => Ok(()),
        }
    }
}
