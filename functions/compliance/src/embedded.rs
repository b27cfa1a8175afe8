//! Every part in one process. Parts whose production setting is present are left out: storage with
//! `BACKBLAZE_ENDPOINT_URL`, models with `REPLICATE_API_TOKEN`, the database with `DATABASE_URL`.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use inference::ModelsConfig;
use inference::http::{Service, ServiceConfig};
use shared_domain::{Settings, SystemClock, SystemIds};
use shared_objects::local::{LocalConfig, LocalServer, Notify};
use shared_runtime::hosts::{Lane, doors, metrics, serve_http, timer, work};
use shared_runtime::{AnyHandler, Connected, Handler, Shared, boxed};
use shared_store::Store;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::ports::Ports;
use crate::secrets::Secrets;

/// How often the embedded timer sweeps.
const SWEEP: Duration = Duration::from_secs(10);
/// However a part hangs, the process ends after so long.
const SHUT_DOWN: Duration = Duration::from_secs(25);
/// How long open requests may go on when the workers have ended.
const DRAIN: Duration = Duration::from_secs(5);

/// A running system.
pub(crate) struct Embedded {
    pub(crate) shared: Shared,
    /// No new work from here on.
    pub(crate) stop: CancellationToken,
    web: SocketAddr,
    parts: Mutex<Parts>,
    /// Two processes on one data folder would take each other's leases.
    _lock: File,
}

/// What runs. Workers stop first: they end their work with what the servers serve.
#[derive(Default)]
struct Parts {
    workers: JoinSet<anyhow::Result<()>>,
    servers: JoinSet<anyhow::Result<()>>,
    /// Stops the servers.
    stop: CancellationToken,
}

impl Embedded {
    /// Starts every part; returns when all of them answer.
    pub(crate) async fn start(mut settings: Settings, on: Ports) -> anyhow::Result<Self> {
        let folder = PathBuf::from(settings.find("DATA_DIR").unwrap_or("./data"));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
        settings.set("DATA_DIR", folder.to_string_lossy());
        let lock = hold(&folder)?;
        let secrets = Secrets::open(&folder)?;
        let on = on.settled(&folder)?;
        let mut parts = Parts::default();
        let listener = listen(on.web).await?;
        let web = listener.local_addr()?;
        settings.set_default("PUBLIC_URL", format!("http://{web}"));
        if settings.find("BACKBLAZE_ENDPOINT_URL").is_none() {
            let server = storage(&mut settings, &secrets, &folder, (web, on.storage)).await?;
            let cancelled = parts.stop.clone().cancelled_owned();
            let serving = async move { server.serve(cancelled).await };
            parts.servers.spawn(quiet(serving));
        }
        if settings.find("REPLICATE_API_TOKEN").is_none() {
            models(&mut settings, &secrets, on.models, &mut parts).await?;
        }
        crate::migrate::migrate(&settings).await?;
        let shared = Shared::connect(settings).await?;
        serve_functions(&shared, listener, &mut parts).await?;
        Ok(Self {
            stop: shared.stop.clone(),
            shared,
            web,
            parts: Mutex::new(parts),
            _lock: lock,
        })
    }

    /// `http://127.0.0.1:8000`.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.web)
    }

    /// Ends with the error of the first part that stops by itself.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        let mut parts = self.parts.lock().await;
        let Parts {
            workers, servers, ..
        } = &mut *parts;
        let ended = tokio::select! {
            Some(ended) = workers.join_next() => ended,
            Some(ended) = servers.join_next() => ended,
            else => return anyhow::anyhow!("nothing runs"),
        };
        match ended {
            Ok(Err(error)) => error,
            Err(panic) => anyhow::Error::new(panic),
            Ok(Ok(())) => anyhow::anyhow!("a part of the system stopped"),
        }
    }

    /// Stops taking work, lets what runs end, gives unfinished leases back; then stops the servers.
    pub(crate) async fn shut_down(&self) {
        self.stop.cancel();
        let mut parts = self.parts.lock().await;
        let orderly = async {
            while parts.workers.join_next().await.is_some() {}
            parts.stop.cancel();
            while parts.servers.join_next().await.is_some() {}
        };
        if tokio::time::timeout(SHUT_DOWN, orderly).await.is_err() {
            warn!("parts of the system did not stop in time; they are broken off");
            parts.workers.shutdown().await;
            parts.servers.shutdown().await;
        }
    }
}

/// The embedded storage without everything else, for a command that rewrites reports.
pub(crate) struct Storage {
    _server: JoinSet<anyhow::Result<()>>,
    _lock: File,
}

impl Storage {
    /// Starts it and points the settings at it; `None` where storage is elsewhere.
    pub(crate) async fn start(settings: &mut Settings) -> anyhow::Result<Option<Self>> {
        if settings.find("BACKBLAZE_ENDPOINT_URL").is_some() {
            return Ok(None);
        }
        let folder = PathBuf::from(settings.find("DATA_DIR").unwrap_or("./data"));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
        let lock = hold(&folder)?;
        let secrets = Secrets::open(&folder)?;
        // No upload comes in, so that nobody listens where uploads are told.
        let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
        let server = storage(settings, &secrets, &folder, (nobody, 0)).await?;
        let mut running = JoinSet::new();
        running.spawn(quiet(server.serve(std::future::pending())));
        Ok(Some(Self {
            _server: running,
            _lock: lock,
        }))
    }
}

/// Takes the data folder for this process.
fn hold(folder: &Path) -> anyhow::Result<File> {
    let lock = File::create(folder.join(".lock"))?;
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => anyhow::anyhow!(
            "the data folder {} is in use by another process",
            folder.display()
        ),
        TryLockError::Error(error) => error.into(),
    })?;
    Ok(lock)
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| {
            format!("port {port} is taken: stop the other program or choose another --port")
        })
}

