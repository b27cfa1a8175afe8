#![doc = include_str!("../README.md")]

mod connect;
mod dispatch;
mod env;
mod erased;
mod event;
mod handler;
pub mod hosts;
mod identity;
mod json_line;
mod log_line;
mod metrics;
mod otlp;
mod place;
mod reply;
mod run;
mod telemetry;
mod trace;
mod verdict;

pub use connect::{ConnectError, Shared, store};
pub use dispatch::{Outcome, about, dispatch};
pub use env::{EnvError, env_file, environment};
pub use erased::{AnyHandler, boxed};
pub use event::{Event, FromEvent, Malformed, Source, Tick, message};
pub use handler::Handler;
pub use identity::{caller, hash_token, same_origin};
pub use reply::{Problem, Reply, Response};
pub use run::{Connected, run, run_router};
pub use telemetry::{LogFormat, Telemetry};
pub use trace::continue_trace;
pub use verdict::{Classify, Verdict, causes};

#[cfg(test)]
mod tests;
