//! Answers for those who wait: JSON, or an RFC 9457 problem document with a `detail` for people.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use shared_domain::Lang;

use crate::Verdict;

/// An answer that any host can say in its own language.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers besides those of the host.
    pub headers: HeaderMap,
    /// Body bytes.
    pub body: Bytes,
}

/// What a handler returns to somebody who waits.
pub trait Reply {
    /// The answer.
    fn reply(self) -> Response;
}

impl Reply for () {
    fn reply(self) -> Response {
        Response::json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
    }
}

impl Reply for Response {
    fn reply(self) -> Response {
        self
    }
}

impl Response {
    /// A JSON answer that nobody may cache.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::typed(
            status,
            "application/json",
            serde_json::to_vec(body).unwrap_or_default(),
        )
    }

    /// Any bytes under a fixed content type.
    pub fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        Self {
            status,
            headers,
            body: body.into(),
        }
    }

    /// Adds a header; a value that is no header value is left out.
    #[must_use]
    pub fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }
}

/// An RFC 9457 problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// HTTP status.
    pub status: u16,
    /// Stable code for programs.
    pub code: String,
    /// One sentence for a person: what is wrong and what to do.
    pub detail: String,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem without a wait.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.to_owned(), detail.into());
        Self {
            status: status.as_u16(),
            code,
            detail,
            retry_after: None,
        }
    }

    /// What can be said when only the verdict is known.
    pub fn of_verdict(verdict: Verdict, lang: Lang) -> Self {
        match verdict {
            Verdict::Done => Self::new(StatusCode::OK, "done", ""),
            Verdict::Reject => Self::new(
                StatusCode::BAD_REQUEST,
                "rejected",
                lang.pick(
                    "Запрос не может быть выполнен.",
                    "The request cannot be fulfilled.",
                ),
            ),
            Verdict::Retry { after } => {
                let detail = lang.pick(
                    "Сервис временно занят: повторите запрос через несколько секунд.",
                    "The service is busy for a moment: try again in a few seconds.",
                );
                let wait = after.map_or(5, |after| after.as_secs().max(1));
                let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
                problem.retry_after = Some(wait);
                problem
            }
        }
    }
}

impl Reply for Problem {
    fn reply(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let response = Response::typed(status, "application/problem+json", body);
        match self.retry_after {
            Some(seconds) => response.with(header::RETRY_AFTER, &seconds.to_string()),
            None => response,
        }
    }
}
