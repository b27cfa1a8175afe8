#![doc = include_str!("../README.md")]

mod call;
mod clock;
mod database;
mod fakes;
mod ledger;
mod postgres;
mod redis;
mod scenes;
mod world;

pub use call::{Answer, Call, HOST, get_signed, put_signed};
pub use clock::ManualClock;
pub use database::{TestDatabase, database, empty_database};
pub use fakes::{Create, FakeReplicate, Mishap, Model, Webhook};
pub use redis::{TestRedis, redis, redis_with_password, redis_with_tls};
pub use scenes::Run;
pub use world::{FRONTEND, NOTIFICATION_SECRET, World};
