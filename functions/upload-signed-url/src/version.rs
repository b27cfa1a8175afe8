//! Which video a new one is the next version of.

use shared_domain::VideoId;
use shared_store::Project;

use crate::{Error, UploadSignedUrl};

impl UploadSignedUrl {
    /// The version before that the caller names, if it lies in the same project.
    pub(crate) async fn previous(
        &self,
        project: &Project,
        named: Option<VideoId>,
    ) -> Result<Option<VideoId>, Error> {
        let Some(video_id) = named else {
            return Ok(None);
        };
        let found = self.store.find_video(video_id).await?;
        let found = found.filter(|video| video.project_id == project.project_id);
        found
            .map(|video| Some(video.video_id))
            .ok_or(Error::Unknown("video"))
    }
}
