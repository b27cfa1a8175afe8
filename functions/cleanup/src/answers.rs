//! Questions whose webhook is late: the answer is fetched, well inside the hour for which the
//! provider keeps it.

use std::time::Duration;

use shared_domain::{Message, PredictionDue, PredictionFinished};
use shared_replicate::{Provider, ReplicateError};
use shared_runtime::{Classify, Verdict, causes};
use shared_store::Prediction;
use tracing::{info, warn};

use crate::handler::BATCH;
use crate::sweep::Sweep;
use crate::{Cleanup, Error};

/// Times that one question is put, as in `replicate-webhook`: a provider that loses each of them
/// would be paid for ever.
const MAX_QUESTIONS: i64 = 3;

/// How long the provider may be late with its own deadline.
const GRACE: Duration = Duration::from_mins(1);

impl Cleanup {
    pub(crate) async fn answers(&self) -> Result<(), Error> {
        if self.waits_at(PredictionFinished::STREAM).await? {
            return Ok(());
        }
        let late = self.store.now() - self.waits.webhook;
        let mut sweep = Sweep::default();
        for prediction in self.store.submitted_before(late, BATCH).await? {
            self.store.mark_polled(prediction.prediction_id).await?;
            let went = match self.fetch(&prediction).await {
                // An answer that can never be read or kept must not hide those behind it.
                Err(error) if error.verdict() == Verdict::Reject => {
                    let reason = causes(&error);
                    self.leave_gap(Some(prediction.prediction_id), &reason)
                        .await
                }
                went => went,
            };
            if !sweep.goes_on(prediction.prediction_id, went) {
                break;
            }
        }
        sweep.end()
    }

    async fn fetch(&self, prediction: &Prediction) -> Result<(), Error> {
        let Some(provider_id) = &prediction.provider_id else {
            return Ok(());
        };
        match self.replicate.prediction(provider_id).await {
            Ok(answer) if answer.status.is_terminal() => self.deliver(prediction, answer.raw).await,
            Ok(_) if self.age(prediction) > self.waits.deadline + GRACE => {
                self.stop(prediction, provider_id).await
            }
            // Still in the provider's queue: a cold start takes minutes.
            Ok(_) => Ok(()),
            Err(ReplicateError::Lost { .. }) if prediction.attempts >= MAX_QUESTIONS => {
                let reason = "the provider lost the question each time";
                self.leave_gap(Some(prediction.prediction_id), reason).await
            }
            Err(ReplicateError::Lost { .. }) => self.ask_again(prediction).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Since a hosted question was put; local ones wait in one queue for as long as it takes.
    fn age(&self, prediction: &Prediction) -> Duration {
        let hosted = prediction.provider == Provider::Replicate.as_str();
        let since = prediction.submitted_at.filter(|_| hosted);
        let age = since.map(|since| self.store.now() - since);
        age.and_then(|age| age.try_into().ok()).unwrap_or_default()
    }

    /// The provider did not end it by itself at the deadline that it was given.
    async fn stop(&self, prediction: &Prediction, provider_id: &str) -> Result<(), Error> {
        let id = prediction.prediction_id;
        warn!(video.id = %prediction.video_id, prediction.id = %id, "prediction {id} took too long and is cancelled");
        let stopped = self.replicate.cancel(provider_id).await?;
        if stopped.status.is_terminal() {
            return self.deliver(prediction, stopped.raw).await;
        }
        if self.age(prediction) > self.waits.deadline + GRACE * 5 {
            return self.leave_gap(Some(id), "no_answer").await;
        }
        Ok(())
    }

    async fn deliver(&self, prediction: &Prediction, body: serde_json::Value) -> Result<(), Error> {
        let id = prediction.prediction_id;
        info!(video.id = %prediction.video_id, prediction.id = %id, "the end of prediction {id} was fetched: no webhook told it");
        let mut tx = self.store.transaction().await?;
        tx.send(&PredictionFinished::new(id, body)).await?;
        Ok(tx.commit().await?)
    }

    async fn ask_again(&self, prediction: &Prediction) -> Result<(), Error> {
        let id = prediction.prediction_id;
        warn!(video.id = %prediction.video_id, prediction.id = %id, "the provider no longer knows prediction {id}; it is put again");
        let mut tx = self.store.transaction().await?;
        if !tx.resubmit(id).await? {
            return Ok(());
        }
        tx.send(&PredictionDue::new(id)).await?;
        Ok(tx.commit().await?)
    }
}
