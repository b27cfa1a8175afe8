//! Everything that a function reaches for, real or with the real protocol, private to one test.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use http::HeaderMap;
use shared_domain::{Clock, Message, OutboxId, Settings, SystemClock};
use shared_objects::local::{LocalConfig, LocalServer};
use shared_objects::{Objects, ObjectsConfig};
use shared_queue::{LEASE, Queue};
use shared_replicate::{Replicate, ReplicateConfig};
use shared_runtime::{AnyHandler, Event, Handler, Outcome, Shared, Source, dispatch};
use shared_runtime::{boxed, hosts};
use shared_store::{Claimed, Store};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fakes::FakeReplicate;
use crate::{ManualClock, TestDatabase, database};

/// `B2_NOTIFICATION_SECRET` of every world.
pub const NOTIFICATION_SECRET: &str = "kA7wQ2mZ9xR4tB6nV1cH8jL3pS5dF0gY";
/// `CORS_ALLOWED_ORIGINS` of every world.
pub const FRONTEND: &str = "https://app.example";
/// Settings that a process of its own needs to live in this world.
const NAMES: [&str; 15] = [
    "DATABASE_URL",
    "DATA_DIR",
    "TEMP_DIR",
    "PUBLIC_URL",
    "CORS_ALLOWED_ORIGINS",
    "BACKBLAZE_ENDPOINT_URL",
    "BACKBLAZE_APPLICATION_KEY_ID",
    "BACKBLAZE_APPLICATION_KEY",
    "BACKBLAZE_BUCKET_NAME",
    "B2_MAX_RETRIES",
    "B2_RETRY_BACKOFF",
    "B2_NOTIFICATION_SECRET",
    "REPLICATE_API_BASE_URL",
    "REPLICATE_API_TOKEN",
    "REPLICATE_TIMEOUT",
];
const BUCKET: &str = "videos-world";
const KEY: (&str, &str) = ("world", "world-secret");

/// A private database, the embedded object storage, a Replicate on the wire, a folder for mail and a
/// clock that stands still. Dropping it stops and deletes all of it.
#[derive(Debug)]
pub struct World {
    /// The record, under this world's clock.
    pub store: Store,
    /// Moves only when told.
    pub clock: ManualClock,
    /// The provider of models.
    pub replicate: FakeReplicate,
    /// The stop of everything that is connected.
    pub stop: CancellationToken,
    queue: Queue,
    objects: Objects,
    settings: Settings,
    _servers: JoinSet<()>,
    folder: TempDir,
    pub(crate) database: TestDatabase,
}

impl World {
    /// A world in which nothing has happened yet.
    #[expect(clippy::panic, reason = "a test without its world must fail loudly")]
    pub async fn new() -> Self {
        match Self::open().await {
            Ok(world) => world,
            Err(error) => panic!("no world: {error:?}"),
        }
    }

    async fn open() -> Result<Self> {
        let (database, clock) = (database().await, ManualClock::default());
        let store = database.store().await.with_clock(Arc::new(clock.clone()));
        let folder = tempfile::tempdir()?;
        let mut servers = JoinSet::new();
        let replicate = FakeReplicate::start(clock.clone(), &mut servers).await?;
        let storage = storage(&folder, &mut servers).await?;
        let settings = settings(&[
            ("DATABASE_URL", &database.url),
            ("DATA_DIR", text(&folder, "data")?.as_str()),
            ("TEMP_DIR", text(&folder, "temp")?.as_str()),
            ("PUBLIC_URL", "https://compliance.example"),
            ("CORS_ALLOWED_ORIGINS", FRONTEND),
            ("BACKBLAZE_ENDPOINT_URL", &storage),
            ("BACKBLAZE_APPLICATION_KEY_ID", KEY.0),
            ("BACKBLAZE_APPLICATION_KEY", KEY.1),
            ("BACKBLAZE_BUCKET_NAME", BUCKET),
            ("B2_MAX_RETRIES", "1"),
            ("B2_RETRY_BACKOFF", "0.01"),
            ("B2_NOTIFICATION_SECRET", NOTIFICATION_SECRET),
            ("REPLICATE_API_BASE_URL", replicate.base_url()),
            ("REPLICATE_API_TOKEN", crate::fakes::TOKEN),
            ("REPLICATE_HTTP_TIMEOUT", "10"),
        ]);
        let reader = settings.reader();
        let objects = Objects::connect(&ObjectsConfig::read(&reader));
        reader.finish()?;
        Ok(Self {
            queue: Queue::new(store.clone()),
            stop: CancellationToken::new(),
            store,
            clock,
            replicate,
            objects,
            settings,
            _servers: servers,
            folder,
            database,
        })
    }

    /// Settings that lead to every part of this world.
    pub fn settings(&self) -> Settings {
        self.settings.clone()
    }

