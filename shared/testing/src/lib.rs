#![doc = include_str!("../README.md")]

mod call;
mod certificates;
mod clock;
mod database;
mod fakes;
mod hosted;
mod ingress;
mod ledger;
mod pgbouncer;
mod postgres;
mod redis;
mod scenes;
mod server;
mod switch;
mod wire;
mod world;

pub use call::{Answer, Call, HOST, get_signed, put_signed};
pub use certificates::Certificates;
pub use clock::ManualClock;
pub use database::{TestDatabase, database, empty_database, postgres_database};
pub use fakes::{
    B2Mishap, CloudflareMishap, Create, Delivery, Failed, FakeB2, FakeCloudflare, FakeLambda,
    FakeProxy, FakeReplicate, Log, Login, MailMishap, MailServer, Mishap, Model, Proxy, Received,
    Webhook,
};
pub use hosted::{Hosted, Platform, Program};
pub use ingress::Ingress;
pub use ledger::count;
pub use pgbouncer::{Options, PgBouncer};
pub use redis::{
    TestRedis, redis, redis_with_password, redis_with_tls, redis_with_tls_and_password,
};
pub use scenes::Run;
pub use server::{PASSWORD, PostgresServer};
pub use switch::Switch;
pub use world::{FRONTEND, NOTIFICATION_SECRET, World};
