//! Functions by name, for a deployment: database, storage and models are services elsewhere.

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use axum::Router;
use shared_domain::Settings;
use shared_runtime::hosts::{DRAIN, Lane, doors, metrics, once, serve_http, stop_signal, work};
use shared_runtime::{AnyHandler, Connected, Handler, Shared, Verdict, boxed};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::{Door, Function, Serve, Worker};

/// `compliance serve --only NAME,…`: the doors of these functions and no worker.
pub(crate) async fn serve(settings: Settings, args: &Serve) -> anyhow::Result<ExitCode> {
    let reader = settings.reader();
    let host = reader.parse_or("HOST", IpAddr::from(Ipv4Addr::LOCALHOST));
    reader.finish()?;
    let shared = Shared::connect(settings).await?;
    let (mut handlers, mut router) = (Vec::new(), Router::new());
    for door in &args.only {
        match door {
            Door::Console => {
                let console = console::Console::connect(shared.clone()).await;
                router = router.merge(console.map_err(anyhow::Error::from_boxed)?.router());
            }
            Door::UploadSignedUrl => handlers.push(
                connected(upload_signed_url::UploadSignedUrl::connect(shared.clone())).await?,
            ),
            Door::OnUpload => handlers.push(connect(Function::OnUpload, &shared).await?),
            Door::ReplicateWebhook => {
                handlers.push(connect(Function::ReplicateWebhook, &shared).await?);
            }
        }
    }
    let router = router.merge(doors(&handlers, &shared.queue));
    let router = router.merge(metrics(&shared));
    let address = (args.host.unwrap_or(host), args.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{}:{} cannot be listened at", address.0, address.1))?;
    let stop = shared.stop.clone();
    let (served, ()) = tokio::join!(
        serve_http(listener, router, DRAIN, stop.clone()),
        stopped(&stop)
    );
    served?;
    Ok(ExitCode::SUCCESS)
}

/// `compliance worker [NAME…]`: these functions, fed by the queue.
pub(crate) async fn worker(settings: Settings, args: &Worker) -> anyhow::Result<ExitCode> {
    let shared = Shared::connect(settings).await?;
    let mut lanes = Vec::new();
    for name in &args.names {
        lanes.push(Lane {
            handler: connect(*name, &shared).await?,
            concurrency: args.concurrency.get(),
        });
    }
    let stop = shared.stop.clone();
    tokio::join!(
        work(lanes, shared.queue.clone(), stop.clone()),
        stopped(&stop)
    );
    Ok(ExitCode::SUCCESS)
}

/// `compliance cleanup`: one sweep.
pub(crate) async fn cleanup(settings: Settings) -> anyhow::Result<ExitCode> {
    let shared = Shared::connect(settings).await?;
    let handler = connected(cleanup::Cleanup::connect(shared.clone())).await?;
    match once(handler.as_ref(), "", &shared.queue).await?.verdict {
        Verdict::Done => Ok(ExitCode::SUCCESS),
        verdict => bail!("the sweep did not come to its end: {verdict:?}"),
    }
}

async fn stopped(stop: &CancellationToken) {
    stop_signal(stop).await;
    stop.cancel();
}

async fn connect(name: Function, shared: &Shared) -> anyhow::Result<Arc<dyn AnyHandler>> {
    let shared = shared.clone();
    match name {
        Function::OnUpload => connected(on_upload::OnUpload::connect(shared)).await,
        Function::FrameExtract => connected(frame_extract::FrameExtract::connect(shared)).await,
        Function::ReplicateWebhook => {
            connected(replicate_webhook::ReplicateWebhook::connect(shared)).await
        }
        Function::ReportFinalize => {
            connected(report_finalize::ReportFinalize::connect(shared)).await
        }
        Function::SendEmail => connected(send_email::SendEmail::connect(shared)).await,
    }
}

async fn connected<H: Handler>(
    connecting: impl Future<Output = Connected<H>>,
) -> anyhow::Result<Arc<dyn AnyHandler>> {
    let handler = connecting.await.map_err(anyhow::Error::from_boxed)?;
    Ok(boxed(handler))
}
