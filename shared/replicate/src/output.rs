//! Outputs that are given as files: fetched from the provider's own hosts and from nowhere else.
//!
//! The surprise: what a model answers is text of a stranger, and a URL in it may lead to our own
//! network. Only https to the hosts of the settings is followed, or what the API itself serves; no
//! redirect is.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, StatusCode, Url};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::{Replicate, ReplicateError};

/// A file larger than this is not read: the longest transcript has a few megabytes.
const MAX_FILE: usize = 32 * 1024 * 1024;
/// The whole download.
const PATIENCE: Duration = Duration::from_mins(1);

impl Replicate {
    /// The URL, when an output is a file that may be fetched and nothing else. Other URLs are what a
    /// model says, and stay text.
    pub fn file_in<'a>(&self, output: &'a Value) -> Option<&'a str> {
        let text = output.as_str()?;
        let is_file =
            text.starts_with("data:") || text.parse().is_ok_and(|url: Url| self.may_fetch(&url));
        (is_file && !text.contains(char::is_whitespace)).then_some(text)
    }

    /// The content of an output that is a file: JSON, or else its text.
    ///
    /// Fails with `Lost` when the file is there no more, and with `Permanent` when it may not or
    /// cannot be read.
    #[tracing::instrument(level = "debug", name = "replicate.file", skip_all, fields(otel.kind = "client"))]
    pub async fn file(&self, url: &str) -> Result<Value, ReplicateError> {
        let bytes = match url.strip_prefix("data:") {
            Some(data) => inline(data)?,
            None => {
                let fetching = self.download(url);
                let late = |_| transient("the download of an output took too long");
                tokio::time::timeout(PATIENCE, fetching)
                    .await
                    .map_err(late)??
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| refused("an output is no text"))?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn download(&self, text: &str) -> Result<Vec<u8>, ReplicateError> {
        let url: Url = text.parse().map_err(|_| refused("an output is no URL"))?;
        if !self.may_fetch(&url) {
            let host = url.host_str().unwrap_or_default();
            return Err(refused(&format!(
                "an output lies on a foreign host: {host}"
            )));
        }
        let answer = self.fetch(&url, false).await?;
        // Delivery needs no token as a rule; the host is one that may see it.
        match answer {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
                accepted(self.fetch(&url, true).await?)
            }
            answer => accepted(answer),
        }
    }

    fn may_fetch(&self, url: &Url) -> bool {
        let is_plain = url.username().is_empty() && url.password().is_none();
        let host = url.host_str().unwrap_or_default();
        let is_listed = self.output_hosts.iter().any(|known| {
            host == known
                || host
                    .strip_suffix(known.as_str())
                    .is_some_and(|rest| rest.ends_with('.'))
        });
        let is_delivery =
            is_listed && url.scheme() == "https" && url.port_or_known_default() == Some(443);
        is_plain && (is_delivery || url.origin() == self.base.origin())
    }

    async fn fetch(
        &self,
        url: &Url,
        with_token: bool,
    ) -> Result<(StatusCode, Vec<u8>), ReplicateError> {
        let broken = |_| transient("an output could not be downloaded");
        let mut request = self.http.request(Method::GET, url.clone());
        if with_token {
            request = request.bearer_auth(self.token.expose_secret());
        }
        let mut answer = request.send().await.map_err(broken)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > MAX_FILE {
                return Err(refused("an output is larger than 32 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

fn accepted((status, body): (StatusCode, Vec<u8>)) -> Result<Vec<u8>, ReplicateError> {
    let detail = format!("the output's host says {status}");
    match status.as_u16() {
        200 => Ok(body),
        // Files are removed an hour after the end.
        401 | 403 | 404 | 410 => Err(ReplicateError::Lost { detail }),
        408 | 425 | 429 | 500..=599 => Err(transient(&detail)),
        _ => Err(refused(&detail)),
    }
}

fn inline(data: &str) -> Result<Vec<u8>, ReplicateError> {
    let (kind, content) = data.split_once(',').unwrap_or(("", data));
    if content.len() > MAX_FILE {
        return Err(refused("an output is larger than 32 MiB"));
    }
    if !kind.ends_with(";base64") {
        return Err(refused("an output is a data URI without base64"));
    }
    STANDARD
        .decode(content)
        .map_err(|_| refused("an output is broken base64"))
}

fn transient(detail: &str) -> ReplicateError {
    ReplicateError::Transient {
        retry_after: None,
        detail: detail.to_owned(),
    }
}

fn refused(detail: &str) -> ReplicateError {
    ReplicateError::Permanent {
        status: 0,
        detail: detail.to_owned(),
        fields: Vec::new(),
    }
}
