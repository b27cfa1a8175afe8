//! Three messages: a video to be cut, a question to be put, a copy to be made.

use std::time::Duration;

use shared_domain::{PlaybackDue, PredictionDue, VideoUploaded};
use shared_runtime::{Event, FromEvent, Handler, Malformed, message};

use crate::{Error, FrameExtract};

/// What this function is told.
#[derive(Debug, Clone)]
pub enum Input {
    /// A video is in storage.
    Extract(VideoUploaded),
    /// A question has to be put.
    Submit(PredictionDue),
    /// The copy for review has to be made.
    Play(PlaybackDue),
}

impl FromEvent for Input {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        if let Some(uploaded) = message::<VideoUploaded>(event) {
            return uploaded.map(Self::Extract);
        }
        if let Some(due) = message::<PredictionDue>(event) {
            return due.map(Self::Submit);
        }
        let expected = "expected VideoUploaded, PredictionDue or PlaybackDue";
        let due = message::<PlaybackDue>(event);
        due.unwrap_or_else(|| Err(Malformed(expected.into())))
            .map(Self::Play)
    }
}

impl Handler for FrameExtract {
    const NAME: &'static str = "frame-extract";
    /// A two-hour 4K film on two cores.
    const TIMEOUT: Duration = Duration::from_hours(3);
    type Input = Input;
    type Output = ();
    type Error = Error;

    async fn handle(&self, event: &Event, input: Input) -> Result<(), Error> {
        let delivery = event.delivery(Self::NAME);
        match input {
            Input::Extract(uploaded) => self.extract(&delivery, uploaded.video_id).await,
            Input::Submit(due) => self.submit(&delivery, due.prediction_id).await,
            Input::Play(due) => self.playback(due.video_id).await,
        }
    }
}
