//! The record on the engine that `TEST_DATABASE` names: SQLite unless it says `postgres`.

mod accounts;
mod lanes;
mod migrating;
mod moves;
mod policies;
mod pooler;
mod predictions;
mod queue;
mod reports;
mod schema;
mod server;
mod spending;
mod sweeps;
mod undone;
mod versions;
mod world;
