//! Replicate on the wire: keeps the rules of the hosted API, answers what the test says, and fails
//! the way the hosted API is known to fail.
//!
//! It runs no model: a prediction stays in `starting` until the test ends it. It posts no webhooks by
//! itself either; `webhook` makes the signed delivery and the test brings it, in any order.

mod catalogue;
mod door;
mod files;
mod limits;
mod record;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use secrecy::SecretString;
use serde_json::Value;
use shared_domain::{Clock, PredictionId, Task};
use shared_replicate::signature;
use tokio::task::JoinSet;

use crate::listen::Port;
use crate::{Call, ManualClock};
use catalogue::{model, version_of};
use files::Files;
use limits::Account;
use record::{Ending, Record};

pub use catalogue::Model;
pub use files::Delivery;

/// The token that the server knows.
pub(crate) const TOKEN: &str = "r8_world";
/// The key 00..1f, as in the contract's own test vectors.
pub(crate) const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

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
    /// The connection breaks in the middle of the answer, after the prediction was made.
    CutAnswer,
    /// A fault of the provider, before anything was made.
    Broken {
        /// 500 to 504.
        status: u16,
    },
    /// 502 of a proxy, before anything was made.
    LostQuestion,
    /// 403; nothing is made.
    Forbidden,
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
    /// Lists models as the hosted service does, without cards, and knows the pinned versions.
    hosted: bool,
    /// Tasks whose model the service has withdrawn.
    withdrawn: Vec<Task>,
    ignores_cancel: bool,
    account: Account,
    files: Files,
    tries: usize,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeReplicate {
    /// Starts the server on a free port; it ends with `servers`.
    pub(crate) async fn start(clock: ManualClock, servers: &mut JoinSet<()>) -> Result<Self> {
        let port = Port::take().await?;
        let base_url = format!("{}/v1", port.url()?);
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
        let files = files::router(inner.clone());
        let router = door::router(inner.clone(), base_url.clone()).merge(files);
        port.serve(router, servers);
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

    /// Becomes the hosted service: pinned community models, which cost money.
    pub fn become_hosted(&self) {
        self.inner.state().hosted = true;
    }

    pub(crate) fn is_hosted(&self) -> bool {
        self.inner.state().hosted
    }

    /// The hosted model of a task is gone: its version does not exist any more.
    pub fn withdraw(&self, task: Task) {
        self.inner.state().withdrawn.push(task);
    }

    /// Every model is there again.
    pub fn bring_back(&self) {
        self.inner.state().withdrawn.clear();
    }

    /// Dollars on the account: below five it is throttled, at zero it is refused.
    pub fn set_credit(&self, usd: f64) {
        self.inner.state().account.credit_usd = usd;
    }

    /// Creates that the account may make in any minute.
    pub fn set_limit(&self, per_minute: usize) {
        self.inner.state().account.per_minute = per_minute;
    }

    /// Every `POST /predictions`, whatever came of it.
    pub fn tries(&self) -> usize {
        self.inner.state().tries
    }

    /// A cancel is accepted, and the prediction goes on.
    pub fn ignore_cancel(&self) {
        self.inner.state().ignores_cancel = true;
    }

    /// The URL of a file on the delivery host.
    pub fn deliver(&self, delivery: Delivery) -> String {
        let name = self
            .inner
            .state()
            .files
            .add(self.inner.clock.now(), delivery);
        let host = self.base_url.trim_end_matches("/v1");
        format!("{host}/delivery/{name}")
    }

    /// How often a file was asked for.
    pub fn downloads(&self) -> usize {
        self.inner.state().files.downloads
    }

    /// Name and version of the model that the catalogue has for a task.
    pub fn model_of(task: Task) -> (String, String) {
        (format!("local/{task}"), version_of(task))
    }

    /// Who answers a task, by which model and version, as `frame-extract` writes it down.
    pub(crate) fn answers_for(&self, task: Task) -> (&'static str, String, String) {
        if self.inner.state().hosted {
            let (model, version) = catalogue::hosted_for(task);
            return ("replicate", model.to_owned(), version.to_owned());
        }
        let (model, version) = Self::model_of(task);
        ("local", model, version)
    }

    /// The input that takes the file.
    pub(crate) fn file_field(&self, version: &str) -> Option<&'static str> {
        catalogue::file_field(version, &self.inner.state())
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

    /// The model begins to work.
    pub fn begin(&self, id: &str) -> Result<()> {
        self.record(id, |record| record.running = true)
    }

    /// Somebody cancels the prediction while it runs, and it is billed.
    pub fn cancel(&self, id: &str) -> Result<()> {
        self.end(id, Ending::Canceled)
    }

    /// How long the model works, as it is billed.
    pub fn take_seconds(&self, id: &str, seconds: f64) -> Result<()> {
        self.record(id, |record| record.predict_seconds = seconds)
    }

    fn record(&self, id: &str, change: impl FnOnce(&mut Record)) -> Result<()> {
        let mut state = self.inner.state();
        let record = state.records.iter_mut().find(|record| record.id == id);
        change(record.context("no such prediction")?);
        Ok(())
    }

    fn end(&self, id: &str, ending: Ending) -> Result<()> {
        let now = self.inner.clock.now();
        self.record(id, |record| record.end(now, ending))
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
    /// The same delivery, signed by another secret as well, or by that alone.
    pub fn resigned(&self, secret: &SecretString, keep: bool) -> Result<Self> {
        let added = signature::sign(secret, &self.id, &self.timestamp, &self.body)?;
        let mut resigned = self.clone();
        resigned.signature = match keep {
            true => format!("{added} {}", self.signature),
            false => added,
        };
        Ok(resigned)
    }

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

fn secret() -> SecretString {
    SECRET.into()
}
