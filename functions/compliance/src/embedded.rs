//! Every part in one process. Parts whose production setting is present are left out: storage with
//! `BACKBLAZE_ENDPOINT_URL`, models with `REPLICATE_API_TOKEN`, the database with `DATABASE_URL`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use inference::ModelsConfig;
use inference::http::{Service, ServiceConfig};
use shared_domain::{Settings, SystemClock, SystemIds};
use shared_objects::local::{LocalConfig, LocalServer, Notify};
use shared_runtime::hosts::{Lane, doors, serve_http, timer, work};
use shared_runtime::{AnyHandler, Connected, Handler, Shared, boxed};
use shared_store::Store;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::secrets::Secrets;

/// How often the embedded timer sweeps.
const SWEEP: Duration = Duration::from_secs(10);

/// Where the three servers listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    web: u16,
    storage: u16,
    models: u16,
}

impl Ports {
    /// Any free ports.
    pub(crate) const ANY: Self = Self {
        web: 0,
        storage: 0,
        models: 0,
    };
}

impl From<u16> for Ports {
    fn from(web: u16) -> Self {
        match web {
            0 => Self::ANY,
            web => Self {
                web,
                storage: web.saturating_add(1),
                models: web.saturating_add(2),
            },
        }
    }
}

/// A running system.
pub(crate) struct Embedded {
    pub(crate) shared: Shared,
    pub(crate) stop: CancellationToken,
    web: SocketAddr,
    parts: Mutex<JoinSet<anyhow::Result<()>>>,
}

impl Embedded {
    /// Starts every part; returns when all of them answer.
    pub(crate) async fn start(mut settings: Settings, on: Ports) -> anyhow::Result<Self> {
        let folder = PathBuf::from(settings.find("DATA_DIR").unwrap_or("./data"));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("the data folder {} cannot be made", folder.display()))?;
        settings.set("DATA_DIR", folder.to_string_lossy());
        let secrets = Secrets::open(&folder)?;
        let stop = CancellationToken::new();
        let mut parts = JoinSet::new();
        let listener = listen(on.web).await?;
        let web = listener.local_addr()?;
        settings.set_default("PUBLIC_URL", format!("http://{web}"));
        if settings.find("BACKBLAZE_ENDPOINT_URL").is_none() {
            let server = storage(&mut settings, &secrets, &folder, (web, on.storage)).await?;
            let cancelled = stop.clone().cancelled_owned();
            let serving = async move { server.serve(cancelled).await };
            parts.spawn(quiet(serving));
        }
        if settings.find("REPLICATE_API_TOKEN").is_none() {
            models(&mut settings, &secrets, on.models, (&stop, &mut parts)).await?;
        }
        crate::migrate::migrate(&settings).await?;
        let shared = Shared::connect(settings).await?;
        serve_functions(&shared, listener, &stop, &mut parts).await?;
        Ok(Self {
            shared,
            stop,
            web,
            parts: Mutex::new(parts),
        })
    }

    /// `http://127.0.0.1:8000`.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.web)
    }

    /// Ends with the error of the first part that stops by itself.
    pub(crate) async fn failed(&self) -> anyhow::Error {
        match self.parts.lock().await.join_next().await {
            Some(Ok(Err(error))) => error,
            Some(Err(panic)) => anyhow::Error::new(panic),
            Some(Ok(Ok(()))) | None => anyhow::anyhow!("a part of the system stopped"),
        }
    }

    /// Stops taking work, lets what runs end, gives unfinished leases back.
    pub(crate) async fn shut_down(&self) {
        self.stop.cancel();
        let mut parts = self.parts.lock().await;
        while parts.join_next().await.is_some() {}
    }
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
    folder: &std::path::Path,
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
    (stop, parts): (&CancellationToken, &mut JoinSet<anyhow::Result<()>>),
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
    let stop = stop.clone();
    parts.spawn(async move { Ok(service.serve(listener, stop).await?) });
    Ok(())
}

async fn serve_functions(
    shared: &Shared,
    listener: TcpListener,
    stop: &CancellationToken,
    parts: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    // One process holds the data folder's storage: leases of an earlier process are nobody's.
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
    let router =
        doors(&[upload, on_upload.clone(), webhook.clone()], &shared.queue).merge(console.router());
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
    let stopped = stop.clone();
    parts.spawn(async move { Ok(serve_http(listener, router, stopped).await?) });
    parts.spawn(quiet(work(lanes, shared.queue.clone(), stop.clone())));
    parts.spawn(quiet(timer(
        cleanup,
        SWEEP,
        shared.queue.clone(),
        stop.clone(),
    )));
    info!("all functions are ready");
    Ok(())
}

async fn function<H: Handler>(
    connected: impl Future<Output = Connected<H>>,
) -> anyhow::Result<Arc<dyn AnyHandler>> {
    Ok(boxed(connected.await.map_err(whole)?))
}

async fn release(store: &Store) -> anyhow::Result<()> {
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
