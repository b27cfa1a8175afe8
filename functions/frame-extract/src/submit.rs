//! `PredictionDue`: answer from the cache, or put the question to the provider.

use std::time::Duration;

use shared_domain::{Delivery, PredictionId};
use shared_replicate::{ModelEntry, NewPrediction, ReplicateError, Trace};
use shared_runtime::causes;
use shared_store::{Closing, Prediction, PredictionStatus};
use tracing::warn;
use url::Url;

use crate::{Error, FrameExtract};

/// How much longer than the question its input can be read: clocks differ, and a download that began
/// in the last minute has to end.
const INPUT_OUTLIVES: Duration = Duration::from_hours(1);
/// How far back the provider is searched for a question that it may have.
const SEARCHED: Duration = Duration::from_hours(24);

impl FrameExtract {
    pub(crate) async fn submit(&self, delivery: &Delivery, id: PredictionId) -> Result<(), Error> {
        let prediction = self.store.prediction(id).await?;
        let model = self
            .registry
            .find(prediction.task)
            .ok_or(Error::NoModel(prediction.task))?;
        if self.answer_from_cache(delivery, &prediction, model).await? {
            return Ok(());
        }
        let asked_before = prediction.status == PredictionStatus::Submitting;
        let mut tx = self.store.begin_step(delivery).await?;
        if !tx.begin_submission(id).await? {
            return Ok(());
        }
        tx.commit().await?;
        let asked = self.ask(&prediction, model, asked_before).await;
        if asked.as_ref().is_err_and(Error::leaves_nothing) {
            let mut tx = self.store.begin_step(delivery).await?;
            tx.withdraw_submission(id, prediction.status).await?;
            tx.commit().await?;
        }
        let provider_id = asked?;
        let mut tx = self.store.begin(delivery).await?;
        tx.submitted(id, &provider_id).await?;
        Ok(tx.commit().await?)
    }

    /// The same bytes, model and version have been answered before: nothing is paid twice.
    async fn answer_from_cache(
        &self,
        delivery: &Delivery,
        prediction: &Prediction,
        model: &ModelEntry,
    ) -> Result<bool, Error> {
        let hash = &prediction.target.content_hash;
        let Some(answer) = self
            .store
            .cached_answer(hash, &model.model, &model.version)
            .await?
        else {
            return Ok(false);
        };
        let findings = model.adapter.adapt(&answer, &prediction.target)?;
        let place = |finding| prediction.target.place(prediction.task, finding);
        let detections: Vec<_> = findings.iter().flat_map(place).collect();
        let closing = Closing::of(PredictionStatus::Cached);
        let mut tx = self.store.begin(delivery).await?;
        tx.conclude(prediction.prediction_id, &closing, &detections)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A start that died after the provider took the question left it there: it is adopted, not
    /// put (and paid) again.
    async fn ask(
        &self,
        prediction: &Prediction,
        model: &ModelEntry,
        asked_before: bool,
    ) -> Result<String, Error> {
        if asked_before && let Some(id) = self.adopt(prediction).await? {
            return Ok(id);
        }
        let url = self
            .objects
            .presign_get(
                &prediction.target.object_key,
                model.cancel_after + INPUT_OUTLIVES,
            )
            .await?;
        let webhook = self.webhook(prediction.prediction_id);
        let new = NewPrediction {
            version: &model.version,
            input: model.input(&url),
            webhook: Some(webhook.as_str()),
            cancel_after: Some(model.cancel_after),
        };
        match self.replicate.create(&new).await {
            // Whatever the search comes to, the question may be there until it is found.
            Err(lost @ ReplicateError::Ambiguous { .. }) => match self.adopt(prediction).await {
                Ok(Some(id)) => Ok(id),
                Ok(None) => Err(lost.into()),
                Err(error) => {
                    warn!(prediction.id = %prediction.prediction_id, error = causes(&error),
                        "a question without an answer could not be looked for");
                    Err(lost.into())
                }
            },
            created => Ok(created?.id),
        }
    }

    async fn adopt(&self, prediction: &Prediction) -> Result<Option<String>, Error> {
        let trace = Trace {
            key: &prediction.prediction_id.to_string(),
            version: &prediction.version,
            object_key: &prediction.target.object_key,
            since: self.store.now() - SEARCHED,
        };
        Ok(self.replicate.adopt(&trace).await?.map(|found| found.id))
    }

    fn webhook(&self, id: PredictionId) -> Url {
        let mut url = self.public_url.clone();
        url.set_path("/functions/replicate-webhook");
        url.set_query(Some(&format!("prediction={id}")));
        url
    }
}
