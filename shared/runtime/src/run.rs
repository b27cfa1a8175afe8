//! The `main` of a function binary.

use std::error::Error;
use std::fmt::Display;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use shared_domain::{Settings, SettingsError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::hosts::{self, DRAIN, Desk, Lane, Manners, doors, metrics, once, serve_http, work};
use crate::place::{Host, Wish, check_lambda, has_result_pipe};
use crate::{AnyHandler, LogFormat, Shared, Telemetry, Verdict, boxed, causes, environment};

/// A function that has been connected to its services.
pub type Connected<H> = Result<H, Box<dyn Error + Send + Sync>>;

/// Where and how to serve.
#[derive(Debug)]
struct Place {
    host: Host,
    port: String,
    manners: Manners,
}

impl Place {
    fn read(settings: &Settings) -> Result<Self, SettingsError> {
        let reader = settings.reader();
        let wish = reader.parse_or("FN_HOST", Wish::Auto);
        let marker = reader.parse_or("FN_END_MARKER", hosts::EndMarker::Auto);
        let port = reader.text_or("PORT", "8080");
        let host = wish.host(settings, has_result_pipe);
        if host == Host::Lambda {
            check_lambda(&reader);
        }
        reader.finish()?;
        Ok(Self {
            host,
            port,
            manners: Manners::read(settings, marker),
        })
    }
}

/// Reads the environment, builds the one runtime, connects once and serves until it is told to stop.
pub fn run<H, F>(connect: impl FnOnce(Shared) -> F) -> ExitCode
where
    H: crate::Handler,
    F: Future<Output = Connected<H>>,
{
    start(async |shared, place| match connect(shared.clone()).await {
        Ok(handler) => serve(&place, boxed(handler), &shared).await,
        Err(error) => refuse(&causes(error.as_ref())),
    })
}

/// As `run`, for functions that are many doors instead of one handler: they have nothing to do for
/// a queue or for a single event, and listen where no platform calls them.
pub fn run_router<F>(connect: impl FnOnce(Shared) -> F) -> ExitCode
where
    F: Future<Output = Connected<Router>>,
{
    start(async |shared, place| match connect(shared.clone()).await {
        Ok(router) => match place.host {
            Host::Lambda => on_lambda(Desk::of_router(router, &shared)).await,
            Host::ActionLoop => {
                in_action_loop(Desk::of_router(router, &shared), place.manners).await
            }
            Host::Http | Host::Worker | Host::Once => listen(router, &place.port, &shared).await,
        },
        Err(error) => refuse(&causes(error.as_ref())),
    })
}

fn start(serve: impl AsyncFnOnce(Shared, Place) -> ExitCode) -> ExitCode {
    let settings = match environment() {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error),
    };
    let level = settings.find("LOG_LEVEL").unwrap_or("info");
    // Goes before the runtime does: what waits is sent through it.
    let _telemetry = Telemetry::start(&settings, level, LogFormat::Json, runtime.handle());
    let place = match Place::read(&settings) {
        Ok(place) => place,
        Err(error) => return refuse(&error),
    };
    runtime.block_on(async {
        match Shared::connect(settings).await {
            Ok(shared) => serve(shared, place).await,
            Err(error) => refuse(&causes(&error)),
        }
    })
}

async fn serve(place: &Place, handler: Arc<dyn AnyHandler>, shared: &Shared) -> ExitCode {
    let stop = shared.stop.clone();
    match place.host {
        Host::Lambda => Box::pin(on_lambda(Desk::of_handler(handler, shared))).await,
        Host::ActionLoop => {
            Box::pin(in_action_loop(
                Desk::of_handler(handler, shared),
                place.manners,
            ))
            .await
        }
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
        Host::Http => listen(doors(&[handler], &shared.queue), &place.port, shared).await,
    }
}

/// Without an extension Lambda kills the process unasked; with one, half a second is left.
async fn on_lambda(desk: Desk) -> ExitCode {
    let stopped = async {
        stop_on_signal(desk.stop().clone()).await;
        desk.drained(hosts::LAMBDA_DRAIN).await;
    };
    tokio::select! {
        ended = hosts::lambda(desk.clone()) => {
            ended.map_or_else(|error| refuse(&error), |()| ExitCode::SUCCESS)
        }
        () = stopped => ExitCode::SUCCESS,
    }
}

async fn in_action_loop(desk: Desk, manners: Manners) -> ExitCode {
    let stopped = async {
        stop_on_signal(desk.stop().clone()).await;
        desk.drained(DRAIN).await;
    };
    tokio::select! {
        ended = hosts::action_loop(&desk, manners) => {
            ended.map_or_else(|error| refuse(&error), |()| ExitCode::SUCCESS)
        }
        () = stopped => ExitCode::SUCCESS,
    }
}

async fn listen(router: Router, port: &str, shared: &Shared) -> ExitCode {
    let (router, stop) = (router.merge(metrics(shared)), shared.stop.clone());
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

/// The event is the first argument or, without one, standard input; the answer goes to standard
/// output.
async fn single(handler: &dyn AnyHandler, shared: &Shared) -> ExitCode {
    let input = match std::env::args_os().nth(1) {
        Some(argument) => Ok(argument.to_string_lossy().into_owned()),
        None => std::io::read_to_string(std::io::stdin().take(1024 * 1024)),
    };
    let input = match input {
        Ok(input) => input,
        Err(error) => return refuse(&error),
    };
    let outcome = match once(handler, &input, &shared.queue).await {
        Ok(outcome) => outcome,
        Err(error) => return refuse(&error),
    };
    let mut out = std::io::stdout().lock();
    let told = out.write_all(&outcome.response.body);
    match told.and_then(|()| out.write_all(b"\n")) {
        Ok(()) if outcome.verdict == Verdict::Done => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
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
