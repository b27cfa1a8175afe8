#![doc = include_str!("../README.md")]

mod backoff;
mod channel;
mod config;
mod fault;
mod keys;
mod link;
mod looks;
mod queue;
mod reader;
mod relay;
mod sqs;
mod stream;

pub use backoff::backoff;
pub use channel::Channel;
pub use config::RedisConfig;
pub use fault::Fault;
pub use queue::{LEASE, MAX_STRIKES, PATIENCE, Queue, Transport};
pub use sqs::SqsConfig;

#[cfg(test)]
mod tests;
