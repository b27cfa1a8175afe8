#![doc = include_str!("../README.md")]

mod call;
mod clock;
mod database;
mod fakes;
mod hosted;
mod ledger;
mod postgres;
mod scenes;
mod wire;
mod world;

pub use call::{Answer, Call, HOST, get_signed, put_signed};
pub use clock::ManualClock;
pub use database::{TestDatabase, database, empty_database};
pub use fakes::{
    Create, Failed, FakeLambda, FakeProxy, FakeReplicate, Log, Mishap, Model, Proxy, Webhook,
};
pub use hosted::{Hosted, Platform, Program};
pub use scenes::Run;
pub use world::{FRONTEND, NOTIFICATION_SECRET, World};
