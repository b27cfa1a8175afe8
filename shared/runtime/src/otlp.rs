//! Where spans are sent: OTLP over HTTP, to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names.
//!
//! Spans wait in a bounded queue and go out from a thread of their own. A collector that is away costs
//! spans and nothing else: it is left alone for a while, and told of in the log once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use shared_domain::{Reader, Settings};
use tokio::runtime::Handle;
use tracing::{info, warn};
use url::Url;

/// For one batch of spans.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a collector is left alone that was away.
const REST: Duration = Duration::from_secs(30);

/// Where traces go; `None` when they go nowhere.
pub(crate) fn endpoint(reader: &Reader<'_>) -> Option<Url> {
    let text = reader.find("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let base = Url::parse(&text).ok();
    let base = base.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(mut url) = base else {
        // Not repeated: it may hold a password.
        reader.problem("OTEL_EXPORTER_OTLP_ENDPOINT", "is no http or https address");
        return None;
    };
    url.set_path(&format!("{}/v1/traces", url.path().trim_end_matches('/')));
    Some(url)
}

/// Sends spans to the collector of the settings through the process's runtime.
pub(crate) fn exporter(settings: &Settings, runtime: &Handle) -> Option<SpanExporter> {
    let url = endpoint(&settings.reader())?;
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .ok()?;
    let collector = Collector {
        http,
        url,
        runtime: runtime.clone(),
        rests_until: Mutex::default(),
    };
    // The client knows the address; this one stands in the library's own messages.
    SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint("http://collector/v1/traces")
        .with_retry_policy(RetryPolicy::disabled())
        .with_http_client(collector)
        .build()
        .ok()
}

#[derive(Debug)]
struct Collector {
    http: reqwest::Client,
    url: Url,
    runtime: Handle,
    rests_until: Mutex<Option<Instant>>,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if self.rests() {
            return Err("the collector is away".into());
        }
        let (parts, body) = request.into_parts();
        let post = self.http.post(self.url.clone());
        let post = post.headers(parts.headers).body(body);
        // Sending begins with a timer, which only the runtime has.
        let sending = self.runtime.spawn(async move { post.send().await });
        let answer = match sending.await? {
            Ok(answer) => answer,
            Err(error) => {
                self.is_away(&error.without_url().to_string());
                return Err("the collector is away".into());
            }
        };
        match answer.status() {
            status if status.is_success() => self.is_back(),
            status => self.is_away(&status.to_string()),
        }
        // Nothing of what it says beside its status is of use.
        Ok(Response::builder()
            .status(answer.status())
            .body(Bytes::new())?)
    }
}

impl Collector {
    fn rests(&self) -> bool {
        let until = *self.rest();
        until.is_some_and(|until| until > Instant::now())
    }

    fn is_away(&self, why: &str) {
        let before = self.rest().replace(Instant::now() + REST);
        if before.is_none() {
            warn!("the collector of traces is away: {why}");
        }
    }

    fn is_back(&self) {
        if self.rest().take().is_some() {
            info!("the collector of traces is back");
        }
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
