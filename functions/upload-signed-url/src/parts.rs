//! The calls about an upload that is under way: its parts, its end.

use shared_domain::{Refusal, Step, VideoId};
use shared_objects::ObjectsError;
use shared_runtime::about;
use shared_store::{User, Video};

use crate::answer::{Answer, Arrived, Part};
use crate::handler::EXPIRES;
use crate::input::PartNumbers;
use crate::{Error, UploadSignedUrl};

/// 16 MiB parts keep 2 GiB within 128 parts and above every server's least size.
pub(crate) const PART_SIZE: u64 = 16 << 20;
/// Part URLs in one answer.
pub(crate) const PARTS_AT_ONCE: usize = 100;

impl UploadSignedUrl {
    pub(crate) async fn waiting(&self, user: &User, id: VideoId) -> Result<Video, Error> {
        let video = self
            .store
            .video_visible_to(user, id)
            .await?
            .ok_or(Error::Unknown("video"))?;
        about(video.video_id);
        if video.step == Step::AwaitingUpload {
            Ok(video)
        } else {
            Err(Error::NotWaiting)
        }
    }

    pub(crate) async fn uploaded(&self, video: &Video) -> Result<Answer, Error> {
        let upload_id = video.upload_id.as_deref().ok_or(Error::NotWaiting)?;
        let parts = self
            .objects
            .list_parts(&video.object_key, upload_id)
            .await?;
        let arrived = parts.into_iter().map(|part| Arrived {
            number: part.number,
            size: part.size,
        });
        Ok(Answer::Uploaded(arrived.collect()))
    }

    pub(crate) async fn more_parts(
        &self,
        video: &Video,
        wanted: &PartNumbers,
    ) -> Result<Answer, Error> {
        Ok(Answer::Parts(self.sign(video, &wanted.numbers).await?))
    }

    pub(crate) async fn sign(&self, video: &Video, numbers: &[u16]) -> Result<Vec<Part>, Error> {
        let upload_id = video.upload_id.as_deref().ok_or(Error::NotWaiting)?;
        let mut parts = Vec::with_capacity(numbers.len());
        for &number in numbers.iter().take(PARTS_AT_ONCE) {
            let size = part_bytes(video, number).ok_or(Error::Field {
                field: "numbers",
                must: ["номера частей этого файла", "numbers of this file's parts"],
            })?;
            let put = self
                .objects
                .presign_part((&video.object_key, upload_id), number, size, EXPIRES)
                .await?;
            parts.push(Part {
                number,
                url: put.url,
                headers: put.headers.into_iter().collect(),
            });
        }
        Ok(parts)
    }

    pub(crate) async fn complete(&self, video: &Video) -> Result<Answer, Error> {
        let upload_id = video.upload_id.as_deref().ok_or(Error::NotWaiting)?;
        let parts = match self.objects.list_parts(&video.object_key, upload_id).await {
            // Completed before, and the answer was lost.
            Err(ObjectsError::NotFound { .. }) => {
                return match self.objects.head(&video.object_key).await {
                    Err(ObjectsError::NotFound { .. }) => Err(Error::NotWaiting),
                    head => Ok(head.map(|_| Answer::Completed)?),
                };
            }
            parts => parts?,
        };
        let stored: u64 = parts.iter().map(|part| part.size).sum();
        if stored != video.size_bytes {
            return Err(Error::Refused(Refusal::SizeDiffers {
                declared: video.size_bytes,
                stored,
            }));
        }
        self.objects
            .complete_multipart(&video.object_key, upload_id, &parts)
            .await?;
        Ok(Answer::Completed)
    }

    pub(crate) async fn abort(&self, video: &Video) -> Result<Answer, Error> {
        if let Some(upload_id) = &video.upload_id {
            self.objects
                .abort_multipart(&video.object_key, upload_id)
                .await?;
        }
        let mut tx = self.store.transaction().await?;
        tx.advance(video.video_id, Step::AwaitingUpload, Step::Expired)
            .await?;
        tx.commit().await?;
        Ok(Answer::Aborted)
    }
}

pub(crate) fn count(video: &Video) -> u16 {
    let parts = video
        .size_bytes
        .div_ceil(video.part_size.unwrap_or(PART_SIZE).max(1));
    u16::try_from(parts).unwrap_or(u16::MAX)
}

/// Bytes of a part; `None` for a part that the file does not have.
fn part_bytes(video: &Video, number: u16) -> Option<u64> {
    let size = video.part_size.unwrap_or(PART_SIZE);
    let start = u64::from(number.checked_sub(1)?) * size;
    (start < video.size_bytes).then(|| size.min(video.size_bytes - start))
}
