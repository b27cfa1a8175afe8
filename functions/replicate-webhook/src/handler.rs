//! One answer: verify, read, adapt, write.

use std::time::Duration;

use serde_json::Value;
use shared_domain::{Delivery, PredictionDue, PredictionId, Task};
use shared_replicate::signature::{self, SignedHeaders};
use shared_replicate::{NotAPrediction, Prediction as Answer};
use shared_runtime::{Event, Handler};
use shared_store::{Prediction, PredictionStatus, without_nul};
use tracing::{info, warn};

use crate::answer::{Ending, ending};
use crate::{Error, Input, ReplicateWebhook};

/// Times that one question is put before its failure is final.
const MAX_QUESTIONS: i64 = 3;

impl Handler for ReplicateWebhook {
    const NAME: &'static str = "replicate-webhook";
    const TIMEOUT: Duration = Duration::from_secs(30);
    type Input = Input;
    type Output = ();
    type Error = Error;

    async fn handle(&self, event: &Event, input: Input) -> Result<(), Error> {
        let delivery = event.delivery(Self::NAME);
        match input {
            Input::Webhook(id) => {
                self.verify(event)?;
                let answer = parse(serde_json::from_slice(&event.body)?)?;
                self.take(&delivery, id, &answer).await
            }
            Input::Polled(finished) => {
                let answer = parse(finished.body)?;
                self.take(&delivery, finished.prediction_id, &answer).await
            }
        }
    }
}

/// What a model says ends up in texts, where no NUL can be kept.
fn parse(body: Value) -> Result<Answer, NotAPrediction> {
    Answer::parse(without_nul(body))
}

impl ReplicateWebhook {
    fn verify(&self, event: &Event) -> Result<(), Error> {
        let header = |name| event.header(name).unwrap_or_default();
        let headers = SignedHeaders {
            id: header("webhook-id"),
            timestamp: header("webhook-timestamp"),
            signature: header("webhook-signature"),
        };
        let now = self.store.now();
        Ok(signature::verify(
            &headers,
            &event.body,
            &self.secrets,
            now,
            signature::TOLERANCE,
        )?)
    }

    async fn take(
        &self,
        delivery: &Delivery,
        id: PredictionId,
        answer: &Answer,
    ) -> Result<(), Error> {
        let Some(prediction) = self.store.find_prediction(id).await? else {
            warn!(prediction.id = %id, "an answer to a question that is not ours");
            return Ok(());
        };
        // The query alone is not signed. Before the provider's id is recorded the answer's own callback
        // has to name the question; some answers of the hosted service carry none.
        let key = id.to_string();
        let by_callback = answer.webhook.as_ref().is_none_or(|url| url.contains(&key));
        let known = prediction.provider_id.as_ref();
        if !by_callback || known.is_some_and(|known| *known != answer.id) {
            return Err(Error::Mismatch(id));
        }
        if prediction.status.is_closed() {
            return Ok(());
        }
        match ending(&prediction, answer, &self.registry) {
            None => Ok(()),
            Some(Ending::AskAgain(reason)) if prediction.attempts < MAX_QUESTIONS => {
                warn!(prediction.id = %id, reason, "the question is put again");
                let mut tx = self.store.begin(delivery).await?;
                if !tx.resubmit(id).await? {
                    // Told twice, under two names: it is put again already.
                    return Ok(());
                }
                tx.send(&PredictionDue::new(id)).await?;
                Ok(tx.commit().await?)
            }
            Some(ending) => self.close(delivery, &prediction, ending).await,
        }
    }

    async fn close(
        &self,
        delivery: &Delivery,
        prediction: &Prediction,
        ending: Ending,
    ) -> Result<(), Error> {
        let id = prediction.prediction_id;
        let (closing, detections) = ending.close(prediction);
        if closing.status != PredictionStatus::Succeeded {
            let reason = closing.error.as_deref().unwrap_or("");
            warn!(prediction.id = %id, task = %prediction.task, reason, "no usable answer");
        }
        let mut tx = self.store.begin(delivery).await?;
        tx.conclude(id, &closing, &detections).await?;
        tx.commit().await?;
        if prediction.task == Task::Speech {
            info!(video.id = %prediction.video_id, "Whisper ASR completed for video {}", prediction.video_id);
        }
        Ok(())
    }
}
