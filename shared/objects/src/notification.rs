//! Backblaze's event notifications: what they say and who signed them.
//!
//! The key of the HMAC is the *text* of the secret, and the signature covers the raw body: verify
//! first, parse afterwards, and never serialise the body again in between.

use hmac::Mac;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mac::mac;

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "X-Bz-Event-Notification-Signature";

/// Signatures looked at in one header: a rotation needs two.
const MOST_SIGNATURES: usize = 8;

/// One event of a bucket. Fields that a test event lacks are optional.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BucketEvent {
    /// Unique, and the same at each repetition.
    pub event_id: String,
    /// `b2:ObjectCreated:Upload` and its like; unknown ones are to be expected.
    pub event_type: String,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub event_timestamp: i64,
    /// Version of the event's shape.
    #[serde(default)]
    pub event_version: u32,
    /// The account.
    #[serde(default)]
    pub account_id: String,
    /// The bucket's id.
    #[serde(default)]
    pub bucket_id: String,
    /// The bucket's name.
    #[serde(default)]
    pub bucket_name: String,
    /// The rule that asked for this event.
    #[serde(default)]
    pub matched_rule_name: String,
    /// The object's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_name: Option<String>,
    /// The object's size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_size: Option<u64>,
    /// The object's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_version_id: Option<String>,
}

impl BucketEvent {
    /// An object came to be, in whichever way.
    pub fn is_created(&self) -> bool {
        // One vendor library reports hide markers under this family.
        self.event_type.starts_with("b2:ObjectCreated:")
            && self.event_type != "b2:ObjectCreated:Hide"
    }

    /// Somebody pressed the test button.
    pub fn is_test(&self) -> bool {
        self.event_type == "b2:TestEvent"
    }
}

/// The content of one delivery.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notification {
    /// What can be read.
    pub events: Vec<BucketEvent>,
    /// Entries that cannot be read: one bad event must not cost the others.
    pub malformed: Vec<Value>,
}

/// The body is not a notification at all.
#[derive(Debug, thiserror::Error)]
#[error("the body is not an event notification")]
pub struct NotANotification(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Envelope {
    events: Vec<Value>,
}

/// Reads a body whose signature has been verified.
pub fn parse(body: &[u8]) -> Result<Notification, NotANotification> {
    let envelope: Envelope = serde_json::from_slice(body)?;
    let mut notification = Notification::default();
    for entry in envelope.events {
        match BucketEvent::deserialize(&entry) {
            Ok(event) => notification.events.push(event),
            Err(_) => notification.malformed.push(entry),
        }
    }
    Ok(notification)
}

/// The value of [`SIGNATURE_HEADER`] for a body.
pub fn sign(secret: &SecretString, body: &[u8]) -> String {
    format!(
        "v1={}",
        hex::encode(mac(secret, body).finalize().into_bytes())
    )
}

/// Whether one of the secrets signed exactly this body. An empty secret never did.
pub fn verify(signature_header: &str, body: &[u8], secrets: &[SecretString]) -> bool {
    let signatures: Vec<[u8; 32]> = signature_header
        .split(',')
        .take(MOST_SIGNATURES)
        .filter_map(|entry| signature(entry.trim()))
        .collect();
    let mut genuine = false;
    for secret in secrets
        .iter()
        .filter(|secret| !secret.expose_secret().is_empty())
    {
        let mac = mac(secret, body);
        for signature in &signatures {
            // No early exit: the time taken must not tell which secret matched.
            genuine |= mac.clone().verify_slice(signature).is_ok();
        }
    }
    genuine
}

fn signature(entry: &str) -> Option<[u8; 32]> {
    let digits = entry.strip_prefix("v1=")?;
    if digits.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}
