//! Standard Webhooks signatures, as Replicate sends them and as the local function signs them.
//!
//! The surprise: the MAC covers the header strings and the body exactly as received, so verify
//! before parsing anything, and never rebuild the timestamp from a number.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use time::{Duration, OffsetDateTime};

/// How far the sender's clock may be off, in both directions.
pub const TOLERANCE: Duration = Duration::seconds(300);

/// Secrets are pasted by hand, with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The three headers of a delivery, as they came.
#[derive(Debug, Clone, Copy)]
pub struct SignedHeaders<'a> {
    /// `webhook-id`: the same when a delivery is repeated.
    pub id: &'a str,
    /// `webhook-timestamp`: unix seconds of this attempt.
    pub timestamp: &'a str,
    /// `webhook-signature`: entries separated by spaces.
    pub signature: &'a str,
}

/// Why a delivery is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header or the body is empty.
    #[error("a webhook header or the body is missing")]
    Missing,
    /// The timestamp is no number.
    #[error("the webhook timestamp is not a number")]
    Timestamp,
    /// Too old or too new.
    #[error("the webhook timestamp is outside the tolerance")]
    Expired,
    /// No entry fits any secret.
    #[error("no webhook signature fits")]
    Mismatch,
    /// A secret is not `whsec_` and base64.
    #[error("the webhook secret is not base64 after its prefix")]
    Secret,
}

/// Fails unless one `v1` entry fits one of the secrets and the timestamp is within the tolerance.
pub fn verify(
    headers: &SignedHeaders<'_>,
    body: &[u8],
    secrets: &[SecretString],
    now: OffsetDateTime,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    if headers.id.is_empty() || headers.signature.is_empty() || body.is_empty() {
        return Err(SignatureError::Missing);
    }
    let sent: i64 = headers
        .timestamp
        .parse()
        .map_err(|_| SignatureError::Timestamp)?;
    if now.unix_timestamp().abs_diff(sent) > tolerance.whole_seconds().unsigned_abs() {
        return Err(SignatureError::Expired);
    }
    let mut keys = Vec::new();
    for secret in secrets {
        keys.push(mac(secret, headers.id, headers.timestamp, body)?);
    }
    // A bad entry must not spoil a good one: other versions and broken base64 are passed over.
    let fits = headers
        .signature
        .split(' ')
        .filter_map(|entry| entry.strip_prefix("v1,"))
        .filter_map(|text| STANDARD.decode(text).ok())
        .any(|given| {
            keys.iter()
                .any(|key| key.clone().verify_slice(&given).is_ok())
        });
    if fits {
        Ok(())
    } else {
        Err(SignatureError::Mismatch)
    }
}

/// The `v1,…` entry for a delivery.
pub fn sign(
    secret: &SecretString,
    id: &str,
    timestamp: &str,
    body: &[u8],
) -> Result<String, SignatureError> {
    let tag = mac(secret, id, timestamp, body)?.finalize().into_bytes();
    Ok(format!("v1,{}", STANDARD.encode(tag)))
}

/// Fails unless the secret can be used.
pub fn check_secret(secret: &SecretString) -> Result<(), SignatureError> {
    decode(secret).map(drop)
}

fn mac(
    secret: &SecretString,
    id: &str,
    timestamp: &str,
    body: &[u8],
) -> Result<Hmac<Sha256>, SignatureError> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&decode(secret)?).map_err(|_| SignatureError::Secret)?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Ok(mac)
}

fn decode(secret: &SecretString) -> Result<Vec<u8>, SignatureError> {
    let text = secret.expose_secret();
    let key = LENIENT.decode(text.strip_prefix("whsec_").unwrap_or(text));
    key.ok()
        .filter(|key| !key.is_empty())
        .ok_or(SignatureError::Secret)
}
