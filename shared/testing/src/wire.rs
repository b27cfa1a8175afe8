//! Requests and answers as Lambda, DigitalOcean and `OpenWhisk` write them.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use crate::{Answer, Call};

fn split(path: &str) -> (&str, &str) {
    path.split_once('?').unwrap_or((path, ""))
}

fn headers(call: &Call, without: &str) -> Map<String, Value> {
    let all = call.headers.iter().filter(|(name, _)| name != without);
    all.map(|(name, value)| (name.to_lowercase(), value.clone().into()))
        .collect()
}

/// Text as text, anything else as base64, and which of the two it is.
fn carried(body: &Bytes) -> (String, bool) {
    match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (STANDARD.encode(body), true),
    }
}

/// An event of HTTP API v2: cookies stand apart from the headers.
pub(crate) fn http_v2(call: &Call) -> Value {
    let ((path, query), (body, encoded)) = (split(&call.path), carried(&call.body));
    let cookies: Vec<&str> = call
        .headers
        .iter()
        .filter(|(name, _)| name == "cookie")
        .flat_map(|(_, value)| value.split("; "))
        .collect();
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "cookies": cookies, "headers": headers(call, "cookie"),
        "requestContext": { "accountId": "anonymous", "apiId": "id", "stage": "$default",
            "domainName": "id.lambda-url.eu-central-1.on.aws", "requestId": "id",
            "http": { "method": call.method.as_str(), "path": path, "protocol": "HTTP/1.1",
                      "sourceIp": "127.0.0.1", "userAgent": "test" } },
        "body": body, "isBase64Encoded": encoded,
    })
}

pub(crate) fn of_v2(said: &Value) -> Result<Answer> {
    let body = said["body"].as_str().context("a body that is no text")?;
    let body = match said["isBase64Encoded"]
        .as_bool()
        .context("isBase64Encoded")?
    {
        true => STANDARD.decode(body)?.into(),
        false => Bytes::from(body.to_owned()),
    };
    let mut answer = answer(said, body)?;
    for cookie in said["cookies"].as_array().context("cookies")? {
        let cookie = cookie.as_str().context("a cookie")?;
        answer.headers.append("set-cookie", cookie.parse()?);
    }
    Ok(answer)
}

/// Lower-case method, and JSON bodies as base64, as `web: raw` brings them.
pub(crate) fn classic_call(call: &Call, name: &str) -> Value {
    let (path, query) = split(&call.path);
    json!({
        "__ow_method": call.method.as_str().to_lowercase(),
        "__ow_path": below(path, name),
        "__ow_query": query,
        "__ow_headers": headers(call, ""),
        "__ow_body": STANDARD.encode(&call.body),
    })
}

pub(crate) fn current_call(call: &Call, name: &str) -> Value {
    let ((path, query), (body, encoded)) = (split(&call.path), carried(&call.body));
    json!({ "http": {
        "method": call.method.as_str(), "path": below(path, name), "queryString": query,
        "headers": headers(call, ""), "body": body, "isBase64Encoded": encoded,
    } })
}

/// The platform shows a function only what follows its own name.
fn below<'a>(path: &'a str, name: &str) -> &'a str {
    path.strip_prefix(&format!("/functions/{name}"))
        .unwrap_or(path)
}

pub(crate) fn line(value: &Value) -> String {
    let body = json!({
        "activation_id": "6309fa5cf8ff4b4589fa5cf8ffbb45a8", "action_name": "/ns/package/function",
        "namespace": "ns", "api_host": "https://faas.example", "api_key": "key",
        "transaction_id": "t", "deadline": "1", "value": value,
    });
    // The proxy takes newlines out of whatever it is sent.
    format!("{body:#}")
}

pub(crate) fn of_web_action(said: &Value) -> Result<Answer> {
    let binary = || {
        let kind = said["headers"]["content-type"].as_str().unwrap_or_default();
        !(kind.contains("json") || kind.starts_with("text/"))
    };
    let body = match &said["body"] {
        Value::String(text) if text.is_empty() || !binary() => Bytes::from(text.clone()),
        Value::String(text) => STANDARD.decode(text)?.into(),
        value => Bytes::from(value.to_string()),
    };
    answer(said, body)
}

fn answer(said: &Value, body: Bytes) -> Result<Answer> {
    let status = u16::try_from(said["statusCode"].as_u64().context("statusCode")?)?;
    let mut headers = HeaderMap::new();
    for (name, value) in said["headers"].as_object().context("headers")? {
        let name: HeaderName = name.parse()?;
        let values = match value {
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        };
        for value in values {
            let value = HeaderValue::from_str(value.as_str().context("a header")?)?;
            headers.append(&name, value);
        }
    }
    Ok(Answer {
        status: StatusCode::from_u16(status)?,
        headers,
        body,
    })
}
