//! `PlaybackDue`: the copy for review, last and at low priority. Nothing waits for it: whatever becomes of
//! it, the check goes on.

use std::pin::pin;

use futures::stream::{self, TryStreamExt};
use shared_domain::{Step, VideoId};
use shared_media::{Segment, Source, Stream};
use shared_objects::{ObjectsError, keys};
use shared_store::Video;
use tokio::sync::mpsc;
use tracing::info;

use crate::extract::SOURCE_EXPIRES;
use crate::{Error, FrameExtract};

/// Segments that are stored at once; as many more wait, of 16 MiB at most.
const AT_ONCE: usize = 2;
const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// Whether anybody may still want to see it.
fn is_wanted(video: &Video) -> bool {
    match video.step {
        Step::Analysing | Step::Judging | Step::Verification | Step::Completed => true,
        Step::AwaitingUpload | Step::Uploaded | Step::Extracting | Step::Failed | Step::Expired => {
            false
        }
    }
}

impl FrameExtract {
    pub(crate) async fn playback(&self, id: VideoId) -> Result<(), Error> {
        let video = self.store.video(id).await?;
        if !is_wanted(&video) || self.has_playlist(id).await? {
            return Ok(());
        }
        let _turn = self.segmenting.try_acquire().map_err(|_| Error::GivesWay)?;
        let mut urgent = pin!(self.urgent.notified());
        urgent.as_mut().enable();
        if self.decoding.available_permits() == 0 {
            return Err(Error::GivesWay);
        }
        let stream = tokio::select! {
            made = self.segment(&video) => made?,
            () = urgent => return Err(Error::GivesWay),
        };
        let list = stream.playlist(keys::segment_name);
        let key = keys::playlist(id);
        self.objects.put(&key, list.into(), PLAYLIST).await?;
        // It may have failed meanwhile, and what is stored of it may have been deleted.
        if !is_wanted(&self.store.video(id).await?) {
            return self.withdraw(id).await;
        }
        let (segments, copied) = (stream.seconds.len(), stream.copied);
        info!(video.id = %id, segments, copied, "video {id} can be watched");
        Ok(())
    }

    async fn has_playlist(&self, id: VideoId) -> Result<bool, Error> {
        match self.objects.head(&keys::playlist(id)).await {
            Err(ObjectsError::NotFound { .. }) => Ok(false),
            head => Ok(head.map(|_| true)?),
        }
    }

    async fn segment(&self, video: &Video) -> Result<Stream, Error> {
        let url = self.objects.presign_get(&video.object_key, SOURCE_EXPIRES);
        let source = Source {
            url: url.await?,
            size: video.size_bytes,
            etag: video.etag.clone(),
        };
        let probe = self.media.probe(&source).await?;
        let (segments, arriving) = mpsc::channel(1);
        let (stream, ()) = tokio::try_join!(
            async {
                let made = self.media.segment(&source, &probe, segments);
                made.await.map_err(Error::from)
            },
            async {
                let kept = self.keep_segments(video.video_id, arriving);
                kept.await.map_err(Error::from)
            },
        )?;
        Ok(stream)
    }

    /// Stores segments as they come. Their keys depend on their places alone: a second start writes the same.
    async fn keep_segments(
        &self,
        id: VideoId,
        arriving: mpsc::Receiver<Segment>,
    ) -> Result<(), ObjectsError> {
        let arriving = stream::unfold(arriving, |mut segments| async {
            let segment = segments.recv().await?;
            Some((Ok::<_, ObjectsError>(segment), segments))
        });
        arriving
            .try_for_each_concurrent(AT_ONCE, |segment| async move {
                let key = keys::segment(id, segment.index);
                self.objects.put(&key, segment.bytes, "video/mp2t").await
            })
            .await
    }

    async fn withdraw(&self, id: VideoId) -> Result<(), Error> {
        for object in self.objects.list(&keys::segments_prefix(id)).await? {
            self.objects.delete(&object.key).await?;
        }
        Ok(())
    }
}
