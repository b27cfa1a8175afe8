#![doc = include_str!("../README.md")]

mod config;
mod dialect;
mod error;
mod schema;
mod store;
mod tx;
mod values;

pub use config::StoreConfig;
pub use error::StoreError;
pub use store::Store;
pub use tx::Tx;
