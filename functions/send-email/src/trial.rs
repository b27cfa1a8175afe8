//! A test mail, and in one sentence what became of it.

use lettre::Address;
use shared_domain::Lang;
use uuid::Uuid;

use crate::letter::Letter;
use crate::{Error, Post};

/// What became of a test mail that went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A server has accepted it, with this answer.
    Accepted {
        /// Host and port.
        server: String,
        /// Code and words of the server.
        answer: String,
    },
    /// It lies in this file.
    Written(String),
    /// It was printed.
    Printed,
}

impl Sent {
    /// For whoever asked.
    pub fn sentence(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Accepted { server, answer }, Lang::Ru) => {
                format!("Сервер {server} принял письмо: {answer}")
            }
            (Self::Accepted { server, answer }, Lang::En) => {
                format!("The server {server} has accepted the mail: {answer}")
            }
            (Self::Written(file), Lang::Ru) => {
                format!("EMAIL_HOST не задан, письмо записано в файл {file}")
            }
            (Self::Written(file), Lang::En) => {
                format!("EMAIL_HOST is not set; the mail was written to {file}")
            }
            (Self::Printed, Lang::Ru) => "EMAIL_BACKEND печатает письма, это выше".to_owned(),
            (Self::Printed, Lang::En) => "EMAIL_BACKEND prints mails; this one is above".to_owned(),
        }
    }
}

impl Post {
    /// Sends a mail that says that it is a test.
    pub async fn send_test(&self, to: &Address, id: Uuid, lang: Lang) -> Result<Sent, Error> {
        let name = format!("test-{}", id.simple());
        let message_id = format!("<{name}@compliance>");
        let message = Letter::test(lang).address(self, to.as_ref(), &message_id)?;
        let mut handover = self.open(&message, &name).await?;
        let answer = handover.deliver(&message).await;
        handover.leave().await;
        Ok(self.sent(answer?))
    }
}
