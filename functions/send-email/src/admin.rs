//! Who hears of what: the owner of a video, and the administrator of faults and of waiting work.

use shared_domain::{Delivery, Lang, Refusal};
use shared_runtime::{Classify, Verdict};
use shared_store::Video;
use tracing::warn;

use crate::letter::Letter;
use crate::{Error, SendEmail};

impl SendEmail {
    pub(crate) async fn tell_of_failure(
        &self,
        delivery: &Delivery,
        kind: &str,
        video: &Video,
    ) -> Result<(), Error> {
        let user = self.store.owner_of(video.video_id).await?;
        let letter = Letter::failure(video, user.language, &self.dashboard);
        let told = self.send(delivery, &user.email, kind, &letter).await;
        // One address that is refused keeps nobody else from hearing.
        let told_admin = match self.hears_of(video) {
            Some(admin) if admin != user.email => {
                let letter = |lang| Letter::failure(video, lang, &self.dashboard);
                self.tell_admin(delivery, kind, letter).await
            }
            _ => Ok(()),
        };
        both(told, told_admin)
    }

    pub(crate) async fn tell_admin(
        &self,
        delivery: &Delivery,
        kind: &str,
        letter: impl Fn(Lang) -> Letter,
    ) -> Result<(), Error> {
        let Some(admin) = self.admin.as_ref().map(AsRef::<str>::as_ref) else {
            warn!(kind, "nobody hears of it: ADMIN_EMAIL is not set");
            return Ok(());
        };
        let letter = letter(self.language_of(admin).await?);
        self.send(delivery, admin, kind, &letter).await
    }

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
