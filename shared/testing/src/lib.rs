#![doc = include_str!("../README.md")]

mod call;
mod clock;
mod database;
mod fakes;
mod ledger;
mod postgres;
mod scenes;
mod world;

pub use call::{Answer, Call, HOST, get_signed, put_signed};
pub use clock::ManualClock;
pub use database::{TestDatabase, database, empty_database};
pub use fakes::{Create, Delivery, FakeReplicate, Mishap, Model, Webhook};
pub use scenes::Run;
pub use world::{FRONTEND, NOTIFICATION_SECRET, World};
