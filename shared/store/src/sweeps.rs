//! Videos that have waited too long for something that may never come, and what failures leave.

use std::time::Duration;

use shared_domain::{PredictionId, Step, VideoId};
use uuid::Uuid;

use crate::dialect::{change, rows};
use crate::values::{Id, id, ts};
use crate::videos::{Video, select_video};
use crate::{Store, StoreError};

impl Store {
    /// Uploads announced longer ago than `age`, one page in the order of their ids: perhaps
    /// finished, with the notification lost, or never to come. `after` is the last of the page
    /// before.
    pub async fn awaiting_upload_older_than(
        &self,
        age: Duration,
        after: Option<VideoId>,
        limit: i64,
    ) -> Result<Vec<Video>, StoreError> {
        rows!(
            fetch_all as Video,
            self.reader().await?.link(),
            select_video!(
                "where step = 'awaiting_upload' and videos.created_at <= $1 \
                 and videos.video_id > $2 order by videos.video_id limit $3"
            ),
            ts(self.now() - age),
            id(after.unwrap_or(VideoId(Uuid::nil()))),
            limit,
        )
    }

    /// Videos that have stood at one of these steps for longer than `age` although no message of
    /// this kind about them is under way: nobody will lead them on.
    pub async fn stranded(
        &self,
        kind: &str,
        steps: (Step, Step),
        age: Duration,
        limit: i64,
    ) -> Result<Vec<Video>, StoreError> {
        rows!(
            fetch_all as Video,
            self.reader().await?.link(),
            select_video!(
                "where step in ($1, $2) and videos.updated_at <= $3 \
                 and cast(videos.video_id as text) not in \
                 (select body ->> 'video_id' from outbox where finished_at is null \
                 and kind = $4 and body ->> 'video_id' is not null) \
                 and videos.video_id not in (select video_id from executions \
                 where cast(execution_id as text) in (select body ->> 'execution_id' from outbox \
                 where finished_at is null and kind = $4)) \
                 order by videos.updated_at limit $5"
            ),
            steps.0.as_str(),
            steps.1.as_str(),
            ts(self.now() - age),
            kind,
            limit,
        )
    }

    /// Questions of videos that have stood longer than `age`, which the provider does not have and
    /// which nobody is about to put. What is under way is read once, not once for each question.
    pub async fn stranded_questions(
        &self,
        age: Duration,
        limit: i64,
    ) -> Result<Vec<PredictionId>, StoreError> {
        let found = rows!(
            fetch_all as (Id,),
            self.reader().await?.link(),
            "select prediction_id from predictions \
             join videos on videos.video_id = predictions.video_id \
             where videos.step = 'analysing' and videos.updated_at <= $1 \
             and predictions.status in ('planned', 'submitting') and provider_id is null \
             and prediction_id not in (select prediction_id from held) \
             and cast(prediction_id as text) not in (select body ->> 'prediction_id' from outbox \
             where finished_at is null and kind = 'PredictionDue' \
             and body ->> 'prediction_id' is not null) \
             order by prediction_id limit $2",
            ts(self.now() - age),
            limit,
        )?;
        Ok(found.into_iter().map(|(id,)| id.into()).collect())
    }

    /// Videos of whose bytes nothing more can be made: refused, or never wholly come. One that
    /// failed through a fault of ours is among them after `age`: what was cut from it can be cut
    /// again, but for a while somebody may retry it.
    pub async fn erasable(&self, age: Duration, limit: i64) -> Result<Vec<Video>, StoreError> {
        rows!(
            fetch_all as Video,
            self.reader().await?.link(),
            select_video!(
                "where step in ('failed', 'expired') and erased_at is null \
                 and (refusal is null or refusal ->> 'code' <> 'internal' \
                 or videos.updated_at <= $1) order by videos.updated_at limit $2"
            ),
            ts(self.now() - age),
            limit,
        )
    }

    /// Nothing is stored of this video any more that a failure makes useless.
    pub async fn mark_erased(&self, video_id: VideoId) -> Result<(), StoreError> {
        change!(
            self,
            "update videos set erased_at = $2 \
             where video_id = $1 and step in ('failed', 'expired')",
            id(video_id),
            ts(self.now()),
        )?;
        Ok(())
    }

    /// Bytes came late to a video whose own were deleted: they are to be deleted again. Tells whether
    /// that is so. What may be retried keeps its bytes.
    pub async fn unmark_erased(&self, video_id: VideoId) -> Result<bool, StoreError> {
        let changed = change!(
            self,
            "update videos set erased_at = null \
             where video_id = $1 and step in ('failed', 'expired') and erased_at is not null \
             and (refusal is null or refusal ->> 'code' <> 'internal')",
            id(video_id),
        )?;
        Ok(changed == 1)
    }

    /// Deletes sign-ins that are worth nothing any more, at most `limit`.
    pub async fn prune_sessions(&self, limit: i64) -> Result<u64, StoreError> {
        change!(
            self,
            "delete from sessions where session_id in (select session_id from sessions \
             where expires_at <= $1 or revoked_at <= $1 limit $2)",
            ts(self.now()),
            limit,
        )
    }
}
