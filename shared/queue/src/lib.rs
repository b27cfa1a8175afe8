#![doc = include_str!("../README.md")]

mod backoff;
mod channel;
mod queue;

pub use backoff::backoff;
pub use channel::Channel;
pub use queue::{LEASE, MAX_STRIKES, PATIENCE, Queue};

#[cfg(test)]
mod tests;
