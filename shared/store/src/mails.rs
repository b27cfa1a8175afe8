//! Mails: the intent is committed before the server is called, so that a repeat finds it.

use crate::dialect::{execute, rows};
use crate::values::{Name, UnknownName, ts};
use crate::{StoreError, Tx};

/// What is known of a mail when somebody wants to send it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// Certainly not sent: send it.
    New,
    /// An earlier attempt was cut off: perhaps sent. Send it with the same Message-ID or not at all.
    Sending,
    /// Sent.
    Sent,
}

impl TryFrom<Name> for MailState {
    type Error = UnknownName;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        match name.0.as_str() {
            "failed" => Ok(Self::New),
            "sending" => Ok(Self::Sending),
            "sent" => Ok(Self::Sent),
            _ => Err(UnknownName(name.0)),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Known {
    #[sqlx(try_from = "Name")]
    state: MailState,
}

impl Tx {
    /// Writes down that the mail of this event to this address is about to be sent, and tells what
    /// was known of it. Commit before calling the server.
    pub async fn intend_mail(
        &mut self,
        event_id: &str,
        address: &str,
        kind: &str,
        message_id: &str,
    ) -> Result<MailState, StoreError> {
        let now = ts(self.now());
        let added = execute!(
            self.link(),
            "insert into mails (event_id, address, kind, message_id, state, created_at) \
             values ($1, $2, $3, $4, 'sending', $5) on conflict (event_id, address) do nothing",
            event_id,
            address,
            kind,
            message_id,
            now,
        )?;
        if added == 1 {
            return Ok(MailState::New);
        }
        let known = rows!(
            fetch_one as Known,
            self.link(),
            "select state from mails where event_id = $1 and address = $2",
            event_id,
            address,
        )?;
        execute!(
            self.link(),
            "update mails set state = 'sending', attempts = attempts + 1 \
             where event_id = $1 and address = $2 and state <> 'sent'",
            event_id,
            address,
        )?;
        Ok(known.state)
    }

    /// The server has accepted the mail.
    pub async fn mark_mail_sent(
        &mut self,
        event_id: &str,
        address: &str,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        execute!(
            self.link(),
            "update mails set state = 'sent', error = null, sent_at = $3 \
             where event_id = $1 and address = $2 and state <> 'sent'",
            event_id,
            address,
            now,
        )?;
        Ok(())
    }

    /// The server has refused the mail: it was certainly not sent.
    pub async fn mark_mail_failed(
        &mut self,
        event_id: &str,
        address: &str,
        error: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update mails set state = 'failed', error = $3 \
             where event_id = $1 and address = $2 and state <> 'sent'",
            event_id,
            address,
            error,
        )?;
        Ok(())
    }
}
