//! The record on the engine that `TEST_DATABASE` names: SQLite unless it says `postgres`.

mod accounts;
mod lanes;
mod moves;
mod predictions;
mod queue;
mod reports;
mod schema;
mod spending;
mod world;
