//! Where the transport is.

use std::fmt;
use std::time::Duration;

use redis::{IntoConnectionInfo, TlsCertificates};
use secrecy::{ExposeSecret, SecretString};
use shared_domain::Reader;
use url::Url;

use crate::Fault;
use crate::keys::MOST_ENTRIES;
use crate::link::Link;

/// With Redis, a look at the table that no entry asked for. One look reads on until it finds
/// nothing, so that this is how late the first of many lost entries is, not each of them.
const SLOW_LOOK: Duration = Duration::from_secs(10);

/// How to reach Redis or Valkey.
#[derive(Clone)]
pub struct RedisConfig {
    url: SecretString,
    /// `redis://host:port/db`: what may be said of the address.
    pub(crate) place: String,
    pub(crate) authority: Option<Vec<u8>>,
    /// Entries of one stream, roughly.
    pub(crate) most: usize,
    /// The longest time between two looks at the table that no entry asked for.
    pub(crate) look: Duration,
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisConfig").field(&self.place).finish()
    }
}

impl RedisConfig {
    /// Reads `REDIS_URL` and `REDIS_CA_FILE`; `None` when there is no Redis.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        let url = reader.find_secret("REDIS_URL")?;
        let mut config = match Self::new(url.expose_secret()) {
            Ok(config) => config,
            Err(problem) => {
                reader.problem("REDIS_URL", problem);
                return None;
            }
        };
        config.authority = reader.find_pem("REDIS_CA_FILE");
        if config.authority.is_some()
            && let Err(problem) = config.client()
        {
            reader.problem("REDIS_CA_FILE", &problem);
        }
        Some(config)
    }

    /// An address as in `REDIS_URL`; the error says what is wrong with it and repeats none of it.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        const SHAPE: &str =
            "is no address such as redis://USER:PASSWORD@HOST:PORT/DB, or rediss:// with TLS";
        let url = Url::parse(text).map_err(|_| SHAPE)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let ("redis" | "rediss", Some(host)) = (url.scheme(), host) else {
            return Err(SHAPE);
        };
        if url.query().is_some() || url.fragment().is_some() {
            return Err(
                "takes nothing behind the database number: certificates are always checked",
            );
        }
        let db = match url.path().trim_start_matches('/') {
            "" => 0,
            db => db
                .parse::<u16>()
                .map_err(|_| "ends with something that is no number of a database")?,
        };
        let port = url.port().unwrap_or(6379);
        Ok(Self {
            url: text.into(),
            place: format!("{}://{host}:{port}/{db}", url.scheme()),
            authority: None,
            most: MOST_ENTRIES,
            look: SLOW_LOOK,
        })
    }

    /// The same address, trusting only certificates that this authority (PEM) has signed.
    #[must_use]
    pub fn with_authority(self, pem: Vec<u8>) -> Self {
        let authority = Some(pem);
        Self { authority, ..self }
    }

    /// Asks the server once: there, trusted, ready to let this user in and to take what is written.
    pub async fn ping(&self) -> Result<(), Fault> {
        Link::new(self)?.probe().await
    }

    /// The library's client; it connects later.
    pub(crate) fn client(&self) -> Result<redis::Client, String> {
        if self.place.starts_with("rediss:") {
            // The library takes the process's own provider; one that is set already does as well.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let opened = match &self.authority {
            None => redis::Client::open(self.url.expose_secret()),
            Some(pem) => self.trusting(pem.clone()),
        };
        opened.map_err(|error| error.to_string())
    }

    fn trusting(&self, pem: Vec<u8>) -> redis::RedisResult<redis::Client> {
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(pem),
        };
        let address = self.url.expose_secret().into_connection_info()?;
        redis::Client::build_with_tls(address, certificates)
    }
}
