//! Questions whose webhook is late: the answer is fetched, well inside the hour for which the
//! provider keeps it.

use shared_domain::{Message, PredictionDue, PredictionFinished};
use shared_replicate::ReplicateError;
use shared_runtime::{Classify, Verdict, causes};
use shared_store::Prediction;
use tracing::{info, warn};

use crate::handler::BATCH;
use crate::sweep::Sweep;
use crate::{Cleanup, Error};

/// Times that one question is put, as in `replicate-webhook`: a provider that loses each of them
/// would be paid for ever.
const MAX_QUESTIONS: i64 = 3;

impl Cleanup {
    pub(crate) async fn answers(&self) -> Result<(), Error> {
        if self.waits_at(PredictionFinished::STREAM).await? {
            return Ok(());
        }
        let late = self.store.now() - self.waits.webhook;
        let mut sweep = Sweep::default();
        for prediction in self.store.submitted_before(late, BATCH).await? {
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
            // Still in the provider's queue.
            Ok(_) => Ok(()),
            Err(ReplicateError::Lost { .. }) if prediction.attempts >= MAX_QUESTIONS => {
                let reason = "the provider lost the question each time";
                self.leave_gap(Some(prediction.prediction_id), reason).await
            }
            Err(ReplicateError::Lost { .. }) => self.ask_again(prediction).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn deliver(&self, prediction: &Prediction, body: serde_json::Value) -> Result<(), Error> {
        let id = prediction.prediction_id;
        info!(prediction.id = %id, "the webhook of prediction {id} was lost; its answer was fetched");
        let mut tx = self.store.transaction().await?;
        tx.send(&PredictionFinished::new(id, body)).await?;
        Ok(tx.commit().await?)
    }

    async fn ask_again(&self, prediction: &Prediction) -> Result<(), Error> {
        let id = prediction.prediction_id;
        warn!(prediction.id = %id, "the provider no longer knows prediction {id}; it is put again");
        let mut tx = self.store.transaction().await?;
        if !tx.resubmit(id).await? {
            return Ok(());
        }
        tx.send(&PredictionDue::new(id)).await?;
        Ok(tx.commit().await?)
    }
}
