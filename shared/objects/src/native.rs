//! Backblaze's native API, for what the S3 side does not show: who may read the bucket, its rules, its
//! notifications.
//!
//! The surprise: every write replaces a whole collection of rules. What is not ours has to be read first
//! and sent along.

mod config;
mod error;
mod session;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

pub use config::NativeConfig;
pub use error::NativeError;

use session::Session;

use crate::api::{client, is_this_machine};

/// Larger answers are not read: a bucket's rules have some kilobytes.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A bucket as B2 lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// B2's own id.
    pub id: String,
    /// As in `BACKBLAZE_BUCKET_NAME`.
    pub name: String,
    /// Whether only keys open it.
    pub is_private: bool,
    /// Changes with every write.
    pub revision: u64,
    account_id: String,
    listed: Value,
}

/// Which of a bucket's collections of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// Which pages may upload and play.
    Cors,
    /// When what is hidden or unfinished goes.
    Lifecycle,
}

impl Rules {
    fn field(self) -> &'static str {
        match self {
            Self::Cors => "corsRules",
            Self::Lifecycle => "lifecycleRules",
        }
    }
}

impl Bucket {
    /// The rules as they were sent; `None` when the key does not show them.
    pub fn rules(&self, which: Rules) -> Option<&[Value]> {
        self.listed[which.field()].as_array().map(Vec::as_slice)
    }

    fn parse(listed: Value) -> Option<Self> {
        let text = |name: &str| listed[name].as_str().map(str::to_owned);
        Some(Self {
            id: text("bucketId")?,
            name: text("bucketName")?,
            is_private: text("bucketType")? == "allPrivate",
            revision: listed["revision"].as_u64()?,
            account_id: text("accountId")?,
            listed,
        })
    }
}

/// A connection to the native API.
#[derive(Debug)]
pub struct Native {
    machine: Client,
    world: Client,
    api_url: Url,
    key_id: String,
    key: SecretString,
    session: Mutex<Option<Session>>,
}

impl Native {
    /// Builds the client; nothing is sent yet.
    pub fn connect(config: NativeConfig) -> Result<Self, NativeError> {
        let api_url = Url::parse(&config.api_url)
            .ok()
            .filter(Url::has_host)
            .ok_or(NativeError::Address)?;
        Ok(Self {
            machine: client(config.timeout, true).map_err(NativeError::Client)?,
            world: client(config.timeout, false).map_err(NativeError::Client)?,
            api_url,
            key_id: config.key_id,
            key: config.key,
            session: Mutex::default(),
        })
    }

    /// The bucket of that name; `None` when the account has none that this key shows.
    pub async fn bucket(&self, name: &str) -> Result<Option<Bucket>, NativeError> {
        let question =
            |session: &Session| json!({ "accountId": session.account_id, "bucketName": name });
        let answer = self.call(LIST, question).await?;
        let unusable = NativeError::Answer(LIST.name);
        let Some(listed) = answer["buckets"].as_array() else {
            return Err(unusable);
        };
        match listed.iter().find(|bucket| bucket["bucketName"] == name) {
            Some(found) => Bucket::parse(found.clone()).ok_or(unusable).map(Some),
            None => Ok(None),
        }
    }

    /// Replaces a collection of rules; fails with `Conflict` when somebody else has changed the bucket
    /// since it was read.
    pub async fn set_rules(
        &self,
        bucket: &Bucket,
        which: Rules,
        rules: &[Value],
    ) -> Result<Bucket, NativeError> {
        let mut body = json!({
            "accountId": bucket.account_id,
            "bucketId": bucket.id,
            "ifRevisionIs": bucket.revision,
        });
        body[which.field()] = rules.into();
        let answer = self.call(UPDATE, |_| body.clone()).await?;
        Bucket::parse(answer).ok_or(NativeError::Answer(UPDATE.name))
    }

    /// The rules of the bucket's notifications, with what is read-only in them.
    pub async fn notification_rules(&self, bucket: &Bucket) -> Result<Vec<Value>, NativeError> {
        let question = |_: &Session| json!({ "bucketId": bucket.id });
        listed(NOTIFICATIONS, self.call(NOTIFICATIONS, question).await?)
    }

    /// Replaces the rules of the bucket's notifications.
    pub async fn set_notification_rules(
        &self,
        bucket: &Bucket,
        rules: &[Value],
    ) -> Result<Vec<Value>, NativeError> {
        let body = json!({ "bucketId": bucket.id, "eventNotificationRules": rules });
        let answer = self.call(SET_NOTIFICATIONS, |_| body.clone()).await?;
        listed(SET_NOTIFICATIONS, answer)
    }

