//! The `main` of a function binary.

use std::error::Error;
use std::fmt::Display;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::hosts::{DRAIN, Lane, doors, once, serve_http, work};
use crate::{AnyHandler, LogFormat, Shared, Verdict, boxed, causes, environment, start_logging};

/// A function that has been connected to its services.
pub type Connected<H> = Result<H, Box<dyn Error + Send + Sync>>;

/// Which host speaks: `FN_HOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Host {
    Http,
    Worker,
    Once,
}

impl std::str::FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            // `auto` will also look for the platforms' own variables, once their hosts are here.
            "auto" | "http" => Ok(Self::Http),
            "worker" => Ok(Self::Worker),
            "once" => Ok(Self::Once),
            other => Err(format!(
                "{other:?} is no host; hosts are auto, http, worker, once"
            )),
        }
    }
}

/// Reads the environment, builds the one runtime, connects once and serves until it is told to stop.
pub fn run<H, F>(connect: impl FnOnce(Shared) -> F) -> ExitCode
where
    H: crate::Handler,
    F: Future<Output = Connected<H>>,
{
    start(
        async |shared, host, port| match connect(shared.clone()).await {
            Ok(handler) => serve(host, boxed(handler), &shared, &port).await,
            Err(error) => refuse(&causes(error.as_ref())),
        },
    )
}

/// As `run`, for functions that are many doors instead of one handler.
pub fn run_router<F>(connect: impl FnOnce(Shared) -> F) -> ExitCode
where
    F: Future<Output = Connected<Router>>,
{
    start(async |shared, _, port| {
        let stop = shared.stop.clone();
        match connect(shared).await {
            Ok(router) => listen(router, &port, stop).await,
            Err(error) => refuse(&causes(error.as_ref())),
        }
    })
}

fn start(serve: impl AsyncFnOnce(Shared, Host, String) -> ExitCode) -> ExitCode {
    let settings = match environment() {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    start_logging(
        settings.find("LOG_LEVEL").unwrap_or("info"),
        LogFormat::Json,
    );
    let reader = settings.reader();
    let host = reader.parse_or("FN_HOST", Host::Http);
    let port = reader.text_or("PORT", "8080");
    if let Err(error) = reader.finish() {
        return refuse(&error);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    runtime.block_on(async {
        match Shared::connect(settings).await {
            Ok(shared) => serve(shared, host, port).await,
            Err(error) => refuse(&causes(&error)),
        }
    })
}

async fn serve(host: Host, handler: Arc<dyn AnyHandler>, shared: &Shared, port: &str) -> ExitCode {
    let stop = shared.stop.clone();
    match host {
        Host::Once => single(handler.as_ref(), shared).await,
        Host::Worker => {
            let lanes = vec![Lane {
                handler,
                concurrency: 2,
            }];
            tokio::join!(
                work(lanes, shared.queue.clone(), stop.clone()),
                stop_on_signal(stop)
            );
            ExitCode::SUCCESS
        }
        Host::Http => listen(doors(&[handler], &shared.queue), port, stop).await,
    }
}

async fn listen(router: Router, port: &str, stop: CancellationToken) -> ExitCode {
    let listener = match TcpListener::bind(format!("0.0.0.0:{port}")).await {
        Ok(listener) => listener,
        Err(error) => return refuse(&format!("port {port} cannot be opened: {error}")),
    };
    info!(port, "listening");
    let (served, ()) = tokio::join!(
        serve_http(listener, router, DRAIN, stop.clone()),
        stop_on_signal(stop)
    );
    served.map_or_else(|error| refuse(&error), |()| ExitCode::SUCCESS)
}

async fn single(handler: &dyn AnyHandler, shared: &Shared) -> ExitCode {
    let mut input = String::new();
    if let Err(error) = std::io::stdin()
        .take(1024 * 1024)
        .read_to_string(&mut input)
    {
        return refuse(&error);
    }
    match once(handler, &input, &shared.queue).await {
        Ok(outcome) if outcome.verdict == Verdict::Done => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => refuse(&error),
    }
}

/// Cancels `stop` at SIGTERM or Ctrl-C.
async fn stop_on_signal(stop: CancellationToken) {
    crate::hosts::stop_signal(&stop).await;
    info!("stopping");
    stop.cancel();
}

fn refuse(error: &dyn Display) -> ExitCode {
    error!("{error}");
    ExitCode::from(2)
}
