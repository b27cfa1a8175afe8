//! An answer in the shape of HTTP API v2, always whole: emulators refuse the short forms.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header;
use serde_json::{Map, Value, json};

use crate::Response;
use crate::hosts::desk::is_text;

/// `statusCode`, `headers`, `cookies`, `body`, `isBase64Encoded`.
pub(super) fn v2(response: &Response) -> Value {
    let mut headers: Map<String, Value> = Map::new();
    let mut cookies = Vec::new();
    for name in response.headers.keys() {
        let values = response.headers.get_all(name).iter();
        let mut texts = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        match *name == header::SET_COOKIE {
            true => cookies.extend(texts),
            false => {
                let first = texts.next().unwrap_or_default();
                let all = texts.fold(first, |all, next| format!("{all}, {next}"));
                headers.insert(name.to_string(), Value::String(all));
            }
        }
    }
    let is_text = response.body.is_empty() || is_text(response);
    let body = match is_text {
        true => String::from_utf8_lossy(&response.body).into_owned(),
        false => STANDARD.encode(&response.body),
    };
    json!({
        "statusCode": response.status.as_u16(),
        "headers": headers,
        "cookies": cookies,
        "body": body,
        "isBase64Encoded": !is_text,
    })
}
