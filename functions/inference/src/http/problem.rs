//! Refusals in the shapes that Replicate uses: RFC 7807 with `invalid_fields`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refused request.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: String,
    fields: Vec<Value>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title,
            detail: detail.into(),
            fields: Vec::new(),
        }
    }

    pub(super) fn unauthenticated() -> Self {
        let detail = "You did not pass a valid authentication token";
        Self::new(StatusCode::UNAUTHORIZED, "Unauthenticated", detail)
    }

    pub(super) fn not_found(what: &str) -> Self {
        let detail = format!("{what} could not be found");
        Self::new(StatusCode::NOT_FOUND, "Not found", detail)
    }

    pub(super) fn method() -> Self {
        let detail = "This path does not answer to that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
    }

    pub(super) fn too_large(limit_mib: usize) -> Self {
        let detail = format!("The body is larger than {limit_mib} MiB");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "Content too large", detail)
    }

    pub(super) fn version() -> Self {
        let detail = "The specified version does not exist (or perhaps you don't have permission to use it?)";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Invalid version or not permitted",
            detail,
        )
    }

    /// The body is not what the path takes.
    pub(super) fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad request", detail)
    }

    /// One field is at fault: `input.image`, `required`, what to do.
    pub(super) fn field(field: &str, kind: &str, description: &str) -> Self {
        let detail = format!("- {field}: {description}\n");
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "Input validation failed",
            detail,
        );
        let entry = json!({ "type": kind, "field": field, "description": description });
        problem.fields.push(entry);
        problem
    }

    /// Our own disk or state is at fault.
    pub(super) fn internal(error: &std::io::Error) -> Self {
        tracing::error!("the state of the predictions cannot be used: {error}");
        let detail = "The state of the predictions cannot be used";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Service unavailable",
            detail,
        )
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "title": self.title, "detail": self.detail, "status": self.status.as_u16(),
        });
        if !self.fields.is_empty() {
            body["invalid_fields"] = self.fields.into();
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, body.to_string()).into_response()
    }
}
