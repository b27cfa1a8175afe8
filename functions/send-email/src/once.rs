//! One mail of one event to one address, once: come as far as the mail itself, note the intent, hand
//! the mail over, note what became of it.
//!
//! The server's word can be lost after the mail was handed over. Then it is sent again, once, under the
//! same Message-ID; after a second silence it is left alone, and a person sees why.

use lettre::Message;
use sha2::{Digest, Sha256};
use shared_domain::Delivery;
use shared_store::{Mail, MailState, NewMail};
use tracing::info;

use crate::letter::Letter;
use crate::{Error, Fault, SendEmail};

/// Attempts of one mail that may end without the server's word: the first and one repeat.
const MOST_UNCLEAR: i64 = 2;

impl SendEmail {
    pub(crate) async fn send(
        &self,
        delivery: &Delivery,
        address: &str,
        kind: &str,
        letter: &Letter,
    ) -> Result<(), Error> {
        let event_id = delivery.event_id.as_str();
        let known = self.store.mail(event_id, address).await?;
        if known
            .as_ref()
            .is_some_and(|mail| mail.state == MailState::Sent)
        {
            return Ok(());
        }
        let unclear = known.as_ref().map_or(0, |mail| mail.unclear);
        if unclear >= MOST_UNCLEAR && self.post.may_double() {
            return Err(Error::PerhapsSent);
        }
        let name = hex::encode(&Sha256::digest(format!("{event_id}\n{address}"))[..16]);
        let message_id = message_id(known, &name);
        let message = letter.address(&self.post, address, &message_id)?;
        let mail = NewMail {
            event_id,
            address,
            kind,
            message_id: &message_id,
        };
        self.attempt(delivery, mail, &message, &name).await?;
        info!(kind, "mail {kind} sent");
        Ok(())
    }

    async fn attempt(
        &self,
        delivery: &Delivery,
        mail: NewMail<'_>,
        message: &Message,
        name: &str,
    ) -> Result<(), Error> {
        let mut handover = match self.post.open(message, name).await {
            Ok(handover) => handover,
            Err(fault) => {
                let mut tx = self.store.begin_step(delivery).await?;
                tx.note_mail_failure(mail, &fault.to_string()).await?;
                tx.commit().await?;
                return Err(fault.into());
            }
        };
        let mut tx = self.store.begin_step(delivery).await?;
        tx.intend_mail(mail).await?;
        tx.commit().await?;

        let delivered = handover.deliver(message).await;

        let (event_id, address) = (mail.event_id, mail.address);
        let mut tx = self.store.begin_step(delivery).await?;
        match &delivered {
            Ok(_) => tx.mark_mail_sent(event_id, address).await?,
            Err(fault @ Fault::Unclear(_)) => {
                let error = fault.to_string();
                tx.mark_mail_unclear(event_id, address, &error).await?;
            }
            Err(fault) => {
                let error = fault.to_string();
                tx.mark_mail_failed(event_id, address, &error).await?;
            }
        }
        tx.commit().await?;
        handover.leave().await;
        delivered?;
        Ok(())
    }
}

/// The one under which the mail was first intended.
fn message_id(known: Option<Mail>, name: &str) -> String {
    known.map_or_else(|| format!("<{name}@compliance>"), |mail| mail.message_id)
}
