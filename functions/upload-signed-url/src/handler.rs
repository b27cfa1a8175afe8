//! One call: check who asks and what, make or find the video, sign.

use std::time::Duration;

use shared_domain::{Step, VideoId};
use shared_objects::keys;
use shared_runtime::{Event, Handler, about, caller, same_origin};
use shared_store::{NewVideo, Role, User, Video};

use crate::answer::{Answer, Created, Estimate, Upload};
use crate::input::{Create, Input};
use crate::parts::{PART_SIZE, PARTS_AT_ONCE, count};
use crate::{Error, UploadSignedUrl};

/// Signed URLs work this long; a part can be signed again at any time.
pub(crate) const EXPIRES: Duration = Duration::from_mins(15);
/// From this size on the upload is in parts, so that a lost network loses one part.
const MULTIPART_FROM: u64 = 64 << 20;

impl Handler for UploadSignedUrl {
    const NAME: &'static str = "upload-signed-url";
    const TIMEOUT: Duration = Duration::from_secs(30);
    type Input = Input;
    type Output = Answer;
    type Error = Error;

    async fn handle(&self, event: &Event, input: Input) -> Result<Answer, Error> {
        if !same_origin(event, &self.limits.origins) {
            return Err(Error::ForeignPage);
        }
        let user = caller(&self.store, event).await?.ok_or(Error::SignedOut)?;
        match input {
            Input::Create(create) => {
                let key = event.header("idempotency-key").map(str::to_owned);
                self.create(&user, create, key).await
            }
            Input::Uploaded(id) => self.uploaded(&self.waiting(&user, id).await?).await,
            Input::MoreParts(id, numbers) => {
                self.more_parts(&self.waiting(&user, id).await?, &numbers)
                    .await
            }
            Input::Complete(id) => self.complete(&self.waiting(&user, id).await?).await,
            Input::Abort(id) => self.abort(&self.waiting(&user, id).await?).await,
        }
    }
}

impl UploadSignedUrl {
    async fn create(
        &self,
        user: &User,
        create: Create,
        key: Option<String>,
    ) -> Result<Answer, Error> {
        let ext = create.check(&self.limits)?;
        let project = self
            .store
            .project_visible_to(user, create.project_id)
            .await?;
        let project = project.ok_or(Error::Unknown("project"))?;
        let previous = self.previous(&project, create.previous_video_id).await?;
        if user.role == Role::Client && user.balance_minutes <= 0 {
            return Err(Error::NoBalance);
        }
        let video_id: VideoId = self.store.fresh();
        let object_key = keys::raw(project.project_id, video_id, &ext);
        let content_type = create.content_type().to_owned();
        let parts = create.size_bytes >= MULTIPART_FROM;
        let upload_id = match parts {
            true => Some(
                self.objects
                    .create_multipart(&object_key, &content_type)
                    .await?,
            ),
            false => None,
        };
        let new = NewVideo {
            video_id,
            project_id: project.project_id,
            client_key: key,
            original_name: create.original_name,
            object_key: object_key.clone(),
            content_type,
            size_bytes: create.size_bytes,
            checksum_sha256: create.sha256,
            upload_id: upload_id.clone(),
            part_size: parts.then_some(PART_SIZE),
            policy_id: project.policy_id,
            upload_expires_at: self.store.now() + Duration::from_hours(24),
        };
        let mut tx = self.store.transaction().await?;
        let (video, is_new) = tx.insert_video(new).await?;
        about(video.video_id);
        if let (true, Some(previous)) = (is_new, previous) {
            tx.set_previous_video(video.video_id, previous).await?;
        }
        tx.commit().await?;
        if let (false, Some(upload_id)) = (is_new, upload_id) {
            // The first call with this key opened the upload that counts.
            self.objects
                .abort_multipart(&object_key, &upload_id)
                .await?;
        }
        if video.step != Step::AwaitingUpload {
            return Err(Error::NotWaiting);
        }
        let estimate = Estimate::of(create.duration_seconds);
        self.answer(video, estimate).await
    }

    async fn answer(&self, video: Video, estimate: Estimate) -> Result<Answer, Error> {
        let expires_at = self.store.now() + EXPIRES;
        let upload = match (&video.upload_id, video.part_size) {
            (Some(upload_id), Some(part_size)) => {
                let first: Vec<u16> = (1..=count(&video)).take(PARTS_AT_ONCE).collect();
                let base = format!("/functions/{}/{}", Self::NAME, video.video_id);
                Upload::Multipart {
                    upload_id: upload_id.clone(),
                    part_size,
                    parts: self.sign(&video, &first).await?,
                    more_parts_url: format!("{base}/parts"),
                    complete_url: format!("{base}/complete"),
                    abort_url: base,
                }
            }
            _ => {
                let (key, kind) = (&video.object_key, &video.content_type);
                self.objects
                    .presign_put(key, video.size_bytes, kind, EXPIRES)
                    .await?
                    .into()
            }
        };
        let (video_id, object_key) = (video.video_id, video.object_key);
        Ok(Answer::Created(Box::new(Created {
            video_id,
            object_key,
            upload,
            estimate,
            expires_at,
        })))
    }
}
