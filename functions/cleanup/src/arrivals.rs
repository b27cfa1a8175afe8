//! Uploads whose notification was lost, and uploads that never came.

use shared_domain::{Message, Step, UploadCompleted};
use shared_objects::ObjectsError;
use shared_store::{StoreError, Video};
use tracing::info;

use crate::handler::BATCH;
use crate::sweep::Sweep;
use crate::{Cleanup, Error};

impl Cleanup {
    pub(crate) async fn arrivals(&self) -> Result<(), Error> {
        let announced = self.waits_at(UploadCompleted::STREAM).await?;
        let (age, mut sweep, mut last) = (self.waits.arrival, Sweep::default(), None);
        loop {
            let page = self.store.awaiting_upload_older_than(age, last, BATCH);
            let page = page.await?;
            for video in &page {
                if !sweep.goes_on(video.video_id, self.look_for(video, announced).await) {
                    return sweep.end();
                }
            }
            last = page.last().map(|video| video.video_id);
            if last.is_none() {
                return sweep.end();
            }
        }
    }

    async fn look_for(&self, video: &Video, announced: bool) -> Result<(), Error> {
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
