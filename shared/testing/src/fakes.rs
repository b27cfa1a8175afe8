//! Servers with a real protocol that can be told to misbehave.

mod replicate;

pub(crate) use replicate::TOKEN;

pub use replicate::{Create, Delivery, FakeReplicate, Mishap, Model, Webhook};
