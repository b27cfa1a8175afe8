//! Replicate's HTTP API over the models of this process.
//!
//! The surprise: the state is on the disk and every call may be the first after a kill. Finished
//! predictions are still answered, unfinished ones are run again, unacknowledged webhooks sent again.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared_domain::{Clock, Ids};
use shared_replicate::{HttpClient, http_client, signature};
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::predictor::{Cancel, ModelCard, Predictor};

mod about;
mod config;
mod create;
mod fetch;
mod file_store;
mod files;
mod guard;
mod id;
mod models;
mod predictions;
mod problem;
mod queue;
mod record;
mod router;
mod store;
mod sweep;
mod thread;
mod webhook;
mod worker;

pub use config::ServiceConfig;
use file_store::FileStore;
use guard::Guard;
use queue::Queue;
use store::Store;

/// The service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Its folder cannot be used.
    #[error("the folder {0} cannot be used")]
    State(PathBuf, #[source] std::io::Error),
    /// No HTTP client can be built.
    #[error("no HTTP client can be built")]
    Client(#[source] reqwest::Error),
    /// The webhook secret is malformed.
    #[error(transparent)]
    Secret(#[from] signature::SignatureError),
}

/// The API and its workers; clones are the same service.
#[derive(Debug, Clone)]
pub struct Service(Arc<Inner>);

/// What requests, workers and the sender of webhooks share.
#[derive(Debug)]
struct Inner {
    config: ServiceConfig,
    models: Vec<Arc<dyn Predictor>>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    started_at: OffsetDateTime,
    store: Store,
    files: FileStore,
    http: HttpClient,
    inputs: Guard,
    webhooks: Guard,
    /// Predictions to run.
    work: Queue,
    /// Predictions whose final webhook is due.
    deliveries: Queue,
    /// The flags of the predictions that run now.
    running: Mutex<HashMap<String, Cancel>>,
    stopping: CancellationToken,
}

impl Service {
    /// Opens the state; unfinished predictions and unacknowledged webhooks are queued again.
    pub fn new(
        config: ServiceConfig,
        models: Vec<Arc<dyn Predictor>>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, ServiceError> {
        signature::check_secret(&config.webhook_secret)?;
        let failed = |error| ServiceError::State(config.state_dir.clone(), error);
        let store = Store::open(config.state_dir.join("predictions")).map_err(failed)?;
        let files = FileStore::open(config.state_dir.join("files")).map_err(failed)?;
        let inner = Inner {
            started_at: clock.now(),
            http: http_client(Duration::from_mins(5)).map_err(ServiceError::Client)?,
            inputs: Guard::new(config.input_urls.clone()),
            webhooks: Guard::new(config.webhook_urls.clone()),
            work: Queue::default(),
            deliveries: Queue::default(),
            running: Mutex::default(),
            stopping: CancellationToken::new(),
            config,
            models,
            clock,
            ids,
            store,
            files,
        };
        for id in inner.store.select(|entry| !entry.phase.is_terminal()) {
            inner.work.push(id);
        }
        for id in inner.store.select(|entry| entry.webhook_due) {
            inner.deliveries.push(id);
        }
        Ok(Self(Arc::new(inner)))
    }

    /// The API, under `/v1`, and `/healthz`.
    pub fn router(&self) -> axum::Router {
        router::router(self.0.clone())
    }

    /// Runs predictions and sends webhooks until `stop`; unfinished predictions go back to the queue.
    pub async fn run(&self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        for _ in 0..self.0.config.workers.max(1) {
            tasks.spawn(worker::work(self.0.clone()));
        }
        tasks.spawn(webhook::send_due(self.0.clone()));
        tasks.spawn(sweep::sweep(self.0.clone()));
        stop.cancelled().await;
        self.0.stopping.cancel();
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!("a worker of the inference service ended badly: {error}");
            }
        }
    }

    /// Serves the API and runs the workers until `stop`.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let stopped = stop.clone().cancelled_owned();
        let served = axum::serve(listener, self.router()).with_graceful_shutdown(stopped);
        let (served, ()) = tokio::join!(served, self.run(stop));
        served
    }
}

impl Inner {
    fn model(&self, version: &str) -> Option<&Arc<dyn Predictor>> {
        self.models
            .iter()
            .find(|model| model.card().version == version)
    }

    fn cards(&self) -> impl Iterator<Item = &ModelCard> {
        self.models.iter().map(|model| model.card())
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<String, Cancel>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
