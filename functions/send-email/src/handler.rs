//! One event, one mail: note the intent, send, note that it was sent.

use std::time::Duration;

use sha2::{Digest, Sha256};
use shared_domain::{Delivery, Lang, Refusal, ReportReady, RunFailed};
use shared_runtime::{Event, FromEvent, Handler, Malformed, message};
use shared_store::{MailState, Video};
use tracing::info;

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
        self.send(&delivery, &user.email, kind, &letter).await?;
        if let Some(admin) = self.hears_of(&video)
            && admin != user.email
        {
            let lang = self.language_of(admin).await?;
            let letter = Letter::failure(&video, lang, &self.dashboard);
            self.send(&delivery, admin, kind, &letter).await?;
        }
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

    /// One mail of one event to one address, once.
    async fn send(
        &self,
        delivery: &Delivery,
        address: &str,
        kind: &str,
        letter: &Letter,
    ) -> Result<(), Error> {
        let id = &delivery.event_id;
        let name = hex::encode(&Sha256::digest(format!("{id}\n{address}"))[..16]);
        let message_id = format!("<{name}@compliance>");
        let mut tx = self.store.begin_step(delivery).await?;
        let state = tx.intend_mail(id, address, kind, &message_id).await?;
        tx.commit().await?;
        if state == MailState::Sent {
            return Ok(());
        }
        let message = letter.address(&self.post, address, &message_id)?;
        self.post.send(message, &name).await?;
        let mut tx = self.store.begin_step(delivery).await?;
        tx.mark_mail_sent(id, address).await?;
        tx.commit().await?;
        info!(kind, "mail {kind} sent");
        Ok(())
    }
}
