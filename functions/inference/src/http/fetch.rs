//! Gets the files of an input when its prediction starts, never earlier: waiting predictions cost no
//! memory.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::StreamExt;
use reqwest::Method;
use serde_json::{Map, Value};
use shared_replicate::HttpClient;
use url::Url;

use super::record::origin;
use super::{Inner, id};
use crate::predictor::{Input, ModelCard};

/// Three hours of 16 kHz sound fit.
const MAX_INPUT: usize = 384 * 1024 * 1024;

/// Storage stumbles; a prediction should not fail for it.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Where the bytes of an input field are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Data(Bytes),
    Uploaded(String),
    Remote(Url),
}

/// Why the bytes are not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FetchError {
    /// Whether another attempt may bring them.
    passing: bool,
    why: String,
}

impl FetchError {
    fn lasting(why: impl Into<String>) -> Self {
        Self {
            passing: false,
            why: why.into(),
        }
    }

    fn passing(why: impl Into<String>) -> Self {
        Self {
            passing: true,
            why: why.into(),
        }
    }

    /// As `error` of a prediction. Clients take `code: PA` for a failure that passes.
    pub(super) fn text(&self, field: &str) -> String {
        let code = if self.passing { " (code: PA)" } else { "" };
        format!(
            "the input {field:?} could not be fetched: {}{code}",
            self.why
        )
    }
}

impl Source {
    /// Reads the value of a file field.
    pub(super) fn parse(inner: &Inner, text: &str) -> Result<Self, &'static str> {
        if let Some(rest) = text.strip_prefix("data:") {
            return data(rest)
                .map(Self::Data)
                .ok_or("is not a data URI with base64");
        }
        let files = format!("{}/v1/files/", origin(&inner.config.public_base_url));
        if let Some(id) = text.strip_prefix(&files).filter(|id| id::is_id(id)) {
            return Ok(Self::Uploaded(id.to_owned()));
        }
        let allowed = inner.inputs.parse(text).map(Self::Remote);
        allowed.ok_or("is neither a data URI nor a URL that this service may fetch")
    }

    async fn bytes(&self, inner: &Inner) -> Result<Bytes, FetchError> {
        match self {
            Self::Data(bytes) => Ok(bytes.clone()),
            Self::Uploaded(id) => match inner.files.content_of(id).await {
                Ok(bytes) => Ok(bytes.into()),
                Err(_) => Err(FetchError::lasting("the uploaded file is gone")),
            },
            Self::Remote(url) => {
                let mut pauses = PAUSES.into_iter();
                loop {
                    match (remote(&inner.http, url).await, pauses.next()) {
                        (Err(error), Some(pause)) if error.passing => {
                            tokio::time::sleep(pause).await;
                        }
                        (result, _) => return result,
                    }
                }
            }
        }
    }
}

fn data(rest: &str) -> Option<Bytes> {
    let (kind, text) = rest.split_once(',')?;
    kind.ends_with(";base64")
        .then(|| STANDARD.decode(text).ok().map(Bytes::from))
        .flatten()
}

/// Errors are told without the URL: it may be signed.
async fn remote(http: &HttpClient, url: &Url) -> Result<Bytes, FetchError> {
    let answer = http.request(Method::GET, url.clone()).send().await;
    let answer = answer.map_err(|_| FetchError::passing("no connection to its host"))?;
    let status = answer.status();
    if !status.is_success() {
        let why = format!("its host answered {status}");
        let passing = status.is_server_error() || status.as_u16() == 429;
        return Err(FetchError { passing, why });
    }
    let declared = answer.content_length();
    let too_large = || FetchError::lasting("it is larger than 384 MiB");
    if declared.is_some_and(|length| length > MAX_INPUT as u64) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| FetchError::passing("the connection broke"))?;
        if bytes.len() + chunk.len() > MAX_INPUT {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// The input with its files; fails with the text for `error`.
pub(super) async fn fetch(
    inner: &Inner,
    card: &ModelCard,
    given: Map<String, Value>,
) -> Result<Input, String> {
    let mut input = Input {
        fields: given,
        files: std::collections::BTreeMap::new(),
    };
    for field in card.file_fields {
        let Some(Value::String(text)) = input.fields.remove(*field) else {
            continue;
        };
        let source = Source::parse(inner, &text).map_err(|why| format!("input.{field} {why}"))?;
        let bytes = source
            .bytes(inner)
            .await
            .map_err(|error| error.text(field))?;
        input.files.insert((*field).to_owned(), bytes);
    }
    Ok(input)
}