    /// The same as the environment of a process of its own.
    pub fn environment(&self) -> Vec<(String, String)> {
        let value = |name: &&str| Some(((*name).to_owned(), self.settings.find(name)?.to_owned()));
        NAMES.iter().filter_map(value).collect()
    }

    /// Moves the clock to the machine's: processes of their own have no other.
    pub fn catch_up(&self) {
        let behind = SystemClock.now() - self.clock.now();
        self.clock.advance(behind.try_into().unwrap_or_default());
    }

    /// What functions are connected with.
    pub fn shared(&self) -> Shared {
        self.shared_with(&[])
    }

    /// As `shared`, with other settings on top.
    pub fn shared_with(&self, settings: &[(&str, &str)]) -> Shared {
        let mut all = self.settings();
        for (name, value) in settings {
            all.set(name, *value);
        }
        let (store, queue) = (self.store.clone(), self.queue.clone());
        Shared {
            settings: all,
            store,
            queue,
            stop: self.stop.clone(),
        }
    }

    /// Object storage.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// A client of the provider that has seen no throttle yet.
    pub fn provider(&self) -> Result<Replicate> {
        let reader = self.settings.reader();
        let config = ReplicateConfig::read(&reader);
        reader.finish()?;
        Ok(Replicate::connect(config)?)
    }

    /// The queue over this world's outbox.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Every mail file, in the order of their names.
    pub fn mails(&self) -> Result<Vec<Vec<u8>>> {
        let folder = self.folder.path().join("data/mail");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            anyhow::ensure!(
                path.extension().is_some_and(|e| e == "eml"),
                "{} is no mail",
                path.display()
            );
            paths.push(path);
        }
        paths.sort();
        Ok(paths.iter().map(std::fs::read).collect::<Result<_, _>>()?)
    }

    /// The HTTP door of a function.
    pub fn door<H: Handler>(&self, handler: H) -> Router {
        hosts::doors(&[boxed(handler)], &self.queue)
    }

    /// A message as a queue without leases would bring it: a fresh event each time.
    pub fn event<M: Message>(&self, message: &M) -> Result<Event> {
        Ok(Event {
            id: self.store.fresh::<OutboxId>().to_string(),
            attempt: 1,
            lease: None,
            trace: None,
            source: Source::Message {
                kind: M::KIND.to_owned(),
            },
            headers: HeaderMap::new(),
            body: serde_json::to_vec(message)?.into(),
        })
    }

    /// One delivery of an event; to repeat a delivery, bring the same event again.
    pub async fn bring(&self, handler: &dyn AnyHandler, event: &Event) -> Outcome {
        dispatch(handler, event, &self.queue).await
    }

    /// A tick of the clock.
    pub async fn tick(&self, handler: &dyn AnyHandler) -> Result<Outcome> {
        Ok(hosts::once(handler, "", &self.queue).await?)
    }

    /// Brings every message that is due to its function, as the workers do, until nothing is due.
    /// A retry waits for the clock. Answers how each delivery ended.
    pub async fn drain(&self, handlers: &[Arc<dyn AnyHandler>]) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        loop {
            let before = outcomes.len();
            for handler in handlers {
                while let Some(claimed) = self.claim(handler.name()).await? {
                    outcomes.push(self.attempt(handler.as_ref(), &claimed).await?);
                }
            }
            if outcomes.len() == before {
                return Ok(outcomes);
            }
        }
    }

    async fn claim(&self, stream: &str) -> Result<Option<Claimed>> {
        Ok(self
            .store
            .claim(stream, "world", LEASE, self.queue.deaths())
            .await?)
    }

    async fn attempt(&self, handler: &dyn AnyHandler, claimed: &Claimed) -> Result<Outcome> {
        let outcome = self.bring(handler, &hosts::event_of(claimed)).await;
        hosts::settle(handler.name(), claimed, &outcome, &self.queue).await?;
        Ok(outcome)
    }
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

fn text(folder: &TempDir, name: &str) -> Result<String> {
    let path = folder.path().join(name);
    std::fs::create_dir_all(&path)?;
    Ok(path
        .to_str()
        .context("a folder that is no text")?
        .to_owned())
}

/// The embedded server, as `serve` runs it, but telling nobody of new objects.
async fn storage(folder: &TempDir, servers: &mut JoinSet<()>) -> Result<String> {
    let server = LocalServer::bind(LocalConfig {
        root: folder.path().join("objects"),
        addr: ([127, 0, 0, 1], 0).into(),
        access_key: KEY.0.to_owned(),
        secret_key: KEY.1.into(),
        bucket: BUCKET.to_owned(),
        allowed_origins: vec![FRONTEND.to_owned()],
        notify: None,
    })
    .await?;
    let url = format!("http://{}", server.addr());
    servers.spawn(server.serve(std::future::pending()));
    Ok(url)
}
