//! The way out for mail: a server, files in a folder, or this terminal.

mod config;
mod fault;
mod smtp;

use std::io::Write;
use std::path::PathBuf;

use lettre::Message;
use lettre::message::Mailbox;

pub use config::{Backend, PostConfig, Security};
pub use fault::Fault;

use crate::Sent;
use smtp::{Dialogue, Smtp};

/// An open way out for mail.
#[derive(Debug, Clone)]
pub struct Post {
    from: Option<Mailbox>,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Smtp(Smtp),
    Files(PathBuf),
    Terminal,
}

/// A mail that is accepted so far and not handed over yet.
pub(crate) enum Handover {
    Smtp(Box<Dialogue>),
    File(PathBuf),
    Terminal,
}

impl Post {
    /// Prepares the way; a server is first spoken to when a mail is sent.
    pub fn connect(config: PostConfig) -> Result<Self, Fault> {
        let from = config.from.clone();
        let way = match config.backend {
            Backend::Smtp => Way::Smtp(Smtp::connect(config)?),
            Backend::Files => Way::Files(config.folder),
            Backend::Terminal => Way::Terminal,
        };
        Ok(Self { from, way })
    }

    /// Whether a server lets us in: connects, encrypts, logs in, and sends nothing. Files and this
    /// terminal always do.
    pub async fn knock(&self) -> Result<(), Fault> {
        match &self.way {
            Way::Smtp(smtp) => smtp.knock().await,
            Way::Files(_) | Way::Terminal => Ok(()),
        }
    }

    /// The sender of every mail; absent only where the settings were refused.
    pub(crate) fn from(&self) -> Option<Mailbox> {
        self.from.clone()
    }

    /// Whether a mail that is handed over twice arrives twice. A file is written over itself.
    pub(crate) fn may_double(&self) -> bool {
        !matches!(self.way, Way::Files(_))
    }

    pub(crate) fn sent(&self, answer: String) -> Sent {
        match &self.way {
            Way::Smtp(smtp) => Sent::Accepted {
                server: smtp.server(),
                answer,
            },
            Way::Files(_) => Sent::Written(answer),
            Way::Terminal => Sent::Printed,
        }
    }

    /// Everything up to the mail itself: connects, encrypts, logs in, names sender and reader. Whatever
    /// fails here has certainly sent nothing. `name` is the file's name where mail goes to files.
    #[tracing::instrument(level = "debug", name = "mail.open", skip_all, fields(otel.kind = "client"))]
    pub(crate) async fn open(&self, message: &Message, name: &str) -> Result<Handover, Fault> {
        Ok(match &self.way {
            Way::Smtp(smtp) => Handover::Smtp(Box::new(smtp.open(message.envelope()).await?)),
            Way::Files(folder) => {
                tokio::fs::create_dir_all(folder).await?;
                Handover::File(folder.join(format!("{name}.eml")))
            }
            Way::Terminal => Handover::Terminal,
        })
    }
}

impl Handover {
    /// Hands the mail over; the answer is the receiver's own.
    #[tracing::instrument(level = "debug", name = "mail.deliver", skip_all, fields(otel.kind = "client"))]
    pub(crate) async fn deliver(&mut self, message: &Message) -> Result<String, Fault> {
        match self {
            Self::Smtp(dialogue) => dialogue.deliver(&message.formatted()).await,
            Self::File(whole) => {
                let half = whole.with_extension("part");
                tokio::fs::write(&half, message.formatted()).await?;
                tokio::fs::rename(half, &*whole).await?;
                Ok(whole.display().to_string())
            }
            Self::Terminal => {
                let mut text = message.formatted();
                text.extend_from_slice(b"\r\n");
                std::io::stderr().write_all(&text)?;
                Ok("stderr".to_owned())
            }
        }
    }

    /// Takes leave of the server, which needs nothing of it.
    pub(crate) async fn leave(self) {
        if let Self::Smtp(dialogue) = self {
            dialogue.leave().await;
        }
    }
}
