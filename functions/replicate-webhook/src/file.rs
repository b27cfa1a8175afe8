//! Answers that are files on the provider's own hosts.

use shared_domain::{Delivery, PredictionFinished};
use shared_replicate::{Adapter, Outcome, Prediction as Answer, ReplicateError};
use shared_store::Prediction;
use tracing::warn;

use crate::answer::Ending;
use crate::{Error, ReplicateWebhook};

/// What became of a file.
pub(crate) enum File {
    /// It is the answer, or there was none.
    Read(Box<Answer>),
    /// There will be no answer from it.
    Ended(Ending),
}

impl ReplicateWebhook {
    /// Whether the answer lies in a file that has to be fetched first.
    pub(crate) fn is_file(&self, prediction: &Prediction, answer: &Answer) -> bool {
        self.file_url(prediction, answer).is_some()
    }

    fn file_url<'a>(&self, prediction: &Prediction, answer: &'a Answer) -> Option<&'a str> {
        let model = self.registry.find(prediction.task)?;
        // What is written on a screen may look like anything, and is the answer itself.
        if model.adapter == Adapter::TextExtractOcr {
            return None;
        }
        match answer.outcome() {
            Outcome::Output(_) => self.replicate.file_in(&answer.output),
            _ => None,
        }
    }

    /// The sender of a webhook waits a few seconds only: the file is fetched by a worker.
    pub(crate) async fn fetch_later(
        &self,
        delivery: &Delivery,
        prediction: &Prediction,
        answer: &Answer,
    ) -> Result<(), Error> {
        let again = PredictionFinished::new(prediction.prediction_id, answer.raw.clone());
        let mut tx = self.store.begin(delivery).await?;
        tx.send(&again).await?;
        Ok(tx.commit().await?)
    }

    /// Puts the content in the place of the URL.
    pub(crate) async fn read_file(
        &self,
        prediction: &Prediction,
        mut answer: Answer,
    ) -> Result<File, Error> {
        let Some(url) = self.file_url(prediction, &answer) else {
            return Ok(File::Read(Box::new(answer)));
        };
        match self.replicate.file(url).await {
            Ok(content) => {
                answer.output = shared_store::without_nul(content);
                Ok(File::Read(Box::new(answer)))
            }
            Err(ReplicateError::Lost { detail }) => Ok(File::Ended(Ending::AskAgain(detail))),
            Err(error @ ReplicateError::Permanent { .. }) => {
                warn!(prediction.id = %prediction.prediction_id, %error, "an output cannot be read");
                let output = answer.output;
                Ok(File::Ended(Ending::Undecided(error.to_string(), output)))
            }
            Err(error) => Err(error.into()),
        }
    }
}
