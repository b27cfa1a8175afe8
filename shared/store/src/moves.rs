//! How a video moves: compare-and-swap on its step, so that of two workers one wins.

use serde_json::Value;
use shared_domain::{IllegalMove, Refusal, Step, VideoId};

use crate::dialect::execute;
use crate::values::{Json, id, ts};
use crate::videos::{find, signed};
use crate::{StoreError, Tx};

impl Tx {
    /// Moves a video on.
    ///
    /// Fails with `Stale` when it is at the target or past it, and with `IllegalMove` when it is
    /// anywhere else than at `from` or the table has no such move.
    pub async fn advance(
        &mut self,
        video_id: VideoId,
        from: Step,
        to: Step,
    ) -> Result<(), StoreError> {
        from.advance(to)?;
        let now = ts(self.now());
        let moved = execute!(
            self.link(),
            "update videos set step = $3, updated_at = $4 where video_id = $1 and step = $2",
            id(video_id),
            from.as_str(),
            to.as_str(),
            now,
        )?;
        if moved == 0 {
            return Err(self.why_not(video_id, to).await?);
        }
        execute!(
            self.link(),
            "update executions set last_step = $2 \
             where video_id = $1 and status in ('pending', 'running')",
            id(video_id),
            to.as_str(),
        )?;
        Ok(())
    }

    /// Gives a video up, from any step that may fail, together with its live run.
    pub async fn refuse(&mut self, video_id: VideoId, why: &Refusal) -> Result<(), StoreError> {
        let now = ts(self.now());
        let moved = execute!(
            self.link(),
            "update videos set step = 'failed', refusal = $2, updated_at = $3 \
             where video_id = $1 and step in \
             ('awaiting_upload', 'uploaded', 'extracting', 'analysing', 'judging')",
            id(video_id),
            Json(why),
            now,
        )?;
        if moved == 0 {
            return Err(self.why_not(video_id, Step::Failed).await?);
        }
        execute!(
            self.link(),
            "update executions set status = 'failed', error_trace = $2, completed_at = $3, \
             eta_seconds = null where video_id = $1 and status in ('pending', 'running')",
            id(video_id),
            why.text(shared_domain::Lang::En),
            now,
        )?;
        Ok(())
    }

    /// Puts a failed video back to the start of the chain. Fails with `Stale` when its bytes were
    /// deleted, because they could never be checked.
    pub async fn retry(&mut self, video_id: VideoId) -> Result<(), StoreError> {
        let now = ts(self.now());
        let moved = execute!(
            self.link(),
            "update videos set step = 'uploaded', refusal = null, erased_at = null, updated_at = $2 \
             where video_id = $1 and step = 'failed' \
             and (erased_at is null or refusal ->> 'code' = 'internal')",
            id(video_id),
            now,
        )?;
        if moved == 1 {
            Ok(())
        } else {
            Err(self.why_not(video_id, Step::Uploaded).await?)
        }
    }

    /// Stores what the container says and how long it really is.
    pub async fn set_probe(
        &mut self,
        video_id: VideoId,
        duration_ms: i64,
        probe: &Value,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        let changed = execute!(
            self.link(),
            "update videos set duration_ms = $2, probe = $3, updated_at = $4 where video_id = $1",
            id(video_id),
            duration_ms,
            Json(probe),
            now,
        )?;
        found(changed, video_id)
    }

    /// Stores the SHA-256 of what was really uploaded.
    pub async fn set_checksum(
        &mut self,
        video_id: VideoId,
        checksum_sha256: &str,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        let changed = execute!(
            self.link(),
            "update videos set checksum_sha256 = $2, updated_at = $3 where video_id = $1",
            id(video_id),
            checksum_sha256,
            now,
        )?;
        found(changed, video_id)
    }

    /// Stores what was really uploaded.
    pub async fn set_stored(
        &mut self,
        video_id: VideoId,
        size_bytes: u64,
        etag: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        let changed = execute!(
            self.link(),
            "update videos set size_bytes = $2, etag = $3, updated_at = $4 where video_id = $1",
            id(video_id),
            signed(size_bytes),
            etag,
            now,
        )?;
        found(changed, video_id)
    }

    /// Forgets a multipart upload that was completed or aborted.
    pub async fn forget_upload_id(&mut self, video_id: VideoId) -> Result<(), StoreError> {
        let now = ts(self.now());
        let changed = execute!(
            self.link(),
            "update videos set upload_id = null, updated_at = $2 where video_id = $1",
            id(video_id),
            now,
        )?;
        found(changed, video_id)
    }

    async fn why_not(&mut self, video_id: VideoId, to: Step) -> Result<StoreError, StoreError> {
        let Some(video) = find(self.link(), video_id).await? else {
            return Ok(StoreError::missing("video", video_id));
        };
        if video.step.is_at_or_past(to) {
            Ok(StoreError::Stale {
                video_id,
                at: video.step,
                to,
            })
        } else {
            Ok(IllegalMove {
                from: video.step,
                to,
            }
            .into())
        }
    }
}

fn found(changed: u64, video_id: VideoId) -> Result<(), StoreError> {
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::missing("video", video_id))
    }
}
