//! Mails: the intent is committed before the server is given the mail, so that a repeat finds it.
//!
//! Between the end of a mail and the server's answer nobody can tell whether it was accepted. An
//! attempt counts as unclear from the moment its intent is committed until its end is known.

use crate::dialect::{execute, rows};
use crate::values::{Name, UnknownName, text_without_nul, ts};
use crate::{Store, StoreError, Tx};

/// What became of a mail so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailState {
    /// The last attempt failed, and certainly sent nothing.
    Failed,
    /// An attempt began and has not said how it ended: perhaps sent.
    Sending,
    /// Sent.
    Sent,
}

impl TryFrom<Name> for MailState {
    type Error = UnknownName;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        match name.0.as_str() {
            "failed" => Ok(Self::Failed),
            "sending" => Ok(Self::Sending),
            "sent" => Ok(Self::Sent),
            _ => Err(UnknownName(name.0)),
        }
    }
}

/// What is known of a mail when somebody wants to send it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Mail {
    /// What became of it so far.
    #[sqlx(try_from = "Name")]
    pub state: MailState,
    /// Its Message-ID, the same at every attempt.
    pub message_id: String,
    /// Attempts that perhaps sent it: nobody knows how they ended.
    #[sqlx(rename = "maybe_sent")]
    pub unclear: i64,
}

/// One mail: the key, and what never changes about it.
#[derive(Debug, Clone, Copy)]
pub struct NewMail<'a> {
    /// The event that causes it.
    pub event_id: &'a str,
    /// To whom.
    pub address: &'a str,
    /// Which template.
    pub kind: &'a str,
    /// Its Message-ID.
    pub message_id: &'a str,
}

impl Store {
    /// What is known of the mail of an event to an address.
    pub async fn mail(&self, event_id: &str, address: &str) -> Result<Option<Mail>, StoreError> {
        rows!(
            fetch_optional as Mail,
            self.reader().await?.link(),
            "select state, message_id, maybe_sent from mails where event_id = $1 and address = $2",
            event_id,
            address,
        )
    }
}

impl Tx {
    /// The server is about to be given the mail. Commit before that: from here on a silent end of this
    /// process may have sent it.
    pub async fn intend_mail(&mut self, mail: NewMail<'_>) -> Result<(), StoreError> {
        let now = ts(self.now());
        execute!(
            self.link(),
            "insert into mails \
             (event_id, address, kind, message_id, state, maybe_sent, created_at) \
             values ($1, $2, $3, $4, 'sending', 1, $5) \
             on conflict (event_id, address) do update set state = 'sending', \
             attempts = mails.attempts + 1, maybe_sent = mails.maybe_sent + 1 \
             where mails.state <> 'sent'",
            mail.event_id,
            mail.address,
            mail.kind,
            mail.message_id,
            now,
        )?;
        Ok(())
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
            "update mails set state = 'sent', error = null, sent_at = $3, \
             maybe_sent = maybe_sent - 1 \
             where event_id = $1 and address = $2 and state = 'sending'",
            event_id,
            address,
            now,
        )?;
        Ok(())
    }

    /// The intended mail was certainly not sent.
    pub async fn mark_mail_failed(
        &mut self,
        event_id: &str,
        address: &str,
        error: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update mails set state = 'failed', error = $3, maybe_sent = maybe_sent - 1 \
             where event_id = $1 and address = $2 and state = 'sending'",
            event_id,
            address,
            text_without_nul(error),
        )?;
        Ok(())
    }

    /// The intended mail was perhaps sent: its server fell silent.
    pub async fn mark_mail_unclear(
        &mut self,
        event_id: &str,
        address: &str,
        error: &str,
    ) -> Result<(), StoreError> {
        execute!(
            self.link(),
            "update mails set error = $3 \
             where event_id = $1 and address = $2 and state = 'sending'",
            event_id,
            address,
            text_without_nul(error),
        )?;
        Ok(())
    }

    /// An attempt ended before the server was given anything.
    pub async fn note_mail_failure(
        &mut self,
        mail: NewMail<'_>,
        error: &str,
    ) -> Result<(), StoreError> {
        let now = ts(self.now());
        execute!(
            self.link(),
            "insert into mails (event_id, address, kind, message_id, state, error, created_at) \
             values ($1, $2, $3, $4, 'failed', $5, $6) \
             on conflict (event_id, address) do update set state = 'failed', \
             attempts = mails.attempts + 1, error = excluded.error where mails.state <> 'sent'",
            mail.event_id,
            mail.address,
            mail.kind,
            mail.message_id,
            text_without_nul(error),
            now,
        )?;
        Ok(())
    }
}
