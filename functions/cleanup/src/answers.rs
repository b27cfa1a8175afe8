//! Questions whose webhook is late: the answer is fetched, well inside the hour for which the
//! provider keeps it.

use shared_domain::{PredictionDue, PredictionFinished};
use shared_replicate::ReplicateError;
use shared_store::Prediction;
use tracing::{info, warn};

use crate::handler::BATCH;
use crate::{Cleanup, Error};

impl Cleanup {
    pub(crate) async fn answers(&self) -> Result<(), Error> {
        let late = self.store.now() - self.waits.webhook;
        for prediction in self.store.submitted_before(late, BATCH).await? {
            let Some(provider_id) = &prediction.provider_id else {
                continue;
            };
            match self.replicate.prediction(provider_id).await {
                Ok(answer) if answer.status.is_terminal() => {
                    self.deliver(&prediction, answer.raw).await?;
                }
                // Still in the provider's queue.
                Ok(_) => {}
                Err(ReplicateError::Lost { .. }) => self.ask_again(&prediction).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
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
        tx.resubmit(id).await?;
        tx.send(&PredictionDue::new(id)).await?;
        Ok(tx.commit().await?)
    }
}
