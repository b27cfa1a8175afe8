//! Closing a question and, with the last one, the fan-in of its run.

use shared_domain::{Detection, EvidenceComplete, PredictionId, Step};

use crate::{Closing, PredictionStatus, StoreError, Tx};

impl Closing {
    /// An end without an answer of its own.
    pub fn of(status: PredictionStatus) -> Self {
        Self {
            status,
            answer: None,
            predict_seconds: None,
            cost_usd: 0.0,
            error: None,
        }
    }
}

impl Tx {
    /// Closes a question; whoever closes the last one of a run moves the video on and says so.
    ///
    /// The order of answers does not matter, and closing twice changes nothing.
    pub async fn conclude(
        &mut self,
        prediction_id: PredictionId,
        closing: &Closing,
        detections: &[Detection],
    ) -> Result<(), StoreError> {
        let fan = self
            .close_prediction(prediction_id, closing, detections)
            .await?;
        let Some(fan) = fan.filter(crate::Fan::is_complete) else {
            return Ok(());
        };
        let moved = self
            .advance(fan.video_id, Step::Analysing, Step::Judging)
            .await;
        match moved {
            // The video was failed or deleted meanwhile: its last answer changes nothing.
            Err(StoreError::Stale { .. } | StoreError::IllegalMove(_)) => return Ok(()),
            moved => moved?,
        }
        self.send(&EvidenceComplete::new(fan.execution_id)).await?;
        Ok(())
    }
}
