//! Dead letters: whoever waits for the work that was given up is told.

use serde_json::Value;
use shared_domain::{ExecutionId, PredictionId, Refusal, RunFailed, VideoId};
use shared_store::{Closing, DeadLetter, PredictionStatus, StoreError};
use tracing::{error, warn};

use crate::handler::BATCH;
use crate::sweep::Sweep;
use crate::{Cleanup, Error};

impl Cleanup {
    pub(crate) async fn letters(&self) -> Result<(), Error> {
        let mut sweep = Sweep::default();
        for letter in self.store.untold_dead_letters(BATCH).await? {
            if !sweep.goes_on(letter.dead_letter_id, self.tell(&letter).await) {
                break;
            }
        }
        sweep.end()
    }

    async fn tell(&self, letter: &DeadLetter) -> Result<(), Error> {
        match letter.kind.as_str() {
            "VideoUploaded" | "UploadCompleted" => self.fail(id(letter, "video_id")).await?,
            "EvidenceComplete" => {
                let video = self.video_of(id(letter, "execution_id")).await?;
                self.fail(video).await?;
            }
            "PredictionDue" | "PredictionFinished" => {
                self.leave_gap(id(letter, "prediction_id"), &letter.error)
                    .await?;
            }
            // Mails, door events and a video's playback have nobody waiting behind them.
            kind => warn!(kind, "dead letter {}", letter.event_id),
        }
        Ok(self.store.mark_told(letter.dead_letter_id).await?)
    }

    /// A letter about a run that is gone must not hold the others up.
    async fn video_of(&self, run: Option<ExecutionId>) -> Result<Option<VideoId>, Error> {
        let Some(run) = run else { return Ok(None) };
        match self.store.execution(run).await {
            Err(StoreError::NotFound { .. }) => Ok(None),
            run => Ok(Some(run?.video_id)),
        }
    }

    async fn fail(&self, id: Option<VideoId>) -> Result<(), Error> {
        let Some(id) = id else { return Ok(()) };
        error!(video.id = %id, "the run of video {id} was given up");
        let mut tx = self.store.transaction().await?;
        match tx.refuse(id, &Refusal::Internal).await {
            Err(
                StoreError::Stale { .. } | StoreError::IllegalMove(_) | StoreError::NotFound { .. },
            ) => {
                return Ok(());
            }
            refused => refused?,
        }
        tx.send(&RunFailed::new(id)).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn leave_gap(
        &self,
        id: Option<PredictionId>,
        reason: &str,
    ) -> Result<(), Error> {
        let Some(id) = id else { return Ok(()) };
        let error = Some(reason.to_owned());
        let closing = Closing {
            error,
            ..Closing::of(PredictionStatus::Failed)
        };
        let mut tx = self.store.transaction().await?;
        tx.conclude(id, &closing, &[]).await?;
        Ok(tx.commit().await?)
    }
}

fn id<T: std::str::FromStr>(letter: &DeadLetter, field: &str) -> Option<T> {
    let body: Value = serde_json::from_str(&letter.body).ok()?;
    body[field].as_str()?.parse().ok()
}
