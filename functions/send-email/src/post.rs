//! The way out for mail: a server, or files in a folder.

use std::path::PathBuf;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use shared_domain::Reader;

use crate::Error;

/// Where mail goes.
#[derive(Debug, Clone)]
pub struct PostConfig {
    /// `EMAIL_HOST`; none means files.
    pub host: Option<String>,
    /// `EMAIL_PORT`.
    pub port: u16,
    /// `EMAIL_USE_TLS`: STARTTLS; otherwise TLS from the first byte. Clear text is never spoken.
    pub starttls: bool,
    /// `EMAIL_HOST_USER`.
    pub user: Option<String>,
    /// `EMAIL_HOST_PASSWORD`.
    pub password: Option<SecretString>,
    /// `DEFAULT_FROM_EMAIL`.
    pub from: Option<Mailbox>,
    /// `DATA_DIR/mail`, for files.
    pub folder: PathBuf,
}

impl PostConfig {
    /// Reads the settings.
    pub fn read(reader: &Reader<'_>) -> Self {
        Self {
            host: reader.find("EMAIL_HOST"),
            port: reader.parse_or("EMAIL_PORT", 587),
            starttls: reader.flag("EMAIL_USE_TLS", true),
            user: reader.find("EMAIL_HOST_USER"),
            password: reader.find_secret("EMAIL_HOST_PASSWORD"),
            from: sender(reader),
            folder: PathBuf::from(reader.text_or("DATA_DIR", "./data")).join("mail"),
        }
    }
}

/// `DEFAULT_FROM_EMAIL`, an address with or without a name.
fn sender(reader: &Reader<'_>) -> Option<Mailbox> {
    let text = reader.text_or(
        "DEFAULT_FROM_EMAIL",
        "AI Compliance Agent <noreply@localhost>",
    );
    let parsed = text.parse();
    if let Err(error) = &parsed {
        reader.problem("DEFAULT_FROM_EMAIL", &format!("{error}"));
    }
    parsed.ok()
}

/// An open way out for mail.
#[derive(Debug, Clone)]
pub struct Post {
    from: Option<Mailbox>,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(PathBuf),
}

impl Post {
    /// Prepares the way; a server is first spoken to when a mail is sent.
    pub fn connect(config: PostConfig) -> Result<Self, Error> {
        let way = match config.host {
            None => Way::Files(config.folder),
            Some(host) => {
                let builder = match config.starttls {
                    true => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host)?,
                    false => AsyncSmtpTransport::<Tokio1Executor>::relay(&host)?,
                };
                let builder = builder.port(config.port);
                Way::Smtp(match (config.user, config.password) {
                    (Some(user), Some(password)) => builder
                        .credentials(Credentials::new(user, password.expose_secret().to_owned()))
                        .build(),
                    _ => builder.build(),
                })
            }
        };
        Ok(Self {
            from: config.from,
            way,
        })
    }

    /// The sender of every mail; absent only where the settings were refused.
    pub(crate) fn from(&self) -> Option<Mailbox> {
        self.from.clone()
    }

    /// Sends one mail; `name` is the file's name where mail goes to files.
    pub(crate) async fn send(&self, message: Message, name: &str) -> Result<(), Error> {
        match &self.way {
            Way::Smtp(server) => server.send(message).await.map(drop).map_err(Error::from),
            Way::Files(folder) => {
                tokio::fs::create_dir_all(folder).await?;
                let (half, whole) = (
                    folder.join(format!(".{name}.part")),
                    folder.join(format!("{name}.eml")),
                );
                tokio::fs::write(&half, message.formatted()).await?;
                Ok(tokio::fs::rename(half, whole).await?)
            }
        }
    }
}
