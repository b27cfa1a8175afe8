#![doc = include_str!("../README.md")]

mod connect;
mod dispatch;
mod env;
mod erased;
mod event;
mod handler;
pub mod hosts;
mod identity;
mod log_line;
mod place;
mod reply;
mod run;
mod telemetry;
mod verdict;

pub use connect::{ConnectError, Shared, store};
pub use dispatch::{Outcome, dispatch};
pub use env::{EnvError, env_file, environment};
pub use erased::{AnyHandler, boxed};
pub use event::{Event, FromEvent, Malformed, Source, Tick, message};
pub use handler::Handler;
pub use identity::{caller, hash_token, same_origin};
pub use reply::{Problem, Reply, Response};
pub use run::{Connected, run, run_router};
pub use telemetry::{LogFormat, start_logging};
pub use verdict::{Classify, Verdict, causes};

#[cfg(test)]
mod tests;
