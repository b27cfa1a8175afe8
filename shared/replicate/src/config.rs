//! Where the API is and who asks.

use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use shared_domain::Reader;

/// Where the API is and who asks.
#[derive(Debug, Clone)]
pub struct ReplicateConfig {
    /// With `/v1`.
    pub base_url: String,
    /// `r8_…`, or the local function's own.
    pub token: SecretString,
    /// For one HTTP exchange, not for a prediction.
    pub timeout: Duration,
    /// Where files of outputs may be fetched from, beside the API itself; with their subdomains.
    pub output_hosts: Vec<String>,
}

impl ReplicateConfig {
    /// Reads `REPLICATE_API_BASE_URL`, `REPLICATE_API_TOKEN`, `REPLICATE_HTTP_TIMEOUT`,
    /// `REPLICATE_OUTPUT_HOSTS`.
    pub fn read(reader: &Reader<'_>) -> Self {
        let name = "REPLICATE_API_BASE_URL";
        let base_url = reader.text_or(name, "https://api.replicate.com/v1");
        if parse_base(&base_url).is_none() {
            reader.problem(
                name,
                "is not an http or https URL such as https://api.replicate.com/v1",
            );
        }
        let seconds = reader.parse_or("REPLICATE_HTTP_TIMEOUT", 60_u64);
        let hosts = reader.list("REPLICATE_OUTPUT_HOSTS", "replicate.delivery");
        if hosts.iter().any(|host| host.contains(['/', ':', '*'])) {
            reader.problem(
                "REPLICATE_OUTPUT_HOSTS",
                "takes host names, without https:// and *",
            );
        }
        Self {
            base_url,
            token: reader.secret("REPLICATE_API_TOKEN"),
            timeout: Duration::from_secs(seconds.max(1)),
            output_hosts: hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
        }
    }
}

pub(crate) fn parse_base(text: &str) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    (url.has_host() && matches!(url.scheme(), "http" | "https")).then_some(url)
}
