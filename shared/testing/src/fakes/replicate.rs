//! Replicate on the wire: keeps the rules of the hosted API, answers what the test says, and fails
//! the way the hosted API is known to fail.
//!
//! It runs no model: a prediction stays in `starting` until the test ends it. It posts no webhooks by
//! itself either; `webhook` makes the signed delivery and the test brings it, in any order.

mod door;
mod record;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared_domain::{Clock, PredictionId, Task};
use shared_replicate::signature;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::{Call, ManualClock};
use record::{Ending, Record};

/// The token that the server knows.
pub(crate) const TOKEN: &str = "r8_world";
/// The key 00..1f, as in the contract's own test vectors.
pub(crate) const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A model of the catalogue.
#[derive(Debug, Clone)]
pub struct Model {
    /// What it is asked for.
    pub task: Task,
    /// `Adapter::as_str`.
    pub adapter: &'static str,
    /// The input that takes the URL.
    pub file_field: &'static str,
}

/// One create that was accepted.
#[derive(Debug, Clone)]
pub struct Create {
    /// The provider's id.
    pub id: String,
    /// The version that was asked for.
    pub version: String,
    /// The model's input.
    pub input: Value,
    /// Where the answer is wanted.
    pub webhook: Option<String>,
    /// The header `Cancel-After`.
    pub cancel_after: Option<String>,
}

/// How the next create goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// 429; nothing is made.
    Throttled {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// 402; nothing is made.
    NoCredit,
    /// 502 of a proxy, after the prediction was made.
    LostAnswer,
    /// 502 of a proxy, before anything was made.
    LostQuestion,
    /// 422 about the input; nothing is made.
    Refused,
}

/// A signed delivery to our door.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// `webhook-id`, the same at each repetition.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// Path and query of our door.
    pub path: String,
    /// The raw body.
    pub body: Bytes,
}

/// The server, as the test steers it; clones steer the same one.
#[derive(Debug, Clone)]
pub struct FakeReplicate {
    base_url: String,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: ManualClock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    models: Vec<Model>,
    records: Vec<Record>,
    forgotten: Vec<String>,
    mishaps: VecDeque<Mishap>,
    echoes_webhooks: bool,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeReplicate {
    /// Starts the server on a free port; it ends with `servers`.
    pub(crate) async fn start(clock: ManualClock, servers: &mut JoinSet<()>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base_url = format!("http://{}/v1", listener.local_addr()?);
        let state = State {
            models: vec![
                model(Task::Speech, "whisper-diarization", "audio"),
                model(Task::Nudity, "scores", "image"),
                model(Task::Text, "pp-ocr", "image"),
            ],
            echoes_webhooks: true,
            ..State::default()
        };
        let state = Mutex::new(state);
        let inner = Arc::new(Inner { clock, state });
        let router = door::router(inner.clone(), base_url.clone());
        servers.spawn(async move {
            // Ends only with the test: nobody is left to be told.
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { base_url, inner })
    }

    /// `REPLICATE_API_BASE_URL`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Replaces the catalogue; functions read it when they connect.
    pub fn offer(&self, models: impl IntoIterator<Item = (Task, &'static str, &'static str)>) {
        let models = models
            .into_iter()
            .map(|(task, adapter, field)| model(task, adapter, field));
        self.inner.state().models = models.collect();
    }

    /// Name and version of the model that the catalogue has for a task.
    pub fn model_of(task: Task) -> (String, String) {
        (format!("local/{task}"), version_of(task))
    }

    /// The next creates go wrong, one each.
    pub fn expect_mishaps(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.inner.state().mishaps.extend(mishaps);
    }

    /// Some records of the hosted API carry no `webhook`.
    pub fn hide_webhooks(&self) {
        self.inner.state().echoes_webhooks = false;
    }

    /// Every create that was accepted, the oldest first.
    pub fn creates(&self) -> Vec<Create> {
        self.inner
            .state()
            .records
            .iter()
            .map(Record::create)
            .collect()
    }

    /// The create whose webhook names our own key.
    pub fn create_for(&self, question: PredictionId) -> Result<Create> {
        let key = question.to_string();
        let fits = |create: &Create| {
            create
                .webhook
                .as_ref()
                .is_some_and(|url| url.contains(&key))
        };
        let found = self.creates().into_iter().find(fits);
        found.with_context(|| format!("no create for {key}"))
    }

    /// The model answers.
    pub fn succeed(&self, id: &str, output: Value) -> Result<()> {
        self.end(id, Ending::Succeeded(output))
    }

    /// The model or the platform gives up.
    pub fn fail(&self, id: &str, error: &str) -> Result<()> {
        self.end(id, Ending::Failed(error.to_owned()))
    }

    /// The deadline passes in the queue.
    pub fn abort(&self, id: &str) -> Result<()> {
        self.end(id, Ending::Aborted)
    }

    fn end(&self, id: &str, ending: Ending) -> Result<()> {
        let now = self.inner.clock.now();
        let mut state = self.inner.state();
        let record = state.records.iter_mut().find(|record| record.id == id);
        record.context("no such prediction")?.end(now, ending);
        Ok(())
    }

    /// From now on the prediction is 404, as after its deletion.
    pub fn forget(&self, id: &str) {
        self.inner.state().forgotten.push(id.to_owned());
    }

    /// The delivery for the present state of a prediction, signed at the present moment.
    pub fn webhook(&self, id: &str) -> Result<Webhook> {
        let now = self.inner.clock.now();
        let state = self.inner.state();
        let record = state.records.iter().find(|record| record.id == id);
        let record = record.context("no such prediction")?;
        let url: url::Url = record.webhook.as_deref().context("no webhook")?.parse()?;
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let body = record.view(now, true);
        let id = format!("msg_{id}_{}", body["status"].as_str().unwrap_or_default());
        Self::signed(
            &id,
            &path,
            body.to_string(),
            &now.unix_timestamp().to_string(),
        )
    }

    /// A genuine signature over anything.
    pub fn signed(id: &str, path: &str, body: String, timestamp: &str) -> Result<Webhook> {
        let signature = signature::sign(&secret(), id, timestamp, body.as_bytes())?;
        Ok(Webhook {
            id: id.to_owned(),
            timestamp: timestamp.to_owned(),
            signature,
            path: path.to_owned(),
            body: body.into(),
        })
    }
}

impl Webhook {
    /// The request that brings it.
    pub fn call(&self) -> Call {
        Call::new(Method::POST, &self.path)
            .header("content-type", "application/json")
            .header("webhook-id", &self.id)
            .header("webhook-timestamp", &self.timestamp)
            .header("webhook-signature", &self.signature)
            .body(self.body.clone())
    }
}

fn model(task: Task, adapter: &'static str, file_field: &'static str) -> Model {
    Model {
        task,
        adapter,
        file_field,
    }
}

fn secret() -> SecretString {
    SECRET.into()
}

/// 64 hex digits, a different number for each task.
fn version_of(task: Task) -> String {
    let place = Task::ALL.iter().position(|known| *known == task);
    format!("{:064x}", 0xc0_ffee + place.unwrap_or_default())
}

impl Model {
    /// As the local function lists it.
    fn listed(&self) -> Value {
        json!({
            "url": "", "owner": "local", "name": self.task, "description": "", "visibility": "public",
            "run_count": 0, "latest_version": { "id": version_of(self.task) },
            "card": { "task": self.task, "adapter": self.adapter, "file_field": self.file_field,
                      "licence": "MIT", "limits": [] },
        })
    }
}
