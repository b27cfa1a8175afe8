//! What is asked of the client.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::{Outcome, Prediction};

/// Bytes that are sent within the question: as text they stay below the 256 kB that the provider
/// asks for. Everything larger is given by URL.
pub const MAX_INLINE: u64 = 190_000;

/// An input within the question.
pub fn data_uri(content_type: &str, bytes: &[u8]) -> String {
    format!("data:{content_type};base64,{}", STANDARD.encode(bytes))
}

/// A question to put.
#[derive(Debug, Clone)]
pub struct NewPrediction<'a> {
    /// 64 hex digits.
    pub version: &'a str,
    /// Of the model's own shape; leave a field out rather than send null.
    pub input: Map<String, Value>,
    /// Called once, at the end; carries our own key in its query.
    pub webhook: Option<&'a str>,
    /// The prediction is given up this long after its creation.
    pub cancel_after: Option<Duration>,
}

/// What is known of a create whose answer was lost.
#[derive(Debug, Clone, Copy)]
pub struct Trace<'a> {
    /// Our own key, part of the webhook URL.
    pub key: &'a str,
    /// The version that was asked.
    pub version: &'a str,
    /// Part of the input, for providers that do not echo the webhook: the key in its URL, or the
    /// whole data URI.
    pub object_key: &'a str,
    /// When the create was sent; a little earlier does no harm.
    pub since: OffsetDateTime,
}

/// Who the token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's name.
    pub username: String,
}

impl Trace<'_> {
    pub(crate) fn fits(&self, prediction: &Prediction) -> bool {
        // A question that is put again finds what its earlier attempt came to: no answer will come of
        // that. Whoever finds only this asks anew.
        if !matches!(prediction.outcome(), Outcome::Pending | Outcome::Output(_)) {
            return false;
        }
        if let Some(webhook) = &prediction.webhook {
            return webhook.contains(self.key);
        }
        let input = prediction.raw["input"].as_object();
        let mut texts = input
            .into_iter()
            .flat_map(Map::values)
            .filter_map(Value::as_str);
        prediction.version == self.version && texts.any(|text| text.contains(self.object_key))
    }
}
