//! Servers with a real protocol that can be told to misbehave.

mod actionloop;
mod lambda;
mod replicate;

pub(crate) use replicate::TOKEN;

pub use actionloop::{FakeProxy, Log, Proxy};
pub use lambda::{Failed, FakeLambda};
pub use replicate::{Create, FakeReplicate, Mishap, Model, Webhook};
