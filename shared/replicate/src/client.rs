//! The client: the same code talks to the hosted service and to the local function; base URL and
//! token decide.
//!
//! The surprise: a create has no idempotency key. It is never repeated here; a lost answer is
//! `Ambiguous`, and `adopt` looks for what may have been created.

use reqwest::{Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::parse_base;
use crate::error::Call;
use crate::{
    Account, HttpClient, NewPrediction, Prediction, ReplicateConfig, ReplicateError, Trace,
    http_client,
};

/// An answer larger than this is not read: a transcript of two hours has a few megabytes.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// Pages of a hundred that `adopt` looks through.
const MAX_PAGES: usize = 20;

/// A connection to the API; cheap to clone. It knows nothing of throttles: those are shared by all
/// processes, through the store.
#[derive(Debug, Clone)]
pub struct Replicate {
    pub(crate) http: HttpClient,
    pub(crate) base: Url,
    pub(crate) token: SecretString,
    pub(crate) output_hosts: Vec<String>,
}

impl Replicate {
    /// Builds the client; nothing is sent yet.
    pub fn connect(config: ReplicateConfig) -> Result<Self, ReplicateError> {
        let http = http_client(config.timeout).map_err(ReplicateError::Client)?;
        let base = parse_base(&config.base_url);
        let base = base.ok_or(ReplicateError::Address(config.base_url))?;
        Ok(Self {
            http,
            base,
            token: config.token,
            output_hosts: config.output_hosts,
        })
    }

    /// Whether this is Replicate's own service, where money is spent.
    pub fn is_hosted(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        host == "replicate.com" || host.ends_with(".replicate.com")
    }

    /// Puts a question, once.
    #[tracing::instrument(level = "debug", name = "replicate.create", skip_all, fields(otel.kind = "client"))]
    pub async fn create(&self, new: &NewPrediction<'_>) -> Result<Prediction, ReplicateError> {
        let mut body = json!({ "version": new.version, "input": new.input });
        if let Some(webhook) = new.webhook {
            body["webhook"] = webhook.into();
            body["webhook_events_filter"] = json!(["completed"]);
        }
        let mut request = self
            .request(Method::POST, &self.path("predictions"))
            .json(&body);
        if let Some(after) = new.cancel_after {
            request = request.header("Cancel-After", format!("{}s", after.as_secs().max(5)));
        }
        let sent = self.send(Call::Create, request).await?;
        Prediction::parse(sent).map_err(|error| unreadable(Call::Create, &error.to_string()))
    }

    /// The prediction as it is now.
    #[tracing::instrument(level = "debug", name = "replicate.prediction", skip_all, fields(otel.kind = "client"))]
    pub async fn prediction(&self, id: &str) -> Result<Prediction, ReplicateError> {
        let raw = self
            .read(&self.path(&format!("predictions/{}", segment(id))))
            .await?;
        parse(raw)
    }

    /// Stops a prediction; one that has ended stays as it is.
    #[tracing::instrument(level = "debug", name = "replicate.cancel", skip_all, fields(otel.kind = "client"))]
    pub async fn cancel(&self, id: &str) -> Result<Prediction, ReplicateError> {
        let url = self.path(&format!("predictions/{}/cancel", segment(id)));
        parse(
            self.send(Call::Repeatable, self.request(Method::POST, &url))
                .await?,
        )
    }

    /// Predictions created at or after a moment, newest first, at most two thousand.
    #[tracing::instrument(level = "debug", name = "replicate.list", skip_all, fields(otel.kind = "client"))]
    pub async fn list(&self, since: OffsetDateTime) -> Result<Vec<Prediction>, ReplicateError> {
        let mut next = Some(self.since(since));
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(url) = next else { break };
            let (page, following) = self.page(&url).await?;
            found.extend(page);
            next = following;
        }
        Ok(found)
    }

    /// Looks for the prediction that a create with a lost answer may have made. `None`: it made none
    /// that can still be answered.
    #[tracing::instrument(level = "debug", name = "replicate.adopt", skip_all, fields(otel.kind = "client"))]
    pub async fn adopt(&self, trace: &Trace<'_>) -> Result<Option<Prediction>, ReplicateError> {
        let mut next = Some(self.since(trace.since));
        for _ in 0..MAX_PAGES {
            let Some(url) = next else { return Ok(None) };
            let (page, following) = self.page(&url).await?;
            if let Some(found) = page.into_iter().find(|prediction| trace.fits(prediction)) {
                return Ok(Some(found));
            }
            next = following;
        }
        Ok(None)
    }

    /// Who the token belongs to: the cheapest test of a token.
    #[tracing::instrument(level = "debug", name = "replicate.account", skip_all, fields(otel.kind = "client"))]
    pub async fn account(&self) -> Result<Account, ReplicateError> {
        let answer = self.read(&self.path("account")).await?;
        let username = answer["username"].as_str().unwrap_or_default().to_owned();
        Ok(Account { username })
    }

    /// The secret that webhooks are signed with.
    #[tracing::instrument(level = "debug", name = "replicate.webhook_secret", skip_all, fields(otel.kind = "client"))]
    pub async fn webhook_secret(&self) -> Result<SecretString, ReplicateError> {
        let answer = self.read(&self.path("webhooks/default/secret")).await?;
        let key = answer["key"]
            .as_str()
            .ok_or_else(|| unusable("it holds no key"))?;
        Ok(key.into())
    }

    /// The first page of models: everything the local function has, a sample of the hosted ones.
    #[tracing::instrument(level = "debug", name = "replicate.catalog", skip_all, fields(otel.kind = "client"))]
    pub async fn catalog(&self) -> Result<Vec<Value>, ReplicateError> {
        let mut answer = self.read(&self.path("models")).await?;
        match answer["results"].take() {
            Value::Array(models) => Ok(models),
            _ => Err(unusable("it lists no models")),
        }
    }

    fn since(&self, since: OffsetDateTime) -> Url {
        let mut url = self.path("predictions");
        let text = since.format(&Rfc3339).unwrap_or_default();
        url.query_pairs_mut().append_pair("created_after", &text);
        url
    }

    async fn page(&self, url: &Url) -> Result<(Vec<Prediction>, Option<Url>), ReplicateError> {
        let mut answer = self.read(url).await?;
        let Value::Array(results) = answer["results"].take() else {
            return Err(unusable("it lists no predictions"));
        };
        // The token goes to our own API only, whatever the answer says.
        let next = answer["next"].as_str().and_then(|text| url.join(text).ok());
        let next = next.filter(|next| next.origin() == self.base.origin());
        Ok((
            results
                .into_iter()
                .filter_map(|raw| Prediction::parse(raw).ok())
                .collect(),
            next,
        ))
    }

    async fn read(&self, url: &Url) -> Result<Value, ReplicateError> {
        self.send(Call::Repeatable, self.request(Method::GET, url))
            .await
    }

    fn path(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        url
    }

    fn request(&self, method: Method, url: &Url) -> RequestBuilder {
        self.http
            .request(method, url.clone())
            .bearer_auth(self.token.expose_secret())
    }

    async fn send(&self, call: Call, request: RequestBuilder) -> Result<Value, ReplicateError> {
        let broken = |error: reqwest::Error| ReplicateError::of_transport(call, &error);
        let mut response = request.send().await.map_err(broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(unreadable(call, "it is larger than 32 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(ReplicateError::of_answer(call, status, &headers, &body));
        }
        serde_json::from_slice(&body).map_err(|_| unreadable(call, "it is not JSON"))
    }
}

fn parse(raw: Value) -> Result<Prediction, ReplicateError> {
    Prediction::parse(raw).map_err(|error| unusable(&error.to_string()))
}

fn unusable(why: &str) -> ReplicateError {
    unreadable(Call::Repeatable, why)
}

fn unreadable(call: Call, why: &str) -> ReplicateError {
    let detail = format!("the answer cannot be used: {why}");
    match call {
        // It was accepted, but by what name is not known: it has to be looked for.
        Call::Create => ReplicateError::Ambiguous { detail },
        Call::Repeatable => ReplicateError::Permanent {
            status: 0,
            detail,
            fields: Vec::new(),
        },
    }
}

/// An id as one path segment: it comes from a webhook and may hold anything.
fn segment(id: &str) -> String {
    id.chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
        .collect()
}
