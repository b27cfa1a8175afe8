//! Uploads whose notification was lost, and uploads that never came.

use shared_domain::{Message, Step, UploadCompleted};
use shared_objects::ObjectsError;
use shared_store::{StoreError, Video, Walk};
use tracing::info;

use crate::handler::BATCH;
use crate::sweep::Sweep;
use crate::{Cleanup, Error};

/// The walk over the rows.
const WALK: &str = "arrivals";
/// Pages of rows in one tick: each row costs a question to storage.
const PAGES: usize = 10;

impl Cleanup {
    pub(crate) async fn arrivals(&self) -> Result<(), Error> {
        let announced = self.waits_at(UploadCompleted::STREAM).await?;
        let (age, mut sweep) = (self.waits.arrival, Sweep::default());
        let mut after = self.store.walk(WALK).await?.after;
        for _ in 0..PAGES {
            let last = after.as_deref().and_then(|id| id.parse().ok());
            let page = self.store.awaiting_upload_older_than(age, last, BATCH);
            let page = page.await?;
            for video in &page {
                if !sweep.goes_on(video.video_id, self.look_for(video, announced).await) {
                    return sweep.end();
                }
            }
            after = page.last().map(|video| video.video_id.to_string());
            if after.is_none() {
                break;
            }
        }
        let due_at = self.store.now();
        self.store.set_walk(WALK, &Walk { after, due_at }).await?;
        sweep.end()
    }

    async fn look_for(&self, video: &Video, announced: bool) -> Result<(), Error> {
        // Asked of the object and not of a listing, which may be old; what is hidden is not there.
        match self.objects.head(&video.object_key).await {
            Ok(_) if announced => Ok(()),
            Ok(_) => self.announce(video).await,
            Err(ObjectsError::NotFound { .. }) => self.expire(video).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn announce(&self, video: &Video) -> Result<(), Error> {
        info!(video.id = %video.video_id, "video {} arrived without a notification", video.video_id);
        let mut tx = self.store.transaction().await?;
        tx.send(&UploadCompleted::new(video.video_id)).await?;
        Ok(tx.commit().await?)
    }

    async fn expire(&self, video: &Video) -> Result<(), Error> {
        if video.upload_expires_at > self.store.now() {
            return Ok(());
        }
        if let Some(upload_id) = &video.upload_id {
            match self
                .objects
                .abort_multipart(&video.object_key, upload_id)
                .await
            {
                Ok(()) | Err(ObjectsError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut tx = self.store.transaction().await?;
        match tx
            .advance(video.video_id, Step::AwaitingUpload, Step::Expired)
            .await
        {
            Err(StoreError::Stale { .. } | StoreError::IllegalMove(_)) => return Ok(()),
            moved => moved?,
        }
        info!(video.id = %video.video_id, "the upload of video {} never came", video.video_id);
        Ok(tx.commit().await?)
    }
}
