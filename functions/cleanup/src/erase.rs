//! What failures leave in storage: the uploaded file and what was cut from it.

use std::time::Duration;

use shared_domain::{Refusal, Step};
use shared_objects::keys;
use shared_store::Video;
use tracing::info;

use crate::handler::BATCH;
use crate::sweep::Sweep;
use crate::{Cleanup, Error};

/// How long what was cut from a video is kept when it failed through a fault of ours.
const RETRIED_WITHIN: Duration = Duration::from_hours(24);
/// No deletion takes longer; what dies in the middle is begun again.
const DELETED_WITHIN: Duration = Duration::from_mins(10);

impl Cleanup {
    pub(crate) async fn leavings(&self) -> Result<(), Error> {
        let mut sweep = Sweep::default();
        for video in self.store.erasable(RETRIED_WITHIN, BATCH).await? {
            if !sweep.goes_on(video.video_id, self.erase(&video).await) {
                break;
            }
        }
        sweep.end()
    }

    async fn erase(&self, video: &Video) -> Result<(), Error> {
        let id = video.video_id;
        // Reports of earlier runs show frames: with one of them, what was cut stays.
        if self.store.latest_report(id).await?.is_none() {
            let cut = self.objects.list(&keys::video_prefix(id)).await?;
            self.delete_all(cut.into_iter().map(|object| object.key).collect())
                .await?;
        }
        // A fault of ours may be mended, and the file is what a retry begins with.
        if video.step == Step::Expired || video.refusal != Some(Refusal::Internal) {
            self.objects.delete(&video.object_key).await?;
        }
        self.store.mark_erased(id).await?;
        info!(video.id = %id, "what the failure of video {id} left in storage is deleted");
        Ok(())
    }

    /// Deletes what viewers may have seen. The cache is told by `purges`, and what it has to be told is
    /// written down first: afterwards nobody could list it.
    async fn delete_all(&self, keys: Vec<String>) -> Result<(), Error> {
        let behind_cache = self.purge.is_some();
        if behind_cache {
            let over = self.store.now() + DELETED_WITHIN;
            self.store.note_purges(&keys, over).await?;
        }
        for key in &keys {
            self.objects.delete(key).await?;
        }
        if behind_cache {
            self.store.note_purges(&keys, self.store.now()).await?;
        }
        Ok(())
    }
}
