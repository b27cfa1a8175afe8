//! Servers with a real protocol that can be told to misbehave.

mod actionloop;
mod b2;
mod cloudflare;
mod collector;
mod lambda;
mod mail;
mod replicate;
mod sqs;

pub(crate) use replicate::TOKEN;

pub use actionloop::{FakeProxy, Log, Proxy};
pub use b2::{B2Mishap, FakeB2};
pub use cloudflare::{CloudflareMishap, FakeCloudflare};
pub use collector::{Collected, CollectorMishap, FakeCollector};
pub use lambda::{Failed, FakeLambda};
pub use mail::{Login, MailMishap, MailServer, Received};
pub use replicate::{Create, Delivery, FakeReplicate, Mishap, Model, Webhook};
pub use sqs::{FakeSqs, QueueRules, SqsMishap};
