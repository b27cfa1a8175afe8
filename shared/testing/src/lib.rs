#![doc = include_str!("../README.md")]

mod clock;
mod database;
mod postgres;

pub use clock::ManualClock;
pub use database::{TestDatabase, database, empty_database};
