//! Signature Version 4, by the book and not by the client's own crate: what is signed is put together
//! anew from the request as it came.

use hmac::{Hmac, Mac};
use http::{HeaderMap, Method, Uri};
use sha2::{Digest, Sha256};
use shared_domain::{Clock, SystemClock};
use time::PrimitiveDateTime;
use time::macros::format_description;

use super::{KEY, KEY_ID, REGION, SESSION};

/// How far the clocks may be apart.
const TOLERANCE: time::Duration = time::Duration::minutes(15);

type Refusal = (&'static str, &'static str);
const WRONG: Refusal = (
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided.",
);
const STRANGER: Refusal = (
    "InvalidClientTokenId",
    "The security token included in the request is invalid.",
);

pub(super) fn check(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let given = header("authorization").and_then(|a| a.strip_prefix("AWS4-HMAC-SHA256 "));
    let part = |name: &str| {
        let mut parts = given?.split(", ");
        parts.find_map(|part| part.strip_prefix(name))
    };
    let (credential, signed) = (part("Credential="), part("SignedHeaders="));
    let (credential, signed) = credential.zip(signed).ok_or(WRONG)?;
    let moment = header("x-amz-date").ok_or(WRONG)?;
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let at = PrimitiveDateTime::parse(moment, format).map_err(|_| WRONG)?;
    if (SystemClock.now() - at.assume_utc()).abs() > TOLERANCE {
        return Err(WRONG);
    }
    let (key_id, scope) = credential.split_once('/').ok_or(WRONG)?;
    if key_id != KEY_ID || header("x-amz-security-token") != Some(SESSION) {
        return Err(STRANGER);
    }
    let day = &moment[..8];
    let mut covered = signed.split(';');
    let wanted = format!("{day}/{REGION}/sqs/aws4_request");
    if scope != wanted || !["host", "x-amz-date"].iter().all(|n| signed.contains(n)) {
        return Err(WRONG);
    }
    let lines = covered.try_fold(String::new(), |lines, name| {
        let value = header(name)?.trim();
        Some(format!("{lines}{name}:{value}\n"))
    });
    let lines = lines.ok_or(WRONG)?;
    let (path, query) = (uri.path(), uri.query().unwrap_or(""));
    let digest = hex::encode(Sha256::digest(body));
    let request = format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{digest}");
    let digest = hex::encode(Sha256::digest(request));
    let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}");
    let mut key = format!("AWS4{KEY}").into_bytes();
    for step in [day, REGION, "sqs", "aws4_request", &text] {
        key = sign(&key, step);
    }
    match part("Signature=") == Some(hex::encode(key).as_str()) {
        true => Ok(()),
        false => Err(WRONG),
    }
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    // Any length of key will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
