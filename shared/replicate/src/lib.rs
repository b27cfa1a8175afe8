#![doc = include_str!("../README.md")]

pub mod adapters;
mod calls;
mod client;
mod config;
mod error;
mod hosted;
mod http;
mod models;
mod prediction;
pub mod signature;

pub use adapters::{AdaptError, Adapter};
pub use calls::{Account, NewPrediction, Trace};
pub use client::Replicate;
pub use config::ReplicateConfig;
pub use error::{InvalidField, ReplicateError};
pub use http::{HttpClient, http_client};
pub use models::{ModelEntry, Provider, Registry, RegistryConfig, RegistryError};
pub use prediction::{NotAPrediction, Outcome, Prediction, Status};

#[cfg(test)]
mod tests;
