//! The API over a real, tiny model, spoken to through real sockets.

mod lifecycle;
mod refusals;
mod restart;
mod uploads;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_domain::{Clock, SystemIds, Task};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Service, ServiceConfig};
use crate::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};

pub(super) const TOKEN: &str = "r8_local_test";
pub(super) const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(super) const VERSION: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A clock that tests move.
#[derive(Debug)]
pub(super) struct Hand(Mutex<OffsetDateTime>);

impl Clock for Hand {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

impl Hand {
    pub(super) fn advance(&self, by: time::Duration) {
        *self.0.lock().unwrap() += by;
    }
}

/// Weighs a file: its size and checksum. `hold` keeps it busy until the gate opens or it is cancelled.
#[derive(Debug)]
struct Scales {
    card: ModelCard,
    gate: Arc<AtomicBool>,
}

impl Predictor for Scales {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError> {
        let file = input.file("image")?;
        while input.fields.contains_key("hold") && !self.gate.load(Ordering::Relaxed) {
            cancel.check()?;
            std::thread::park_timeout(Duration::from_millis(5));
        }
        match input.text("trouble") {
            Some("panic") => panic!("as asked"),
            Some("input") => Err(PredictError::Input("the file is no picture".into())),
            Some(_) => Err(PredictError::Model("the model broke".into())),
            None => Ok(json!({ "bytes": file.len(), "sha256": hex::encode(Sha256::digest(file)) })),
        }
    }
}

/// Opens when the test ends in whatever way: a runtime waits for its blocking threads.
#[derive(Debug, Default)]
pub(super) struct Gate(Arc<AtomicBool>);

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The storage and the receiver of webhooks.
#[derive(Debug, Clone, Default)]
pub(super) struct Outside(Arc<Mutex<Story>>);

#[derive(Debug, Default)]
struct Story {
    /// Answers to give before the usual ones.
    troubles: Vec<u16>,
    fetched: Vec<String>,
    hooks: Vec<Hook>,
}

#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

impl Hook {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Outside {
    async fn answer(
        State(outside): State<Self>,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> impl IntoResponse {
        let mut story = outside.0.lock().unwrap();
        if uri.path() == "/hook" {
            let pair = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
                (name.to_string(), value.to_str().unwrap().to_owned())
            };
            story.hooks.push(Hook {
                headers: headers.iter().map(pair).collect(),
                body,
            });
        } else {
            story.fetched.push(uri.to_string());
        }
        let status = story.troubles.pop().unwrap_or(200);
        (StatusCode::from_u16(status).unwrap(), "picture")
    }

    pub(super) fn trouble(&self, answers: &[u16]) {
        self.0.lock().unwrap().troubles = answers.iter().rev().copied().collect();
    }

    pub(super) fn hooks(&self) -> Vec<Hook> {
        self.0.lock().unwrap().hooks.clone()
    }

    pub(super) fn fetched(&self) -> usize {
        self.0.lock().unwrap().fetched.len()
    }
}

/// A service on a free port with its surroundings; dropping it is a kill.
pub(super) struct Local {
    pub(super) base: String,
    pub(super) outside_url: String,
    pub(super) outside: Outside,
    pub(super) clock: Arc<Hand>,
    gate: Gate,
    pub(super) folder: Arc<TempDir>,
    pauses: Vec<Duration>,
    stop: CancellationToken,
    http: shared_replicate::HttpClient,
    tasks: JoinSet<()>,
    outside_task: Option<JoinSet<()>>,
}

impl Local {
    pub(super) async fn start() -> Self {
        Self::repeating(vec![Duration::from_millis(10); 4]).await
    }

    /// Repeats a refused webhook after these pauses.
    pub(super) async fn repeating(pauses: Vec<Duration>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let outside_url = format!("http://{}", listener.local_addr().unwrap());
        let outside = Outside::default();
        let router = axum::Router::new()
            .fallback(Outside::answer)
            .with_state(outside.clone());
        let mut outside_task = JoinSet::new();
        outside_task.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let clock = Arc::new(Hand(Mutex::new(
            OffsetDateTime::from_unix_timestamp(1_767_323_046).unwrap(),
        )));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let parts = Parts {
            outside,
            outside_url,
            clock,
            folder,
            pauses,
        };
        Self {
            outside_task: Some(outside_task),
            ..Self::over(parts).await
        }
    }

