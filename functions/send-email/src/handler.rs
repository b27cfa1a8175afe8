//! One event, one mail to each of its readers.

use std::time::Duration;

use shared_domain::{Lang, Refusal, ReportReady, RunFailed};
use shared_runtime::{Classify, Event, FromEvent, Handler, Malformed, Verdict, message};
use shared_store::Video;

use crate::letter::Letter;
use crate::{Error, SendEmail};

/// What there is to tell.
#[derive(Debug, Clone)]
pub enum Input {
    /// A report is written.
    Report(ReportReady),
    /// A video could not be checked.
    Failure(RunFailed),
}

impl FromEvent for Input {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        if let Some(ready) = message::<ReportReady>(event) {
            return ready.map(Self::Report);
        }
        let failed = message::<RunFailed>(event)
            .unwrap_or_else(|| Err(Malformed("expected ReportReady or RunFailed".into())));
        failed.map(Self::Failure)
    }
}

impl Input {
    fn kind(&self) -> &'static str {
        match self {
            Self::Report(_) => "report_ready",
            Self::Failure(_) => "run_failed",
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
        let video_id = match &input {
            Input::Report(ready) => ready.video_id,
            Input::Failure(failed) => failed.video_id,
        };
        let video = self.store.video(video_id).await?;
        let user = self.store.owner_of(video_id).await?;
        let (delivery, kind) = (event.delivery(Self::NAME), input.kind());
        let letter = match &input {
            Input::Report(ready) => {
                let report = self.store.report(ready.report_id).await?;
                Letter::report(&video, &report, user.language, &self.dashboard)
            }
            Input::Failure(_) => Letter::failure(&video, user.language, &self.dashboard),
        };
        let told = self.send(&delivery, &user.email, kind, &letter).await;
        // One address that is refused keeps nobody else from hearing.
        let admin = self.hears_of(&video).filter(|admin| *admin != user.email);
        let told_admin = match admin {
            Some(admin) => {
                let lang = self.language_of(admin).await?;
                let letter = Letter::failure(&video, lang, &self.dashboard);
                self.send(&delivery, admin, kind, &letter).await
            }
            None => Ok(()),
        };
        both(told, told_admin)?;
        let tx = self.store.begin(&delivery).await?;
        Ok(tx.commit().await?)
    }
}

impl SendEmail {
    /// A fault of ours is told to whoever can mend it, too.
    fn hears_of(&self, video: &Video) -> Option<&str> {
        let ours = video.refusal == Some(Refusal::Internal);
        self.admin.as_ref().filter(|_| ours).map(AsRef::as_ref)
    }

    async fn language_of(&self, address: &str) -> Result<Lang, Error> {
        let user = self.store.user_by_email(address).await?;
        Ok(user.map(|user| user.language).unwrap_or_default())
    }
}

/// What is to be tried again weighs more than what is final.
fn both(first: Result<(), Error>, second: Result<(), Error>) -> Result<(), Error> {
    match (first, second) {
        (Err(first), Err(second)) if first.verdict() == Verdict::Reject => Err(second),
        (first, second) => first.and(second),
    }
}
