//! One arrival: is it the object that was announced, and does it begin like a video?

use std::time::Duration;

use shared_domain::{Delivery, Refusal, RunFailed, Step, VideoUploaded};
use shared_media::sniff;
use shared_objects::notification::{self, BucketEvent, SIGNATURE_HEADER};
use shared_objects::{ObjectsError, keys};
use shared_runtime::{Event, Handler, about, caller, same_origin};
use shared_store::{StoreError, Video};
use tracing::{Instrument, error_span, info, warn};

use crate::{Error, Input, OnUpload};

/// Enough for every container's signature.
const FIRST_BYTES: u64 = 4096;

impl Handler for OnUpload {
    const NAME: &'static str = "on-upload";
    const TIMEOUT: Duration = Duration::from_secs(30);
    type Input = Input;
    type Output = ();
    type Error = Error;

    async fn handle(&self, event: &Event, input: Input) -> Result<(), Error> {
        match input {
            Input::Notification => self.notified(event).await,
            Input::ByClient(id) => {
                if !same_origin(event, &self.rules.origins) {
                    return Err(Error::Unknown);
                }
                let user = caller(&self.store, event).await?.ok_or(Error::Unknown)?;
                let video = self.store.video_visible_to(&user, id).await?;
                let delivery = delivery(event, format!("client:{id}"));
                self.arrived(&delivery, &video.ok_or(Error::Unknown)?).await
            }
            Input::Swept(id) => {
                let video = self.store.video(id).await?;
                self.arrived(&event.delivery(Self::NAME), &video).await
            }
        }
    }
}

impl OnUpload {
    /// One signature covers a batch of up to fifty events, so the batch is cut here, each into a span.
    async fn notified(&self, event: &Event) -> Result<(), Error> {
        let signature = event.header(SIGNATURE_HEADER).unwrap_or_default();
        if !notification::verify(signature, &event.body, &self.rules.secrets) {
            return Err(Error::Forged);
        }
        let mut failed = None;
        let notification = notification::parse(&event.body)?;
        for malformed in &notification.malformed {
            warn!(
                bytes = malformed.to_string().len(),
                "one event of a notification cannot be read"
            );
        }
        for arrival in notification
            .events
            .iter()
            .filter(|event| event.is_created())
        {
            let span = error_span!("arrival", video.id = tracing::field::Empty);
            if let Err(error) = self.announced(event, arrival).instrument(span).await {
                warn!(event.id = arrival.event_id, %error, "one event of a notification failed");
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn announced(&self, event: &Event, arrival: &BucketEvent) -> Result<(), Error> {
        let key = arrival.object_name.as_deref().unwrap_or_default();
        let Some((_, id)) = keys::video_of_raw_key(key) else {
            return Ok(());
        };
        let Some(video) = self.store.find_video(id).await? else {
            warn!(video.id = %id, "an object without a video was announced");
            return Ok(());
        };
        match self
            .arrived(&delivery(event, arrival.event_id.clone()), &video)
            .await
        {
            Err(Error::Store(StoreError::AlreadyHandled | StoreError::Stale { .. })) => Ok(()),
            Err(Error::NotThere) => Err(Error::TooEarly),
            ended => ended,
        }
    }

    async fn arrived(&self, delivery: &Delivery, video: &Video) -> Result<(), Error> {
        about(video.video_id);
        if video.step != Step::AwaitingUpload {
            return Ok(());
        }
        let head = match self.objects.head(&video.object_key).await {
            Err(ObjectsError::NotFound { .. }) => return Err(Error::NotThere),
            head => head?,
        };
        let refusal = self.refusal(video, head.size).await?;
        let mut tx = self.store.begin(delivery).await?;
        match refusal {
            None => {
                tx.set_stored(video.video_id, head.size, head.etag.as_deref())
                    .await?;
                tx.advance(video.video_id, Step::AwaitingUpload, Step::Uploaded)
                    .await?;
                tx.send(&VideoUploaded::new(video.video_id)).await?;
                info!(video.id = %video.video_id, size_bytes = head.size, "video {} has arrived", video.video_id);
            }
            Some(refusal) => {
                tx.refuse(video.video_id, &refusal).await?;
                tx.send(&RunFailed::new(video.video_id)).await?;
                info!(video.id = %video.video_id, code = refusal.code(), "video {} is refused", video.video_id);
            }
        }
        Ok(tx.commit().await?)
    }

    async fn refusal(&self, video: &Video, stored: u64) -> Result<Option<Refusal>, Error> {
        if stored == 0 {
            return Ok(Some(Refusal::Empty));
        }
        if stored != video.size_bytes {
            return Ok(Some(Refusal::SizeDiffers {
                declared: video.size_bytes,
                stored,
            }));
        }
        let first = self
            .objects
            .get_range(&video.object_key, 0..FIRST_BYTES.min(stored))
            .await?;
        Ok(if sniff(&first).is_none() {
            Some(Refusal::NotAVideo)
        } else {
            None
        })
    }
}

/// The sender's own id of an arrival stands for the door's event.
fn delivery(event: &Event, event_id: String) -> Delivery {
    Delivery {
        event_id,
        ..event.delivery(OnUpload::NAME)
    }
}
