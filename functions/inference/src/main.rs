//! The local Replicate as a process of its own.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use inference::ModelsConfig;
use inference::http::{Service, ServiceConfig};
use inference::weights::{Folder, FolderConfig};
use shared_domain::{Settings, SystemClock, SystemIds};
use shared_runtime::{LogFormat, Telemetry, causes, environment, hosts};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{}", causes(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

fn start() -> Result<(), Box<dyn Error>> {
    let settings = environment()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let level = settings.find("LOG_LEVEL").unwrap_or("info");
    // Goes before the runtime does: what waits is sent through it.
    let _telemetry = Telemetry::start(&settings, level, LogFormat::Json, runtime.handle());
    runtime.block_on(serve(&settings))
}

async fn serve(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let reader = settings.reader();
    let config = ServiceConfig::read(&reader);
    let weights = FolderConfig::read(&reader);
    let local = ModelsConfig::read(&reader);
    let address: SocketAddr =
        reader.parse_or("INFERENCE_ADDR", SocketAddr::from(([127, 0, 0, 1], 8002)));
    reader.finish()?;

    let models = inference::load_models(&Folder::connect(weights)?, local)?;
    let service = Service::new(config, models, Arc::new(SystemClock), Arc::new(SystemIds))?;
    let listener = TcpListener::bind(address).await?;
    info!(%address, "inference listens");
    let stop = CancellationToken::new();
    let signal = async {
        hosts::stop_signal(&stop).await;
        stop.cancel();
    };
    let (served, ()) = tokio::join!(service.serve(listener, stop.clone()), signal);
    Ok(served?)
}