async fn storage(
    settings: &mut Settings,
    secrets: &Secrets,
    folder: &Path,
    (web, port): (SocketAddr, u16),
) -> anyhow::Result<LocalServer> {
    let bucket = settings
        .find("BACKBLAZE_BUCKET_NAME")
        .unwrap_or("compliance")
        .to_owned();
    let local = web.to_string().replace("127.0.0.1", "localhost");
    let server = LocalServer::bind(LocalConfig {
        root: folder.join("objects"),
        addr: SocketAddr::from(([127, 0, 0, 1], port)),
        access_key: secrets.storage_key_id.clone(),
        secret_key: secrets.storage_key.clone().into(),
        bucket: bucket.clone(),
        allowed_origins: vec![format!("http://{web}"), format!("http://{local}")],
        notify: Some(Notify {
            url: format!("http://{web}/functions/on-upload").parse()?,
            secret: secrets.notification.clone().into(),
            prefix: "videos/raw/".into(),
        }),
    })
    .await
    .context("the embedded storage cannot start")?;
    settings.set(
        "BACKBLAZE_ENDPOINT_URL",
        format!("http://{}", server.addr()),
    );
    settings.set("BACKBLAZE_APPLICATION_KEY_ID", &secrets.storage_key_id);
    settings.set("BACKBLAZE_APPLICATION_KEY", &secrets.storage_key);
    settings.set("BACKBLAZE_BUCKET_NAME", bucket);
    settings.set("B2_NOTIFICATION_SECRET", &secrets.notification);
    Ok(server)
}

async fn models(
    settings: &mut Settings,
    secrets: &Secrets,
    port: u16,
    parts: &mut Parts,
) -> anyhow::Result<()> {
    let weights = crate::models::open(settings)?;
    let local = ModelsConfig::read(&settings.reader());
    let loading = move || inference::load_models(&weights, local);
    let loaded = tokio::task::spawn_blocking(loading).await??;
    let listener = listen(port).await?;
    settings.set(
        "REPLICATE_API_BASE_URL",
        format!("http://{}/v1", listener.local_addr()?),
    );
    settings.set("REPLICATE_API_TOKEN", &secrets.provider_token);
    settings.set("REPLICATE_WEBHOOK_SECRET", &secrets.webhook);
    let reader = settings.reader();
    let config = ServiceConfig::read(&reader);
    reader.finish()?;
    let service = Service::new(config, loaded, Arc::new(SystemClock), Arc::new(SystemIds))?;
    let stop = parts.stop.clone();
    parts
        .servers
        .spawn(async move { Ok(service.serve(listener, stop).await?) });
    Ok(())
}

async fn serve_functions(
    shared: &Shared,
    listener: TcpListener,
    parts: &mut Parts,
) -> anyhow::Result<()> {
    release(&shared.store).await?;
    let on_upload = function(on_upload::OnUpload::connect(shared.clone())).await?;
    let extract = function(frame_extract::FrameExtract::connect(shared.clone())).await?;
    let webhook = function(replicate_webhook::ReplicateWebhook::connect(shared.clone())).await?;
    let finalize = function(report_finalize::ReportFinalize::connect(shared.clone())).await?;
    let mail = function(send_email::SendEmail::connect(shared.clone())).await?;
    let cleanup = function(cleanup::Cleanup::connect(shared.clone())).await?;
    let upload = function(upload_signed_url::UploadSignedUrl::connect(shared.clone())).await?;
    let console = console::Console::connect(shared.clone())
        .await
        .map_err(whole)?;
    let router = doors(&[upload, on_upload.clone(), webhook.clone()], &shared.queue)
        .merge(console.router())
        .merge(metrics(shared));
    let lanes = [
        (on_upload, 1),
        (extract, 2),
        (webhook, 2),
        (finalize, 1),
        (mail, 1),
    ];
    let lanes = lanes
        .into_iter()
        .map(|(handler, concurrency)| Lane {
            handler,
            concurrency,
        })
        .collect();
    let (queue, stop) = (&shared.queue, &shared.stop);
    let stopped = parts.stop.clone();
    parts
        .servers
        .spawn(async move { Ok(serve_http(listener, router, DRAIN, stopped).await?) });
    let working = work(lanes, queue.clone(), stop.clone());
    let sweeping = timer(cleanup, SWEEP, queue.clone(), stop.clone());
    parts.workers.spawn(quiet(working));
    parts.workers.spawn(quiet(sweeping));
    info!("all functions are ready");
    Ok(())
}

async fn function<H: Handler>(
    connected: impl Future<Output = Connected<H>>,
) -> anyhow::Result<Arc<dyn AnyHandler>> {
    Ok(boxed(connected.await.map_err(whole)?))
}

/// One process holds the data folder, and SQLite is in it: leases of an earlier process are nobody's.
/// PostgreSQL serves many processes, whose leases run out by themselves.
async fn release(store: &Store) -> anyhow::Result<()> {
    if !store.is_embedded() {
        return Ok(());
    }
    let released = store.give_back_all().await?;
    if released > 0 {
        info!(
            released,
            "work that the last process left is taken up again"
        );
    }
    Ok(())
}

async fn quiet(part: impl Future<Output = ()>) -> anyhow::Result<()> {
    part.await;
    Ok(())
}

fn whole(error: Box<dyn std::error::Error + Send + Sync>) -> anyhow::Error {
    anyhow::Error::from_boxed(error)
}
