//! A request to one of our doors, and what the door says.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use serde_json::Value;
use tower::ServiceExt;

/// The host of every call: what browsers of this world have in their address bar.
pub const HOST: &str = "127.0.0.1:8000";

/// A request in the making; faults show when it is sent.
#[derive(Debug, Clone)]
pub struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// What a door said.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Call {
    /// A request for a path.
    pub fn new(method: Method, path: &str) -> Self {
        let path = path.to_owned();
        Self {
            method,
            path,
            headers: vec![("host".into(), HOST.into())],
            body: Bytes::new(),
        }
    }

    /// `GET`.
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// `POST`.
    pub fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    /// `DELETE`.
    pub fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Sets a header, in the place of an earlier one of the name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As a browser with this session.
    #[must_use]
    pub fn session(self, token: &str) -> Self {
        self.header("cookie", &format!("session={token}"))
    }

    /// In Russian.
    #[must_use]
    pub fn in_russian(self) -> Self {
        self.header("accept-language", "ru-RU,ru;q=0.9")
    }

    /// With these bytes.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// With this JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Brings it to a door and reads the whole answer.
    pub async fn at(self, door: &Router) -> Result<Answer> {
        let (parts, body) = self.open(door).await?.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await?;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }

    /// Brings it to a door; the body of the answer may be endless.
    pub async fn open(self, door: &Router) -> Result<Response> {
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().context("the path")?;
        for (name, value) in self.headers {
            let (name, value) = (name.parse::<HeaderName>()?, HeaderValue::from_str(&value)?);
            request.headers_mut().insert(name, value);
        }
        let Ok(answer) = door.clone().oneshot(request).await;
        Ok(answer)
    }
}

impl Answer {
    /// The status as a number.
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `detail` of a problem document; empty when it is none.
    pub fn detail(&self) -> String {
        let is_problem = self.header("content-type") == "application/problem+json";
        let detail = self.json()["detail"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if is_problem { detail } else { String::new() }
    }

    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Every `Set-Cookie`.
    pub fn cookies(&self) -> Vec<&str> {
        let all = self.headers.get_all(header::SET_COOKIE).iter();
        all.filter_map(|value| value.to_str().ok()).collect()
    }
}

/// Writes to storage by a signed URL, as a browser does; answers the status.
pub async fn put_signed(url: &str, headers: &Value, bytes: Vec<u8>) -> Result<u16> {
    let mut request = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .put(url)
        .body(bytes);
    for (name, value) in headers.as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().context("a header")?);
    }
    Ok(request.send().await?.status().as_u16())
}

/// Reads from storage by a signed URL.
pub async fn get_signed(url: &str) -> Result<Bytes> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(client
        .get(url)
        .send()
        .await?
        .error_for_status()?
        .bytes()
        .await?)
}
