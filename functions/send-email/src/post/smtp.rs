//! The dialogue with a mail server, in two halves: everything that certainly sends nothing, and the
//! mail itself.
//!
//! lettre's own transport runs both as one call, after which nobody can tell which of them failed.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::fault::without_addresses;
use super::{Fault, PostConfig, Security};

/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail server that nobody has spoken to yet.
#[derive(Clone)]
pub(super) struct Smtp {
    host: String,
    port: u16,
    security: Security,
    tls: TlsParameters,
    login: Option<Credentials>,
    timeout: Duration,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp({}, {:?})", self.server(), self.security)
    }
}

/// A connection on which the server has accepted sender and reader.
pub(crate) struct Dialogue {
    connection: AsyncSmtpConnection,
    server: String,
    timeout: Duration,
}

impl Smtp {
    pub(super) fn connect(config: PostConfig) -> Result<Self, Fault> {
        let mut tls = TlsParameters::builder(config.host.clone());
        for authority in config.authorities {
            tls = tls.add_root_certificate(authority);
        }
        let tls = tls
            .build()
            .map_err(|error| Fault::Tls(config.host.clone(), error.to_string()))?;
        let login = config
            .login
            .map(|(user, password)| Credentials::new(user, password.expose_secret().to_owned()));
        Ok(Self {
            host: config.host,
            port: config.port,
            security: config.security,
            tls,
            login,
            timeout: config.timeout,
        })
    }

    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Connects, encrypts, logs in, names sender and reader.
    pub(super) async fn open(&self, envelope: &Envelope) -> Result<Dialogue, Fault> {
        let opening = async {
            let mut connection = self.greet().await?;
            self.log_in(&mut connection).await?;
            self.name(&mut connection, envelope).await?;
            Ok(connection)
        };
        let connection = timeout(self.timeout, opening)
            .await
            .unwrap_or_else(|_| Err(Fault::Slow(self.server(), self.timeout)))?;
        Ok(Dialogue {
            connection,
            server: self.server(),
            timeout: self.timeout,
        })
    }

    /// Connects, encrypts, logs in and leaves.
    pub(super) async fn knock(&self) -> Result<(), Fault> {
        let knocking = async {
            let mut connection = self.greet().await?;
            self.log_in(&mut connection).await?;
            Ok(connection)
        };
        let mut connection = timeout(self.timeout, knocking)
            .await
            .unwrap_or_else(|_| Err(Fault::Slow(self.server(), self.timeout)))?;
        drop(timeout(GOODBYE, connection.quit()).await);
        Ok(())
    }

    async fn greet(&self) -> Result<AsyncSmtpConnection, Fault> {
        let (hello, server) = (ClientId::default(), self.server());
        let from_first_byte = (self.security == Security::Tls).then(|| self.tls.clone());
        let address = (self.host.as_str(), self.port);
        let connected =
            AsyncSmtpConnection::connect_tokio1(address, None, &hello, from_first_byte, None);
        let mut connection = connected
            .await
            .map_err(|error| Fault::of_connecting(&server, &error))?;
        if self.security == Security::StartTls {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(Fault::NoStartTls(server));
            }
            let encrypted = connection.starttls(self.tls.clone(), &hello).await;
            encrypted.map_err(|error| Fault::of_connecting(&server, &error))?;
        }
        Ok(connection)
    }

    async fn log_in(&self, connection: &mut AsyncSmtpConnection) -> Result<(), Fault> {
        let Some(login) = &self.login else {
            return Ok(());
        };
        let done = connection
            .auth(&[Mechanism::Plain, Mechanism::Login], login)
            .await;
        done.map(drop)
            .map_err(|error| Fault::of_login(&self.server(), &error))
    }

    async fn name(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
    ) -> Result<(), Fault> {
        let server = self.server();
        let refused = |error| Fault::of_mail(&server, &error);
        let mut parameters = Vec::new();
        // The bodies are encoded as ASCII; only an address may not be.
        let mut addresses = envelope.to().iter().chain(envelope.from());
        if !addresses.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            if !connection
                .server_info()
                .supports_feature(Extension::SmtpUtfEight)
            {
                return Err(Fault::Address);
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let sender = Mail::new(envelope.from().cloned(), parameters);
        connection.command(sender).await.map_err(refused)?;
        for reader in envelope.to() {
            let reader = Rcpt::new(reader.clone(), Vec::new());
            connection.command(reader).await.map_err(refused)?;
        }
        Ok(())
    }
}

impl Dialogue {
    /// Hands the mail over and waits for the server's word.
    pub(super) async fn deliver(&mut self, message: &[u8]) -> Result<String, Fault> {
        let asked = timeout(self.timeout, self.connection.command(Data)).await;
        asked
            .map_err(|_| Fault::Slow(self.server.clone(), self.timeout))?
            .map_err(|error| Fault::of_mail(&self.server, &error))?;
        let said = timeout(self.timeout, self.connection.message(message)).await;
        let said = said
            .map_err(|_| Fault::Unclear(format!("no answer in {} s", self.timeout.as_secs())))?
            .map_err(|error| Fault::of_handover(&error))?;
        let words: Vec<&str> = said.message().collect();
        Ok(without_addresses(&format!(
            "{} {}",
            said.code(),
            words.join(" ")
        )))
    }

    pub(super) async fn leave(mut self) {
        // Whether the server says goodbye is nobody's concern.
        drop(timeout(GOODBYE, self.connection.quit()).await);
    }
}
