//! Backblaze's native API on the wire: tokens, capabilities, revisions and the rules that rules keep.
//!
//! It holds one bucket and no files: objects are the embedded server's.

mod door;
mod rules;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::listen::Port;

/// What a key of an administrator may do.
const ADMIN: &[&str] = &[
    "listBuckets",
    "readBuckets",
    "writeBuckets",
    "readBucketNotifications",
    "writeBucketNotifications",
];

/// What goes wrong at B2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum B2Mishap {
    /// 403: the day's calls are used up.
    Cap,
    /// 503.
    Busy,
    /// Somebody else changes the bucket before the next write.
    Race,
    /// The next call finds its token expired.
    Expired,
}

/// The server, as the test steers it; it ends when it is dropped.
#[derive(Debug)]
pub struct FakeB2 {
    base_url: String,
    inner: Arc<Inner>,
    _servers: JoinSet<()>,
}

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    keys: Vec<Key>,
    /// Given out, and by which key.
    tokens: Vec<(String, String)>,
    given: usize,
    bucket: Value,
    notifications: Vec<Value>,
    notifications_enabled: bool,
    mishaps: Vec<B2Mishap>,
    api_url: String,
    calls: Vec<String>,
    date: Option<String>,
}

#[derive(Debug, Clone)]
struct Key {
    id: String,
    secret: String,
    capabilities: Vec<String>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeB2 {
    /// Whether B2 takes a whole collection of rules; the error says what it refuses.
    pub fn check(collection: &str, rules: &[Value]) -> Result<(), String> {
        match collection {
            "corsRules" => rules::check_cors(rules),
            "lifecycleRules" => rules::check_lifecycle(rules),
            "eventNotificationRules" => rules::check_notifications(rules),
            other => Err(format!("there is no collection {other}")),
        }
    }

    /// Id and key that may do everything an administrator needs.
    pub const KEY: (&'static str, &'static str) = ("004admin", "K004canary-of-the-bucket-admin");

    /// Starts one with a private, bare bucket of that name.
    pub async fn start(bucket: &str) -> Result<Self> {
        let port = Port::take().await?;
        let base_url = port.url()?;
        let state = State {
            keys: Vec::new(),
            tokens: Vec::new(),
            given: 0,
            bucket: json!({
                "accountId": "acc000000001",
                "bucketId": "b000000000000000000000a1",
                "bucketName": bucket,
                "bucketType": "allPrivate",
                "bucketInfo": {},
                "corsRules": [],
                "lifecycleRules": [],
                "options": ["s3"],
                "revision": 2,
            }),
            notifications: Vec::new(),
            notifications_enabled: true,
            mishaps: Vec::new(),
            api_url: base_url.clone(),
            calls: Vec::new(),
            date: None,
        };
        let state = Mutex::new(state);
        let inner = Arc::new(Inner { state });
        let router = door::router(inner.clone());
        let mut servers = JoinSet::new();
        port.serve(router, &mut servers);
        let fake = Self {
            base_url,
            inner,
            _servers: servers,
        };
        fake.allow(Self::KEY, ADMIN);
        Ok(fake)
    }

    /// `B2_API_URL`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Makes a key, or gives it other capabilities.
    pub fn allow(&self, (id, secret): (&str, &str), capabilities: &[&str]) {
        let made = Key {
            id: id.to_owned(),
            secret: secret.to_owned(),
            capabilities: capabilities.iter().map(|&name| name.to_owned()).collect(),
        };
        let mut state = self.inner.state();
        state.keys.retain(|key| key.id != id);
        state.keys.push(made);
    }

    /// The bucket as it is listed.
    pub fn bucket(&self) -> Value {
        self.inner.state().bucket.clone()
    }

    /// Somebody changes the bucket, as in the console.
    pub fn change(&self, field: &str, value: Value) {
        let mut state = self.inner.state();
        state.bucket[field] = value;
        state.touch();
    }

    /// The rules of notifications, with their read-only fields.
    pub fn notifications(&self) -> Vec<Value> {
        self.inner.state().notifications.clone()
    }

    /// Somebody sets the rules of notifications, unchecked.
    pub fn set_notifications(&self, rules: &[Value]) {
        self.inner.state().notifications = rules.to_vec();
    }

    /// Support has not enabled notifications for the account.
    pub fn disable_notifications(&self) {
        self.inner.state().notifications_enabled = false;
    }

    /// What goes wrong, once each, with the calls after an authorization.
    pub fn expect_mishaps(&self, mishaps: impl IntoIterator<Item = B2Mishap>) {
        self.inner.state().mishaps.extend(mishaps);
    }

    /// The address that an authorization names for all other calls.
    pub fn send_to(&self, api_url: &str) {
        api_url.clone_into(&mut self.inner.state().api_url);
    }

    /// The `Date` of every answer.
    pub fn set_date(&self, date: &str) {
        self.inner.state().date = Some(date.to_owned());
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.inner.state().calls.clone()
    }
}

impl State {
    fn touch(&mut self) {
        let revision = self.bucket["revision"].as_u64().unwrap_or_default();
        self.bucket["revision"] = (revision + 1).into();
    }

    fn takes(&mut self, mishap: B2Mishap) -> bool {
        let first = self.mishaps.first() == Some(&mishap);
        if first {
            self.mishaps.remove(0);
        }
        first
    }
}
