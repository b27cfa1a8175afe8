//! A doubtful finding of a cached answer asks a second model, as that of a fresh one does in
//! `replicate-webhook`.

use shared_domain::{Detection, MediaKind, PredictionDue, Task};
use shared_policy::is_doubtful;
use shared_store::{NewPrediction, Prediction, Tx};

use crate::{Error, FrameExtract};

impl FrameExtract {
    /// Whether the video's pack calls a finding doubtful, and there is a model to ask.
    pub(crate) async fn is_doubtful(
        &self,
        prediction: &Prediction,
        found: &[Detection],
    ) -> Result<bool, Error> {
        let is_frame = prediction.target.media == MediaKind::Frame;
        let Some(packs) = &self.packs else {
            return Ok(false);
        };
        if found.is_empty() || !is_frame || prediction.task == Task::Context {
            return Ok(false);
        }
        let video = self.store.video(prediction.video_id).await?;
        let added = self.store.added_packs().await?;
        let bodies = added.iter().map(|added| added.body.as_str());
        // No word is looked up here: whatever dictionary a pack names will do.
        let (packs, _) = packs.with(bodies, |_| true);
        let pack = packs.in_force(&video.policy_id, self.store.now().date());
        Ok(pack.is_some_and(|pack| is_doubtful(found, pack)))
    }

    /// Writes the question to the second model down, once a frame; before the first is closed, so that
    /// the run waits for it.
    pub(crate) async fn ask_again(&self, tx: &mut Tx, first: &Prediction) -> Result<(), Error> {
        let Some(model) = self.registry.find(Task::Context) else {
            return Ok(());
        };
        let second = NewPrediction {
            prediction_id: self.store.fresh(),
            task: Task::Context,
            content_hash: first.target.content_hash.clone(),
            object_key: first.target.object_key.clone(),
            provider: model.provider.as_str().to_owned(),
            model: model.model.clone(),
            version: model.version.clone(),
        };
        if tx.ask_also(first.execution_id, &second).await? {
            tx.send(&PredictionDue::new(second.prediction_id)).await?;
        }
        Ok(())
    }
}
