//! Videos that stand still with no message under way that would lead them on: whatever lost it, it
//! is sent again. The functions that read it find out what is left to do.

use std::time::Duration;

use shared_domain::{EvidenceComplete, Message, PredictionDue, Step, VideoUploaded};
use shared_store::Video;
use tracing::warn;

use crate::handler::BATCH;
use crate::sweep::Sweep;
use crate::{Cleanup, Error};

/// Every step is led on by a message that was written with it: none missing for so long is normal.
const STANDS: Duration = Duration::from_mins(15);
/// A message on which nobody has worked for so long was lost by what carried it. Longer than SQS hides
/// a message whose reader died.
const UNHEARD: Duration = Duration::from_hours(2);

impl Cleanup {
    pub(crate) async fn stranded(&self) -> Result<(), Error> {
        let unheard = self.store.now() - UNHEARD;
        self.store.forget_sent(unheard).await?;
        let mut sweep = Sweep::default();
        for video in self
            .standing::<VideoUploaded>((Step::Uploaded, Step::Extracting))
            .await?
        {
            let again = VideoUploaded::new(video.video_id);
            if !sweep.goes_on(video.video_id, self.send_again(&again).await) {
                return sweep.end();
            }
        }
        for id in self.store.stranded_questions(STANDS, BATCH).await? {
            if !sweep.goes_on(id, self.send_again(&PredictionDue::new(id)).await) {
                return sweep.end();
            }
        }
        for video in self
            .standing::<EvidenceComplete>((Step::Judging, Step::Judging))
            .await?
        {
            if !sweep.goes_on(video.video_id, self.judge_again(&video).await) {
                return sweep.end();
            }
        }
        sweep.end()
    }

    async fn standing<M: Message>(&self, steps: (Step, Step)) -> Result<Vec<Video>, Error> {
        let found = self.store.stranded(M::KIND, steps, STANDS, BATCH);
        Ok(found.await?)
    }

    async fn judge_again(&self, video: &Video) -> Result<(), Error> {
        let Some(run) = self.store.latest_execution(video.video_id).await? else {
            return Ok(());
        };
        self.send_again(&EvidenceComplete::new(run.execution_id))
            .await
    }

    async fn send_again<M: Message>(&self, message: &M) -> Result<(), Error> {
        warn!("{} was lost and is sent again", M::KIND);
        let mut tx = self.store.transaction().await?;
        tx.send(message).await?;
        Ok(tx.commit().await?)
    }
}