    /// Asks with the present token; with a fresh one when that has expired.
    async fn call(
        &self,
        call: Call,
        body: impl Fn(&Session) -> Value,
    ) -> Result<Value, NativeError> {
        let session = self.session(None).await?;
        match self.ask(call, &session, &body(&session)).await {
            Err(NativeError::Expired) => {
                let fresh = self.session(Some(&session)).await?;
                self.ask(call, &fresh, &body(&fresh)).await
            }
            answer => answer,
        }
    }

    async fn ask(&self, call: Call, session: &Session, body: &Value) -> Result<Value, NativeError> {
        if !session.may(call.needs) {
            return Err(NativeError::Lacks(call.needs));
        }
        let mut url = session.api_url.clone();
        url.set_path(&format!("/b2api/v4/{}", call.name));
        let request = if call.by_get {
            for (name, value) in body.as_object().into_iter().flatten() {
                let value = value.as_str().unwrap_or_default();
                url.query_pairs_mut().append_pair(name, value);
            }
            self.request(Method::GET, url)
        } else {
            self.request(Method::POST, url).json(body)
        };
        // The token stands alone: B2 knows no `Bearer`.
        let mut token = HeaderValue::from_str(session.token.expose_secret())
            .map_err(|_| NativeError::Answer(call.name))?;
        token.set_sensitive(true);
        send(call.name, request.header(AUTHORIZATION, token)).await
    }

    /// The session; a fresh one when `expired` is the one that is kept.
    async fn session(&self, expired: Option<&Session>) -> Result<Session, NativeError> {
        let mut kept = self.session.lock().await;
        match kept.as_ref() {
            Some(session) if !expired.is_some_and(|old| old.is(session)) => Ok(session.clone()),
            _ => {
                let session = self.authorize().await?;
                *kept = Some(session.clone());
                Ok(session)
            }
        }
    }

    async fn authorize(&self) -> Result<Session, NativeError> {
        const NAME: &str = "b2_authorize_account";
        let mut url = self.api_url.clone();
        url.set_path(&format!("/b2api/v4/{NAME}"));
        let request = self
            .request(Method::GET, url)
            .basic_auth(&self.key_id, Some(self.key.expose_secret()));
        let answer = send(NAME, request).await.map_err(|error| match error {
            NativeError::Expired | NativeError::Refused { status: 401, .. } => NativeError::BadKey,
            other => other,
        })?;
        let session = Session::parse(&answer).ok_or(NativeError::Answer(NAME))?;
        if !self.trusts(&session.api_url) {
            return Err(NativeError::Address);
        }
        Ok(session)
    }

    /// The token goes over TLS, or to the very host that a test has named.
    fn trusts(&self, url: &Url) -> bool {
        url.scheme() == "https"
            || (self.api_url.scheme() == "http" && url.host() == self.api_url.host())
    }

    /// A proxy of the environment is for the way out and learns no token of this machine.
    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let client = match is_this_machine(&url) {
            true => &self.machine,
            false => &self.world,
        };
        client.request(method, url)
    }
}

/// One of B2's calls, and the capability that a key needs for it.
#[derive(Debug, Clone, Copy)]
struct Call {
    name: &'static str,
    needs: &'static str,
    /// Asked for by GET, with the question in the query.
    by_get: bool,
}

const LIST: Call = Call {
    name: "b2_list_buckets",
    needs: "listBuckets",
    by_get: false,
};
const UPDATE: Call = Call {
    name: "b2_update_bucket",
    needs: "writeBuckets",
    by_get: false,
};
const NOTIFICATIONS: Call = Call {
    name: "b2_get_bucket_notification_rules",
    needs: "readBucketNotifications",
    by_get: true,
};
const SET_NOTIFICATIONS: Call = Call {
    name: "b2_set_bucket_notification_rules",
    needs: "writeBucketNotifications",
    by_get: false,
};

fn listed(call: Call, mut answer: Value) -> Result<Vec<Value>, NativeError> {
    match answer["eventNotificationRules"].take() {
        Value::Array(rules) => Ok(rules),
        _ => Err(NativeError::Answer(call.name)),
    }
}

async fn send(call: &'static str, request: RequestBuilder) -> Result<Value, NativeError> {
    let broken = |error: reqwest::Error| NativeError::of_transport(&error);
    let mut response = request.send().await.map_err(broken)?;
    let (status, mut body) = (response.status(), Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(NativeError::Answer(call));
        }
        body.extend_from_slice(&chunk);
    }
    if !status.is_success() {
        return Err(NativeError::of_answer(call, status, &body));
    }
    serde_json::from_slice(&body).map_err(|_| NativeError::Answer(call))
}
