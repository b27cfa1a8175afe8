//! One answer: verify, read, adapt, write.

use std::time::Duration;

use serde_json::Value;
use shared_domain::{Delivery, PredictionDue, PredictionId};
use shared_replicate::signature::{self, SignedHeaders};
use shared_replicate::{NotAPrediction, Prediction as Answer};
use shared_runtime::{Event, Handler, about};
use shared_store::{Prediction, without_nul};
use tracing::warn;

use crate::answer::{Cost, Ending, ending};
use crate::file::File;
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
                let Some(prediction) = self.asked(id, &answer).await? else {
                    return Ok(());
                };
                if self.is_file(&prediction, &answer) {
                    return self.fetch_later(&delivery, &prediction, &answer).await;
                }
                let ending = ending(&prediction, &answer, &self.registry);
                self.take(&delivery, &prediction, &answer, ending).await
            }
            Input::Polled(finished) => {
                let answer = parse(finished.body)?;
                let Some(prediction) = self.asked(finished.prediction_id, &answer).await? else {
                    return Ok(());
                };
                let (answer, ending) = match self.read_file(&prediction, answer.clone()).await? {
                    File::Ended(ending) => (answer, Some(ending)),
                    File::Read(read) => {
                        let ending = ending(&prediction, &read, &self.registry);
                        (*read, ending)
                    }
                };
                self.take(&delivery, &prediction, &answer, ending).await
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

    /// The open question that an answer is about.
    async fn asked(&self, id: PredictionId, answer: &Answer) -> Result<Option<Prediction>, Error> {
        let Some(prediction) = self.store.find_prediction(id).await? else {
            warn!(prediction.id = %id, "an answer to a question that is not ours");
            return Ok(None);
        };
        about(prediction.video_id);
        // The query alone is not signed. Before the provider's id is recorded the answer's own callback
        // has to name the question; some answers of the hosted service carry none.
        let key = id.to_string();
        let by_callback = answer.webhook.as_ref().is_none_or(|url| url.contains(&key));
        let known = prediction.provider_id.as_ref();
        if !by_callback || known.is_some_and(|known| *known != answer.id) {
            return Err(Error::Mismatch(id));
        }
        Ok((!prediction.status.is_closed()).then_some(prediction))
    }

    async fn take(
        &self,
        delivery: &Delivery,
        prediction: &Prediction,
        answer: &Answer,
        ending: Option<Ending>,
    ) -> Result<(), Error> {
        let id = prediction.prediction_id;
        let cost = Cost::of(prediction, answer, &self.registry);
        match ending {
            None => Ok(()),
            Some(Ending::AskAgain(reason)) if prediction.attempts < MAX_QUESTIONS => {
                warn!(prediction.id = %id, reason, "the question is put again");
                let mut tx = self.store.begin(delivery).await?;
                if !tx.resubmit(id).await? {
                    // Told twice, under two names: it is put again already.
                    return Ok(());
                }
                tx.charge(id, cost.usd).await?;
                tx.send(&PredictionDue::new(id)).await?;
                Ok(tx.commit().await?)
            }
            Some(ending) => {
                let closed = ending.close(prediction, cost);
                self.close(delivery, prediction, closed).await
            }
        }
    }
}
