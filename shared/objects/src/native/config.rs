//! Where the native API is and with which key it is asked.

use std::time::Duration;

use secrecy::SecretString;
use shared_domain::Reader;
use url::Url;

use crate::api::is_safe;

/// Where accounts of every region are authorised.
const DEFAULT: &str = "https://api.backblazeb2.com";
/// One exchange: an operator waits.
const TIMEOUT: Duration = Duration::from_secs(6);

/// Where the native API is and with which key it is asked.
#[derive(Debug, Clone)]
pub struct NativeConfig {
    /// Without a path.
    pub api_url: String,
    /// Application key id.
    pub key_id: String,
    /// Application key.
    pub key: SecretString,
    /// For one exchange.
    pub timeout: Duration,
}

impl NativeConfig {
    /// Reads `B2_API_URL`, and `B2_ADMIN_KEY_ID` and `B2_ADMIN_KEY` or, without them, the key of the S3
    /// side. `None` where objects lie with somebody else, who does not speak this API.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        let api_url = match reader.find("B2_API_URL") {
            Some(url) => url,
            None if is_backblaze(&reader.find("BACKBLAZE_ENDPOINT_URL")?) => DEFAULT.to_owned(),
            None => return None,
        };
        if !is_safe(&api_url) {
            reader.problem(
                "B2_API_URL",
                "is no URL that begins with https:// (http:// is for this machine only)",
            );
        }
        let (key_id, key) = key(reader);
        Some(Self {
            api_url,
            key_id,
            key,
            timeout: TIMEOUT,
        })
    }
}

fn key(reader: &Reader<'_>) -> (String, SecretString) {
    let admin = (
        reader.find("B2_ADMIN_KEY_ID"),
        reader.find_secret("B2_ADMIN_KEY"),
    );
    match admin {
        (Some(id), Some(key)) => return (id, key),
        (Some(_), None) => reader.problem("B2_ADMIN_KEY", "is not set, and B2_ADMIN_KEY_ID is"),
        (None, Some(_)) => reader.problem("B2_ADMIN_KEY_ID", "is not set, and B2_ADMIN_KEY is"),
        (None, None) => {}
    }
    (
        reader.text("BACKBLAZE_APPLICATION_KEY_ID"),
        reader.secret("BACKBLAZE_APPLICATION_KEY"),
    )
}

fn is_backblaze(endpoint: &str) -> bool {
    let url = Url::parse(endpoint).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    host == "backblazeb2.com" || host.ends_with(".backblazeb2.com")
}
