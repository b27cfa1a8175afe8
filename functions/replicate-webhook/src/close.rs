//! The end of a question, and what follows from a doubtful finding: one question to a second model about
//! the same frame, by the same way and within the same caps.

use shared_domain::{Delivery, Detection, MediaKind, PredictionDue, Task};
use shared_policy::is_doubtful;
use shared_store::{Closing, NewPrediction, Prediction, PredictionStatus};
use tracing::{info, warn};

use crate::{Error, ReplicateWebhook};

impl ReplicateWebhook {
    pub(crate) async fn close(
        &self,
        delivery: &Delivery,
        prediction: &Prediction,
        (closing, detections): (Closing, Vec<Detection>),
    ) -> Result<(), Error> {
        let id = prediction.prediction_id;
        if closing.status != PredictionStatus::Succeeded {
            let reason = closing.error.as_deref().unwrap_or("");
            warn!(prediction.id = %id, task = %prediction.task, reason, "no usable answer");
        }
        let second = self.second_opinion(prediction, &detections).await?;
        let mut tx = self.store.begin(delivery).await?;
        // Before this one is closed: the run then waits for the second opinion.
        if let Some(second) = second
            && tx.ask_also(prediction.execution_id, &second).await?
        {
            tx.send(&PredictionDue::new(second.prediction_id)).await?;
        }
        tx.conclude(id, &closing, &detections).await?;
        tx.commit().await?;
        if prediction.task == Task::Speech {
            info!(video.id = %prediction.video_id, "Whisper ASR completed for video {}", prediction.video_id);
        }
        Ok(())
    }

    /// What a second model is asked about findings that the video's pack calls doubtful.
    async fn second_opinion(
        &self,
        prediction: &Prediction,
        found: &[Detection],
    ) -> Result<Option<NewPrediction>, Error> {
        let target = &prediction.target;
        let (Some(packs), Some(model)) = (&self.packs, self.registry.find(Task::Context)) else {
            return Ok(None);
        };
        if found.is_empty() || target.media != MediaKind::Frame || prediction.task == Task::Context
        {
            return Ok(None);
        }
        let video = self.store.video(prediction.video_id).await?;
        let added = self.store.added_packs().await?;
        let bodies = added.iter().map(|added| added.body.as_str());
        // No word is looked up here: whatever dictionary a pack names will do.
        let (packs, _) = packs.with(bodies, |_| true);
        let pack = packs.in_force(&video.policy_id, self.store.now().date());
        let doubtful = pack.is_some_and(|pack| is_doubtful(found, pack));
        Ok(doubtful.then(|| NewPrediction {
            prediction_id: self.store.fresh(),
            task: Task::Context,
            content_hash: target.content_hash.clone(),
            object_key: target.object_key.clone(),
            provider: model.provider.as_str().to_owned(),
            model: model.model.clone(),
            version: model.version.clone(),
        }))
    }
}
