//! One event, one mail to each of its readers.

use std::time::Duration;

use shared_domain::{LanePaused, ReportReady, RunFailed, VideoCapped, VideoId};
use shared_runtime::{Event, FromEvent, Handler, Malformed, about, message};

use crate::letter::Letter;
use crate::{Error, SendEmail};

/// What there is to tell.
#[derive(Debug, Clone)]
pub enum Input {
    /// A report is written.
    Report(ReportReady),
    /// A video could not be checked.
    Failure(RunFailed),
    /// Nothing is put to a provider.
    Paused(LanePaused),
    /// A video has cost what it may.
    Capped(VideoCapped),
}

impl FromEvent for Input {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        if let Some(ready) = message::<ReportReady>(event) {
            return ready.map(Self::Report);
        }
        if let Some(paused) = message::<LanePaused>(event) {
            return paused.map(Self::Paused);
        }
        if let Some(capped) = message::<VideoCapped>(event) {
            return capped.map(Self::Capped);
        }
        let failed = message::<RunFailed>(event)
            .unwrap_or_else(|| Err(Malformed("a message that no mail is about".into())));
        failed.map(Self::Failure)
    }
}

impl Input {
    fn kind(&self) -> &'static str {
        match self {
            Self::Report(_) => "report_ready",
            Self::Failure(_) => "run_failed",
            Self::Paused(_) => "lane_paused",
            Self::Capped(_) => "video_capped",
        }
    }

    fn video_id(&self) -> Option<VideoId> {
        match self {
            Self::Report(ready) => Some(ready.video_id),
            Self::Failure(failed) => Some(failed.video_id),
            Self::Paused(_) => None,
            Self::Capped(capped) => Some(capped.video_id),
        }
    }
}

impl Handler for SendEmail {
    const NAME: &'static str = "send-email";
    const TIMEOUT: Duration = Duration::from_mins(2);
    type Input = Input;
    type Output = ();
    type Error = Error;

    async fn handle(&self, event: &Event, input: Input) -> Result<(), Error> {
        let (delivery, kind) = (event.delivery(Self::NAME), input.kind());
        input.video_id().into_iter().for_each(about);
        match &input {
            Input::Report(ready) => {
                let video = self.store.video(ready.video_id).await?;
                let user = self.store.owner_of(ready.video_id).await?;
                let report = self.store.report(ready.report_id).await?;
                let letter = Letter::report(&video, &report, user.language, &self.dashboard);
                self.send(&delivery, &user.email, kind, &letter).await?;
            }
            Input::Failure(failed) => {
                let video = self.store.video(failed.video_id).await?;
                self.tell_of_failure(&delivery, kind, &video).await?;
            }
            Input::Paused(paused) => {
                let letter = |lang| Letter::paused(paused, lang, &self.dashboard);
                self.tell_admin(&delivery, kind, letter).await?;
            }
            Input::Capped(capped) => {
                let video = self.store.video(capped.video_id).await?;
                let letter = |lang| Letter::capped(capped, &video, lang, &self.dashboard);
                self.tell_admin(&delivery, kind, letter).await?;
            }
        }
        let tx = self.store.begin(&delivery).await?;
        Ok(tx.commit().await?)
    }
}
