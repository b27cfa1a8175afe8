//! Hosts do four things only: get bytes, cut batches into single events, call `dispatch`, and say
//! the verdict in their own language.

mod actionloop;
mod deadline;
mod desk;
mod direct;
mod http;
mod lambda;
mod metrics;
mod observe;
mod once;
mod timer;
mod worker;

pub(crate) use actionloop::{EndMarker, Manners, action_loop};
pub(crate) use desk::Desk;
pub use http::{DRAIN, doors, serve_http};
pub(crate) use lambda::DRAIN as LAMBDA_DRAIN;
pub(crate) use lambda::lambda;
pub use metrics::metrics;
pub use observe::observed;
pub use once::once;
pub use timer::timer;
pub use worker::{Lane, event_of, settle, work};

use tokio_util::sync::CancellationToken;

/// Waits for SIGTERM or Ctrl-C, or for somebody else to cancel `stop`.
pub async fn stop_signal(stop: &CancellationToken) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
        () = stop.cancelled() => {}
    }
}

#[cfg(test)]
pub(crate) use {actionloop::converse, lambda::invoke};
