//! What the service needs to know.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use shared_domain::Reader;
use url::Url;

/// The service's settings.
#[derive(Debug, Clone)]
pub struct ServiceConfig {
    /// The only token that is accepted.
    pub token: SecretString,
    /// `whsec_…`: signs the webhooks.
    pub webhook_secret: SecretString,
    /// Predictions and uploaded files.
    pub state_dir: PathBuf,
    /// Where clients reach this service, without `/v1`.
    pub public_base_url: String,
    /// Predictions that run at a time.
    pub workers: usize,
    /// URL prefixes that input files are fetched from; nothing else is.
    pub input_urls: Vec<Url>,
    /// URL prefixes that webhooks are sent to; nothing else is.
    pub webhook_urls: Vec<Url>,
    /// The pauses between the attempts at a final webhook.
    pub webhook_pauses: Vec<Duration>,
}

impl ServiceConfig {
    /// Reads `REPLICATE_API_TOKEN`, `REPLICATE_WEBHOOK_SECRET`, `REPLICATE_API_BASE_URL`, `DATA_DIR`,
    /// `INFERENCE_WORKERS`, and where inputs and webhooks may go: `BACKBLAZE_ENDPOINT_URL`,
    /// `CLOUDFLARE_CDN_URL`, `PUBLIC_URL`. The embedded parts' addresses are the defaults.
    pub fn read(reader: &Reader<'_>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let base = reader.text_or("REPLICATE_API_BASE_URL", "http://127.0.0.1:8002/v1");
        let base = base.trim_end_matches('/');
        let storage = prefix(
            reader,
            "BACKBLAZE_ENDPOINT_URL",
            Some("http://127.0.0.1:8001"),
        );
        let cdn = prefix(reader, "CLOUDFLARE_CDN_URL", None);
        let webhooks = prefix(reader, "PUBLIC_URL", Some("http://127.0.0.1:8000"));
        Self {
            token: reader.secret("REPLICATE_API_TOKEN"),
            webhook_secret: reader.secret("REPLICATE_WEBHOOK_SECRET"),
            state_dir: PathBuf::from(reader.text_or("DATA_DIR", "./data")).join("inference"),
            public_base_url: base.strip_suffix("/v1").unwrap_or(base).to_owned(),
            workers: reader.parse_or("INFERENCE_WORKERS", cores).max(1),
            input_urls: storage.into_iter().chain(cdn).collect(),
            webhook_urls: webhooks.into_iter().collect(),
            webhook_pauses: Self::usual_pauses(),
        }
    }

    /// The hosted service keeps trying for about a minute.
    pub fn usual_pauses() -> Vec<Duration> {
        [1, 2, 4, 8, 15, 30].map(Duration::from_secs).to_vec()
    }
}

fn prefix(reader: &Reader<'_>, name: &str, default: Option<&str>) -> Option<Url> {
    let text = reader.find(name).or_else(|| default.map(str::to_owned))?;
    let url: Option<Url> = text.parse().ok();
    let url = url.filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        reader.problem(name, "is not an http or https URL");
    }
    url
}