    async fn over(parts: Parts) -> Self {
        let Parts {
            outside,
            outside_url,
            clock,
            folder,
            pauses,
        } = parts;
        let gate = Gate::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let config = ServiceConfig {
            token: TOKEN.into(),
            webhook_secret: SECRET.into(),
            state_dir: folder.path().to_owned(),
            public_base_url: base.clone(),
            workers: 1,
            input_urls: vec![format!("{outside_url}/objects").parse().unwrap()],
            webhook_urls: vec![outside_url.parse().unwrap()],
            webhook_pauses: pauses.clone(),
        };
        let scales = Scales {
            card: card(),
            gate: gate.0.clone(),
        };
        let models: Vec<Arc<dyn Predictor>> = vec![Arc::new(scales)];
        let service = Service::new(config, models, clock.clone(), Arc::new(SystemIds)).unwrap();
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let stopped = stop.clone();
        tasks.spawn(async move { service.serve(listener, stopped).await.unwrap() });
        let http = shared_replicate::http_client(Duration::from_secs(30)).unwrap();
        let outside_task = None;
        Self {
            base,
            outside_url,
            outside,
            clock,
            gate,
            folder,
            pauses,
            stop,
            http,
            tasks,
            outside_task,
        }
    }

    /// Ends the process without a warning and starts another over the same folder.
    pub(super) async fn kill_and_restart(mut self) -> Self {
        self.tasks.abort_all();
        while self.tasks.join_next().await.is_some() {}
        // The thread of a killed process is gone; here it has to be let go.
        self.gate.0.store(true, Ordering::Relaxed);
        self.again().await
    }

    /// Ends the process as SIGTERM does.
    pub(super) async fn stop_and_restart(mut self) -> Self {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        self.again().await
    }

    async fn again(self) -> Self {
        let parts = Parts {
            outside: self.outside,
            outside_url: self.outside_url,
            clock: self.clock,
            folder: self.folder,
            pauses: self.pauses,
        };
        Self {
            outside_task: self.outside_task,
            ..Self::over(parts).await
        }
    }

    pub(super) fn open_gate(&self) {
        self.gate.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        self.http
            .request(method, format!("{}{path}", self.base).parse().unwrap())
            .bearer_auth(TOKEN)
    }

    pub(super) async fn call(&self, method: &str, path: &str) -> (u16, Value) {
        answer(self.request(method, path)).await
    }

    pub(super) async fn create(&self, body: Value) -> Value {
        let (status, made) = answer(self.request("POST", "/v1/predictions").json(&body)).await;
        assert_eq!(status, 201, "{made}");
        made
    }

    /// A question about `picture`, with more input fields.
    pub(super) fn question(&self, mut more: Value) -> Value {
        more["image"] = format!("{}/objects/a.jpg", self.outside_url).into();
        json!({ "version": VERSION, "input": more })
    }

    /// As `question`, with a webhook.
    pub(super) fn hooked(&self, more: Value) -> Value {
        let mut body = self.question(more);
        body["webhook"] = format!("{}/hook?key=K1", self.outside_url).into();
        body["webhook_events_filter"] = json!(["completed"]);
        body
    }

    pub(super) async fn show(&self, id: &Value) -> Value {
        self.call("GET", &format!("/v1/predictions/{}", id.as_str().unwrap()))
            .await
            .1
    }

    /// Waits until it was started so often. A status alone may be what the last process left.
    pub(super) async fn started(&self, id: &Value, times: u32) {
        let file = format!("predictions/{}.json", id.as_str().unwrap());
        let path = self.folder.path().join(file);
        eventually(async || {
            let record: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            if record["starts"].as_u64() >= Some(times.into()) {
                Ok(())
            } else {
                Err(record)
            }
        })
        .await;
    }

    /// The prediction, once its status is this.
    pub(super) async fn reaches(&self, id: &Value, status: &str) -> Value {
        eventually(async || {
            let seen = self.show(id).await;
            if seen["status"] == status {
                Ok(seen)
            } else {
                Err(seen)
            }
        })
        .await
    }
}

struct Parts {
    outside: Outside,
    outside_url: String,
    clock: Arc<Hand>,
    folder: Arc<TempDir>,
    pauses: Vec<Duration>,
}

fn card() -> ModelCard {
    ModelCard {
        task: Task::Nudity,
        owner_name: "local/scales",
        version: VERSION.into(),
        adapter: "scores",
        file_fields: &["image"],
        licence: "MIT",
        summary: "Weighs a file.",
        limits: Vec::new(),
    }
}

pub(super) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// The value, once there is one; fails with the last refusal after twenty seconds.
pub(super) async fn eventually<T>(mut look: impl AsyncFnMut() -> Result<T, Value>) -> T {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    loop {
        ticks.tick().await;
        match look().await {
            Ok(value) => return value,
            Err(seen) => assert!(tokio::time::Instant::now() < deadline, "at last: {seen}"),
        }
    }
}
