//! `PredictionDue`: answer from the cache, or put the question to the provider.

use std::time::Duration;

use shared_domain::{Delivery, MediaKind, PredictionId};
use shared_objects::ObjectsError;
use shared_replicate::{
    MAX_INLINE, ModelEntry, NewPrediction, Provider, ReplicateError, Trace, data_uri,
};
use shared_runtime::{about, causes};
use shared_store::{Closing, Prediction, PredictionStatus};
use tracing::warn;
use url::Url;

use crate::{Error, FrameExtract};

/// How much longer than the question its input can be read: clocks differ, and a download that began
/// in the last minute has to end.
const INPUT_OUTLIVES: Duration = Duration::from_hours(1);
/// How far back the provider is searched for a question that it may have.
const SEARCHED: Duration = Duration::from_hours(24);

/// A question on its way, and whom it is put to.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) delivery: &'a Delivery,
    pub(crate) prediction: &'a Prediction,
    pub(crate) model: &'a ModelEntry,
}

impl Question<'_> {
    pub(crate) fn id(&self) -> PredictionId {
        self.prediction.prediction_id
    }

    /// Whether a provider is asked that counts and bills.
    pub(crate) fn is_hosted(&self) -> bool {
        match self.model.provider {
            Provider::Replicate => true,
            Provider::Local => false,
        }
    }
}

impl FrameExtract {
    pub(crate) async fn submit(&self, delivery: &Delivery, id: PredictionId) -> Result<(), Error> {
        let prediction = &self.store.prediction(id).await?;
        about(prediction.video_id);
        let asked_before = match prediction.status {
            PredictionStatus::Planned => false,
            PredictionStatus::Submitting => true,
            _ => return Ok(()),
        };
        let model = self
            .registry
            .find(prediction.task)
            .ok_or(Error::NoModel(prediction.task))?;
        if self.answer_from_cache(delivery, prediction, model).await? {
            return Ok(());
        }
        let question = Question {
            delivery,
            prediction,
            model,
        };
        let input = self.input(&question).await?;
        // A start that died after the provider took the question left it there: it is adopted, not
        // put (and paid) again. That takes no token.
        if asked_before && let Some(found) = self.adopt(prediction, &input).await? {
            return self.note(&question, &found, &[]).await;
        }
        let Some(tried) = self.admit(&question).await? else {
            return Ok(());
        };
        match self.ask(&question, &input).await {
            Ok(made) => self.note(&question, &made, &tried).await,
            Err(error) => self.not_asked(&question, error).await,
        }
    }

    async fn note(
        &self,
        question: &Question<'_>,
        provider_id: &str,
        tried: &[String],
    ) -> Result<(), Error> {
        let mut tx = self.store.begin(question.delivery).await?;
        tx.submitted(question.id(), provider_id).await?;
        for lane in tried {
            tx.resume_lane(lane).await?;
        }
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
        let findings = model.findings(&answer, &prediction.target)?;
        let place = |finding| prediction.target.place(prediction.task, finding);
        let detections: Vec<_> = findings.iter().flat_map(place).collect();
        let closing = Closing::of(PredictionStatus::Cached);
        let doubtful = self.is_doubtful(prediction, &detections).await?;
        let mut tx = self.store.begin(delivery).await?;
        if doubtful {
            self.ask_again(&mut tx, prediction).await?;
        }
        tx.conclude(prediction.prediction_id, &closing, &detections)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A picture goes within the question where it is small enough: the provider then needs no way
    /// to our storage. Everything else goes by URL.
    async fn input(&self, question: &Question<'_>) -> Result<String, Error> {
        let target = &question.prediction.target;
        if question.is_hosted() && target.media == MediaKind::Frame {
            match self.objects.get(&target.object_key, MAX_INLINE).await {
                Ok(bytes) => return Ok(data_uri("image/jpeg", &bytes)),
                Err(ObjectsError::TooLarge { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let expires = question.model.cancel_after + INPUT_OUTLIVES;
        Ok(self
            .objects
            .presign_get(&target.object_key, expires)
            .await?)
    }

    async fn ask(&self, question: &Question<'_>, input: &str) -> Result<String, Error> {
        let (prediction, model) = (question.prediction, question.model);
        let webhook = self.webhook(question);
        let new = NewPrediction {
            version: &model.version,
            input: model.input(input),
            webhook: Some(webhook.as_str()),
            cancel_after: Some(model.cancel_after),
        };
        match self.replicate.create(&new).await {
            // Whatever the search comes to, the question may be there until it is found.
            Err(lost @ ReplicateError::Ambiguous { .. }) => {
                match self.adopt(prediction, input).await {
                    Ok(Some(id)) => Ok(id),
                    Ok(None) => Err(lost.into()),
                    Err(error) => {
                        warn!(prediction.id = %prediction.prediction_id, error = causes(&error),
                        "a question without an answer could not be looked for");
                        Err(lost.into())
                    }
                }
            }
            created => Ok(created?.id),
        }
    }

    async fn adopt(&self, prediction: &Prediction, input: &str) -> Result<Option<String>, Error> {
        let key = prediction.target.object_key.as_str();
        let trace = Trace {
            key: &prediction.prediction_id.to_string(),
            version: &prediction.version,
            object_key: if input.starts_with("data:") {
                input
            } else {
                key
            },
            since: self.store.now() - SEARCHED,
        };
        Ok(self.replicate.adopt(&trace).await?.map(|found| found.id))
    }

    /// Whoever calls back sends no headers of ours: the address carries the trace.
    fn webhook(&self, question: &Question<'_>) -> Url {
        let mut url = self.public_url.clone();
        url.set_path("/functions/replicate-webhook");
        url.set_query(Some(&format!("prediction={}", question.id())));
        if let Some(trace) = &question.delivery.trace {
            url.query_pairs_mut().append_pair("traceparent", trace);
        }
        url
    }
}
