//! Cloudflare's cache is told to forget what is no longer stored.
//!
//! The surprise: the address to name is not the viewer's, which is signed and differs each time, but the one
//! under which the Worker asks storage: `BACKBLAZE_ENDPOINT_URL/BACKBLAZE_BUCKET_NAME/KEY`.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_domain::Reader;
use url::Url;

use crate::ObjectsConfig;
use crate::api::{client, is_safe, is_this_machine};

/// Addresses that one call takes, on every plan.
pub const AT_ONCE: u8 = 100;

const TIMEOUT: Duration = Duration::from_secs(20);
/// Cloudflare's advice to wait is followed no longer than this.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// Cloudflare's own words are cut off here.
const WORDS: usize = 300;

/// The zone in which the Worker runs, and who may purge it.
#[derive(Debug, Clone)]
pub struct PurgeConfig {
    api_url: String,
    zone: String,
    token: SecretString,
}

impl PurgeConfig {
    /// Reads `CLOUDFLARE_ZONE_ID` and `CLOUDFLARE_API_TOKEN`, both or neither, and `CLOUDFLARE_API_URL`. `None`
    /// where Cloudflare is not used.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        let (zone, token) = ("CLOUDFLARE_ZONE_ID", "CLOUDFLARE_API_TOKEN");
        let api_url = reader.text_or("CLOUDFLARE_API_URL", "https://api.cloudflare.com/client/v4");
        if !is_safe(&api_url) {
            reader.problem(
                "CLOUDFLARE_API_URL",
                "is no URL that begins with https:// (http:// is for this machine only)",
            );
        }
        match (reader.find(zone), reader.find_secret(token)) {
            (None, None) => None,
            (Some(_), None) => {
                reader.problem(token, "is not set, and CLOUDFLARE_ZONE_ID is");
                None
            }
            (None, Some(_)) => {
                reader.problem(zone, "is not set, and CLOUDFLARE_API_TOKEN is");
                None
            }
            (Some(id), Some(key)) => {
                if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
                    reader.problem(
                        zone,
                        "is no zone id, which has 32 hexadecimal digits; a zone's name does not do",
                    );
                }
                Some(Self {
                    api_url,
                    zone: id,
                    token: key,
                })
            }
        }
    }
}

/// Why nothing was purged. No text holds the token.
#[derive(Debug, thiserror::Error)]
pub enum PurgeError {
    /// Nobody answers.
    #[error("Cloudflare cannot be reached: {0}")]
    Unreachable(String),
    /// It answers, and will do it later.
    #[error("Cloudflare does not purge now (status {status})")]
    Busy {
        /// HTTP status.
        status: u16,
        /// Its `Retry-After`, capped.
        retry_after: Option<Duration>,
    },
    /// The token is wrong or lacks the permission, or the zone is another's. Now and then Cloudflare says
    /// so of a good token, too.
    #[error("Cloudflare does not take CLOUDFLARE_API_TOKEN for this zone ({code}): {message}")]
    Denied {
        /// Cloudflare's code.
        code: i64,
        /// In Cloudflare's words.
        message: String,
    },
    /// It will never do this.
    #[error("Cloudflare refuses to purge ({status}, {code}): {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Cloudflare's code.
        code: i64,
        /// In Cloudflare's words.
        message: String,
    },
    /// No HTTP client could be built on this machine.
    #[error("no HTTP client can be built")]
    Client(#[source] reqwest::Error),
    /// The token cannot stand in a header.
    #[error("CLOUDFLARE_API_TOKEN is no token")]
    Token,
}

/// A connection to Cloudflare's API.
#[derive(Debug)]
pub struct Purge {
    client: Client,
    url: String,
    token: HeaderValue,
    /// What stands before every key.
    base: String,
}

impl Purge {
    /// Builds the client; nothing is sent yet.
    pub fn connect(config: &PurgeConfig, objects: &ObjectsConfig) -> Result<Self, PurgeError> {
        let machine = Url::parse(&config.api_url).is_ok_and(|url| is_this_machine(&url));
        let bearer = format!("Bearer {}", config.token.expose_secret());
        let mut token = HeaderValue::from_str(&bearer).map_err(|_| PurgeError::Token)?;
        token.set_sensitive(true);
        let (api, endpoint) = (&config.api_url, &objects.endpoint_url);
        Ok(Self {
            client: client(TIMEOUT, machine).map_err(PurgeError::Client)?,
            url: format!(
                "{}/zones/{}/purge_cache",
                api.trim_end_matches('/'),
                config.zone
            ),
            token,
            base: format!("{}/{}", endpoint.trim_end_matches('/'), objects.bucket),
        })
    }

    /// Makes the edge forget these objects, at most `AT_ONCE`; may be repeated.
    pub async fn forget<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), PurgeError> {
        let base = &self.base;
        let files: Vec<_> = keys
            .into_iter()
            .map(|key| format!("{base}/{key}"))
            .collect();
        let call = self.client.post(&self.url).json(&json!({ "files": files }));
        let call = call.header(reqwest::header::AUTHORIZATION, self.token.clone());
        let unreachable = |error: reqwest::Error| {
            PurgeError::Unreachable(match error.is_timeout() {
                true => "no answer in time".to_owned(),
                false => error.without_url().to_string(),
            })
        };
        let answer = call.send().await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body: Value = answer.json().await.unwrap_or_default();
        if status.is_success() && body["success"] == true {
            return Ok(());
        }
        Err(PurgeError::of_answer(status, &headers, &body))
    }
}

impl PurgeError {
    fn of_answer(status: StatusCode, headers: &HeaderMap, body: &Value) -> Self {
        let first = &body["errors"][0];
        let code = first["code"].as_i64().unwrap_or_default();
        let message = first["message"].as_str().unwrap_or_default();
        let message = message.chars().take(WORDS).collect();
        let wait = headers
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok());
        let wait = wait.and_then(|text| text.parse().ok());
        match status.as_u16() {
            401 | 403 => Self::Denied { code, message },
            // A success that is none, and what a proxy in between says.
            status @ (200..=299 | 408 | 429 | 500..) => Self::Busy {
                status,
                retry_after: wait.map(|s| Duration::from_secs(s).min(LONGEST_WAIT)),
            },
            status => Self::Refused {
                status,
                code,
                message,
            },
        }
    }

    /// How long Cloudflare asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether nothing is wrong but the moment.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Busy { .. } | Self::Denied { .. } => true,
            Self::Refused { .. } | Self::Client(_) | Self::Token => false,
        }
    }
}
