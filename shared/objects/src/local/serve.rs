//! The loop that takes connections, and its end.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::LocalServer;
use super::front::Front;

/// How long transfers under way may go on after the end was asked for.
const GRACE: Duration = Duration::from_secs(5);
/// A pause after a failed accept: out of descriptors, most likely.
const BREATH: Duration = Duration::from_millis(100);

impl LocalServer {
    /// Serves until `shutdown` is done, then lets running requests end. Leaves nothing behind.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        let Self {
            listener,
            front,
            deliver,
            _lock,
            ..
        } = self;
        let ended = async {
            shutdown.await;
            stop.cancel();
        };
        let delivery = async {
            if let Some(deliver) = deliver {
                deliver.run(&stop).await;
            }
        };
        tokio::join!(ended, accept(listener, front, &stop), delivery);
    }
}

async fn accept(listener: TcpListener, front: Front, stop: &CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            taken = listener.accept() => match taken {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, front.clone(), stop.clone()));
                }
                Err(error) => {
                    warn!(%error, "the object server could not take a connection");
                    sleep(BREATH).await;
                }
            },
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, front: Front, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "no TCP_NODELAY");
    }
    let service = service_fn(move |request| {
        let front = front.clone();
        async move { front.call(request).await }
    });
    // The timer arms hyper's limit on slow request heads, which also ends idle connections.
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            timeout(GRACE, serving).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = outcome {
        debug!(%error, "a connection to the object server broke off");
    }
}
