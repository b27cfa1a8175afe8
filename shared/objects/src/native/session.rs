//! What B2 answers to a key.

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// A token, where it is taken, and what it may do; it holds for a day at most.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) account_id: String,
    pub(super) api_url: Url,
    pub(super) token: SecretString,
    capabilities: Vec<String>,
}

impl Session {
    pub(super) fn parse(answer: &Value) -> Option<Self> {
        let storage = &answer["apiInfo"]["storageApi"];
        let capabilities = storage["allowed"]["capabilities"].as_array()?;
        let names = capabilities.iter().filter_map(Value::as_str);
        Some(Self {
            account_id: answer["accountId"].as_str()?.to_owned(),
            api_url: storage["apiUrl"].as_str()?.parse().ok()?,
            token: answer["authorizationToken"].as_str()?.into(),
            capabilities: names.map(str::to_owned).collect(),
        })
    }

    pub(super) fn may(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|has| has == capability)
    }

    /// Whether both have the same token.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.token.expose_secret() == other.token.expose_secret()
    }
}
