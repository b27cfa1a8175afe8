//! The settings of object storage.

use std::time::Duration;

use secrecy::SecretString;
use shared_domain::Reader;
use url::{Host, Url};

/// The label signed for where the endpoint's name carries no region.
const NO_REGION: &str = "us-east-1";

/// Where the objects lie and how to reach them.
#[derive(Debug, Clone)]
pub struct ObjectsConfig {
    /// `https://s3.<region>.backblazeb2.com`, or the embedded server.
    pub endpoint_url: String,
    /// Application key id; the master key does not work on the S3 side.
    pub key_id: String,
    /// Application key.
    pub key: SecretString,
    /// The one bucket.
    pub bucket: String,
    /// Attempts after the first.
    pub max_retries: u32,
    /// Pause before the first repetition; it doubles from there.
    pub backoff: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
}

impl ObjectsConfig {
    /// Reads `BACKBLAZE_*` and `B2_*`.
    pub fn read(reader: &Reader<'_>) -> Self {
        let endpoint_url = reader.text("BACKBLAZE_ENDPOINT_URL");
        if !endpoint_url.is_empty()
            && let Err(fault) = endpoint(&endpoint_url)
        {
            reader.problem("BACKBLAZE_ENDPOINT_URL", fault);
        }
        Self {
            endpoint_url,
            key_id: reader.text("BACKBLAZE_APPLICATION_KEY_ID"),
            key: reader.secret("BACKBLAZE_APPLICATION_KEY"),
            bucket: reader.text("BACKBLAZE_BUCKET_NAME"),
            max_retries: reader.parse_or("B2_MAX_RETRIES", 5),
            backoff: seconds(reader, "B2_RETRY_BACKOFF", 1.0),
            backoff_max: seconds(reader, "B2_RETRY_BACKOFF_MAX", 64.0),
        }
    }

    /// The region label that requests are signed for: the second label of Backblaze's host name.
    pub fn region(&self) -> String {
        let Ok(url) = Url::parse(&self.endpoint_url) else {
            return NO_REGION.to_owned();
        };
        match url.host() {
            Some(Host::Domain(name)) => match name.split('.').collect::<Vec<_>>()[..] {
                ["s3", region, "backblazeb2", "com"] => region.to_owned(),
                _ => NO_REGION.to_owned(),
            },
            _ => NO_REGION.to_owned(),
        }
    }
}

fn endpoint(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL")?;
    let loopback = match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err("has no host"),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        _ => Err("must begin with https:// (http:// is for this machine only)"),
    }
}

fn seconds(reader: &Reader<'_>, name: &str, default: f64) -> Duration {
    let value: f64 = reader.parse_or(name, default);
    Duration::try_from_secs_f64(value).unwrap_or_else(|_| {
        reader.problem(name, "must be a number of seconds, zero or more");
        Duration::ZERO
    })
}
