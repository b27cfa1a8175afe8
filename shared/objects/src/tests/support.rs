//! A server in a temporary folder, and a door that takes notifications.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::local::{LocalConfig, LocalServer, Notify};
use crate::{Objects, ObjectsConfig};

pub(super) const ORIGIN: &str = "http://127.0.0.1:8000";
pub(super) const SECRET: &str = "kA7wQ2mZ9xR4tB6nV1cH8jL3pS5dF0gY";
pub(super) const BUCKET: &str = "videos-local";
const DEADLINE: Duration = Duration::from_secs(20);

pub(super) struct Place {
    pub(super) dir: TempDir,
    pub(super) objects: Objects,
    pub(super) url: String,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Place {
    pub(super) async fn open() -> Result<Self> {
        Self::over(TempDir::new()?, None).await
    }

    pub(super) async fn telling(door: &Door) -> Result<Self> {
        Self::over(TempDir::new()?, Some(door.notify())).await
    }

    pub(super) async fn over(dir: TempDir, notify: Option<Notify>) -> Result<Self> {
        let server = LocalServer::bind(LocalConfig {
            root: dir.path().to_owned(),
            addr: "127.0.0.1:0".parse()?,
            access_key: "local".to_owned(),
            secret_key: "local-secret".into(),
            bucket: BUCKET.to_owned(),
            allowed_origins: vec![ORIGIN.to_owned()],
            notify,
        })
        .await?;
        let url = format!("http://{}", server.addr());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(server.serve(stop.clone().cancelled_owned()));
        let objects = Objects::connect(&config(&url, "local-secret"));
        Ok(Self {
            dir,
            objects,
            url,
            stop,
            tasks,
        })
    }

    /// Stops the server as a shutdown does and hands back the folder.
    pub(super) async fn close(mut self) -> Result<TempDir> {
        self.stop.cancel();
        let ended = timeout(DEADLINE, self.tasks.join_next()).await;
        ended.context("the server does not stop")?;
        Ok(self.dir)
    }
}

pub(super) fn config(url: &str, secret: &str) -> ObjectsConfig {
    ObjectsConfig {
        endpoint_url: url.to_owned(),
        key_id: "local".to_owned(),
        key: SecretString::from(secret),
        bucket: BUCKET.to_owned(),
        max_retries: 2,
        backoff: Duration::from_millis(10),
        backoff_max: Duration::from_millis(50),
    }
}

pub(super) fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// Waits for something that other tasks bring about.
pub(super) async fn eventually<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(Instant::now() < end, "{what} did not happen in time");
        sleep(Duration::from_millis(10)).await;
    }
}

/// One delivery: the signature and the raw body.
pub(super) type Delivery = (String, Bytes);

/// A door that answers with the given statuses in turn, and 200 after the last.
pub(super) struct Door {
    url: String,
    taken: Arc<Mutex<Vec<Delivery>>>,
    _tasks: JoinSet<()>,
}

type Script = (Arc<Mutex<Vec<u16>>>, Arc<Mutex<Vec<Delivery>>>);

impl Door {
    pub(super) async fn answering(statuses: &[u16]) -> Result<Self> {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let mut script: Vec<u16> = statuses.to_vec();
        script.reverse();
        let state: Script = (Arc::new(Mutex::new(script)), taken.clone());
        let app = Router::new()
            .route("/on-upload", post(take))
            .with_state(state);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/on-upload", listener.local_addr()?);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            axum::serve(listener, app)
                .await
                .expect("the door stays open");
        });
        Ok(Self {
            url,
            taken,
            _tasks: tasks,
        })
    }

    pub(super) fn notify(&self) -> Notify {
        Notify {
            url: self.url.parse().expect("a URL"),
            secret: SECRET.into(),
            prefix: crate::keys::RAW_PREFIX.to_owned(),
        }
    }

    /// Waits until so many deliveries have come.
    pub(super) async fn taken(&self, count: usize) -> Result<Vec<Delivery>> {
        eventually("the delivery", || async {
            let taken = self.taken.lock().expect("no panic");
            Ok((taken.len() >= count).then(|| taken.clone()))
        })
        .await
    }

    pub(super) fn so_far(&self) -> usize {
        self.taken.lock().expect("no panic").len()
    }
}

async fn take(
    State((script, taken)): State<Script>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let signature = headers.get(crate::notification::SIGNATURE_HEADER);
    let signature = signature
        .and_then(|s| s.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    taken.lock().expect("no panic").push((signature, body));
    let status = script.lock().expect("no panic").pop().unwrap_or(200);
    StatusCode::from_u16(status).expect("a status")
}
