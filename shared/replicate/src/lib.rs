#![doc = include_str!("../README.md")]

pub mod adapters;
mod budget;
mod calls;
mod client;
mod config;
mod error;
mod hosted;
mod http;
mod models;
mod output;
mod prediction;
mod prices;
pub mod signature;

pub use adapters::{AdaptError, Adapter};
pub use budget::Budget;
pub use calls::{Account, MAX_INLINE, NewPrediction, Trace, data_uri};
pub use client::Replicate;
pub use config::ReplicateConfig;
pub use error::{InvalidField, ReplicateError};
pub use http::{HttpClient, http_client};
pub use models::{ModelEntry, Provider, Registry, RegistryConfig, RegistryError, deadline};
pub use prediction::{NotAPrediction, Outcome, Prediction, Status};
pub use prices::Prices;

#[cfg(test)]
mod tests;
