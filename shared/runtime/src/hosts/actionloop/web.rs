//! The two dialects in which a web call arrives, and the one in which it is answered.
//!
//! Both need `web: raw`. Without it the fields of a body are spread over the input, and a signature
//! can no longer be checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header;
use serde_json::{Map, Value, json};
use shared_domain::Lang;

use crate::hosts::desk::{Asked, header_map, is_text, media_type};
use crate::{Malformed, Outcome, Response};

/// What a call is.
#[derive(Debug)]
pub(super) enum Called {
    /// Somebody outside asks.
    Request(Result<Asked, Malformed>),
    /// The platform calls: a trigger, or somebody with its key.
    Direct(Value),
}

/// A web call is known by what the platform adds to it; nothing that bears such a mark is ever taken
/// for a message of our own.
pub(super) fn sort(value: Value) -> Called {
    let Value::Object(fields) = &value else {
        return Called::Direct(value);
    };
    let is_classic = fields.keys().any(|name| name.starts_with("__ow_"));
    match fields.get("http") {
        Some(Value::Object(http)) => Called::Request(current(http)),
        Some(_) => Called::Request(Err(Malformed("its http is no object".into()))),
        None if is_classic => Called::Request(classic(fields)),
        None => Called::Direct(value),
    }
}

/// DigitalOcean's own: everything in one object named `http`.
fn current(http: &Map<String, Value>) -> Result<Asked, Malformed> {
    let body = text(http, "body").into_bytes();
    let encoded = http.get("isBase64Encoded") == Some(&Value::Bool(true));
    let body = match encoded {
        true => STANDARD
            .decode(body)
            .map_err(|_| Malformed("its body is no base64".into()))?,
        false => body,
    };
    asked(http, ["method", "path", "queryString", "headers"], body)
}

/// Apache's: fields that begin with `__ow_`.
fn classic(fields: &Map<String, Value>) -> Result<Asked, Malformed> {
    let names = ["__ow_method", "__ow_path", "__ow_query", "__ow_headers"];
    let mut request = asked(fields, names, Vec::new())?;
    let body = text(fields, "__ow_body");
    let told = fields.get("__ow_isBase64Encoded").and_then(Value::as_bool);
    // JSON and whatever is no text come as base64, without a word about it.
    let kind = media_type(&request.headers);
    let plain = kind.starts_with("text/") || kind == "application/x-www-form-urlencoded";
    request.body = match told.unwrap_or(!plain) {
        true => match (STANDARD.decode(&body), told) {
            (Ok(bytes), _) => bytes,
            (Err(_), None) => body.into_bytes(),
            (Err(_), Some(_)) => return Err(Malformed("its body is no base64".into())),
        },
        false => body.into_bytes(),
    };
    Ok(request)
}

fn asked(
    fields: &Map<String, Value>,
    [method, path, query, headers]: [&str; 4],
    body: Vec<u8>,
) -> Result<Asked, Malformed> {
    let method = text(fields, method);
    if method.is_empty() {
        return Err(Malformed("it names no method".into()));
    }
    let headers = fields.get(headers).and_then(Value::as_object);
    Ok(Asked {
        method,
        path: text(fields, path),
        query: text(fields, query),
        headers: headers.map(header_map).unwrap_or_default(),
        body,
    })
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    let value = fields.get(name).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

/// `statusCode`, `headers`, `body`. JSON goes as a value: as text the platform may take its media
/// type for a binary one.
pub(super) fn spoken(response: &Response) -> Value {
    let mut headers = Map::new();
    for name in response.headers.keys() {
        let values = response.headers.get_all(name).iter();
        let mut texts: Vec<Value> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into())
            .collect();
        let value = match texts.len() {
            1 => texts.remove(0),
            _ => Value::Array(texts),
        };
        headers.insert(name.to_string(), value);
    }
    json!({
        "statusCode": response.status.as_u16(),
        "headers": headers,
        "body": body(response),
    })
}

fn body(response: &Response) -> Value {
    let kind = media_type(&response.headers);
    let is_json = kind == "application/json" || kind.ends_with("+json");
    let encoded = response.headers.contains_key(header::CONTENT_ENCODING);
    let parsed = serde_json::from_slice(&response.body).ok();
    match parsed.filter(|value: &Value| value.is_object() || value.is_array()) {
        Some(value) if is_json && !encoded => value,
        _ if response.body.is_empty() || is_text(response) => {
            String::from_utf8_lossy(&response.body).into()
        }
        _ => STANDARD.encode(&response.body).into(),
    }
}

/// The answer to a request that is none.
pub(super) fn refused(malformed: &Malformed) -> Value {
    spoken(&Outcome::malformed(malformed, Lang::default()).response)
}
