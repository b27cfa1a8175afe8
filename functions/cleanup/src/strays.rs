//! The bucket against the record: what lies there and nobody knows of. Once an hour the uploads are listed,
//! a few pages a tick.
//!
//! A row is written before its URL is given out. An object without one is an upload that a restored
//! database has forgotten, and no accepted upload is lost: it gets its row back and is checked anew.

use std::time::Duration;

use shared_domain::{ProjectId, Step, UploadCompleted, VideoId};
use shared_objects::{ListedObject, ObjectsError, keys};
use shared_store::{NewVideo, Walk};
use tracing::{info, warn};

use crate::sweep::Sweep;
use crate::{Cleanup, Error};

/// The walk over the bucket.
const WALK: &str = "strays";
/// From the end of one walk to the beginning of the next.
const EVERY: Duration = Duration::from_hours(1);
/// Pages of a thousand objects in one tick.
const PAGES: usize = 3;

impl Cleanup {
    pub(crate) async fn strays(&self) -> Result<(), Error> {
        let Walk { mut after, due_at } = self.store.walk(WALK).await?;
        if due_at > self.store.now() {
            return Ok(());
        }
        let mut sweep = Sweep::default();
        for _ in 0..PAGES {
            let page = self.objects.list_after(keys::RAW_PREFIX, after.as_deref());
            let page = page.await?;
            for object in &page.objects {
                if !sweep.goes_on(&object.key, self.compare(object).await) {
                    return sweep.end();
                }
            }
            let last = page.objects.into_iter().next_back();
            after = page.next.and(last).map(|object| object.key);
            if after.is_none() {
                break;
            }
        }
        let rest = after.as_ref().map_or(EVERY, |_| Duration::ZERO);
        let due_at = self.store.now() + rest;
        self.store.set_walk(WALK, &Walk { after, due_at }).await?;
        sweep.end()
    }

    async fn compare(&self, object: &ListedObject) -> Result<(), Error> {
        let young = self.store.now() - self.waits.arrival;
        if object.modified.is_some_and(|at| at > young) {
            return Ok(());
        }
        let Some((project_id, id)) = keys::video_of_raw_key(&object.key) else {
            warn!(key = object.key, "this is no key of ours and is left alone");
            return Ok(());
        };
        match self.store.find_video(id).await?.map(|video| video.step) {
            None => self.take_in(project_id, id, object).await,
            // A signed URL may be used once more after the upload was given up.
            Some(Step::Failed | Step::Expired) => {
                if self.store.unmark_erased(id).await? {
                    info!(video.id = %id, "bytes of video {id} came late and are deleted");
                }
                Ok(())
            }
            // What is awaited `arrivals` looks for itself.
            Some(_) => Ok(()),
        }
    }

    async fn take_in(
        &self,
        project_id: ProjectId,
        id: VideoId,
        object: &ListedObject,
    ) -> Result<(), Error> {
        let Some(project) = self.store.find_project(project_id).await? else {
            warn!(video.id = %id, "the project of video {id} is unknown here; its file is left alone");
            return Ok(());
        };
        let head = match self.objects.head(&object.key).await {
            // Hidden or deleted since it was listed.
            Err(ObjectsError::NotFound { .. }) => return Ok(()),
            head => head?,
        };
        let name = object.key.rsplit('/').next().unwrap_or(&object.key);
        let video = NewVideo {
            video_id: id,
            project_id,
            client_key: None,
            original_name: name.to_owned(),
            object_key: object.key.clone(),
            content_type: head.content_type.unwrap_or_default(),
            size_bytes: head.size,
            checksum_sha256: None,
            upload_id: None,
            part_size: None,
            policy_id: project.policy_id,
            upload_expires_at: self.store.now() + EVERY,
        };
        let mut tx = self.store.transaction().await?;
        tx.insert_video(video).await?;
        tx.send(&UploadCompleted::new(id)).await?;
        tx.commit().await?;
        warn!(video.id = %id, "video {id} lay in the bucket without a row and is checked anew");
        Ok(())
    }
}
