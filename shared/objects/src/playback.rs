//! Addresses under which a viewer reads from the private bucket for a while.
//!
//! With Cloudflare they lead to the Worker in `infra/cloudflare`, whose README describes the path; without
//! it to storage itself. Like a presigned address they live by the machine's own clock.

use std::time::Duration;

use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};
use shared_domain::{Clock, Reader, SystemClock};
use url::Url;

use crate::api::is_safe;
use crate::keys::RAW_PREFIX;
use crate::mac::mac;
use crate::{Objects, ObjectsError};

/// As the Worker asks.
const SHORTEST_SECRET: usize = 32;

/// Where viewers are sent.
#[derive(Debug, Clone, Default)]
pub struct PlaybackConfig {
    cdn: Option<Cdn>,
}

/// The Worker, and the secret that it checks with.
#[derive(Debug, Clone)]
struct Cdn {
    /// Without a slash at the end.
    origin: String,
    secret: SecretString,
}

impl PlaybackConfig {
    /// Reads `CLOUDFLARE_CDN_URL` and `PLAYBACK_SECRET`: both, or neither.
    pub fn read(reader: &Reader<'_>) -> Self {
        let (url, secret) = ("CLOUDFLARE_CDN_URL", "PLAYBACK_SECRET");
        match (reader.find(url), reader.find_secret(secret)) {
            (None, None) => Self::default(),
            (Some(_), None) => {
                let text = "is not set, and CLOUDFLARE_CDN_URL is: take the Worker's own";
                reader.problem(secret, text);
                Self::default()
            }
            (None, Some(_)) => {
                reader.problem(url, "is not set, and PLAYBACK_SECRET is");
                Self::default()
            }
            (Some(text), Some(key)) => {
                if key.expose_secret().len() < SHORTEST_SECRET {
                    reader.problem(secret, "is shorter than 32 characters");
                }
                let origin = origin(&text);
                if origin.is_none() {
                    reader.problem(
                        url,
                        "is no address such as https://cdn.example.com, without a path",
                    );
                }
                Self {
                    cdn: origin.map(|origin| Cdn {
                        origin,
                        secret: key,
                    }),
                }
            }
        }
    }
}

/// Scheme, name and port, where the text holds nothing else.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| is_safe(text))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    (bare && nobody).then(|| url.origin().ascii_serialization())
}

/// Signs addresses for viewers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Playback {
    objects: Objects,
    config: PlaybackConfig,
}

impl Playback {
    /// Over the bucket that the Worker reads, too.
    pub fn new(objects: Objects, config: PlaybackConfig) -> Self {
        Self { objects, config }
    }

    /// The address of one object. It is the permission: never log it.
    ///
    /// An upload as it came is read from storage even where there is a Worker, which shows none: it is
    /// larger than what Cloudflare keeps, and nobody has checked it.
    pub async fn url(&self, key: &str, expires: Duration) -> Result<String, ObjectsError> {
        match &self.config.cdn {
            Some(cdn) if !key.starts_with(RAW_PREFIX) => Ok(cdn.sign(key, 0, expires)),
            _ => self.objects.presign_get(key, expires).await,
        }
    }

    /// The address of an object that also opens everything beside it, so that the relative names in a
    /// playlist can be followed. `None` without the Worker: storage signs for one object only.
    pub fn folder_url(&self, key: &str, expires: Duration) -> Option<String> {
        let cdn = self.config.cdn.as_ref()?;
        Some(cdn.sign(key, key.matches('/').count(), expires))
    }

    /// Where a page has to be allowed to fetch from, beside storage.
    pub fn origin(&self) -> Option<&str> {
        self.config.cdn.as_ref().map(|cdn| cdn.origin.as_str())
    }
}

impl Cdn {
    fn sign(&self, key: &str, depth: usize, expires: Duration) -> String {
        let until = (SystemClock.now() + expires).unix_timestamp();
        let path = path(&self.secret, key, depth, until);
        format!("{}{path}", self.origin)
    }
}

/// `/EXPIRES.DEPTH.SIGNATURE/KEY`.
pub(crate) fn path(secret: &SecretString, key: &str, depth: usize, until: i64) -> String {
    let scope = match depth {
        0 => key.to_owned(),
        _ => key.split_inclusive('/').take(depth).collect(),
    };
    let signed = mac(secret, format!("playback-v1\n{until}\n{scope}").as_bytes());
    let signature = hex::encode(signed.finalize().into_bytes());
    format!("/{until}.{depth}.{signature}/{key}")
}
