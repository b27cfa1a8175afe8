#![doc = include_str!("../README.md")]

mod call;
mod certificates;
mod clock;
mod database;
mod fakes;
mod hosted;
mod ingress;
mod ledger;
mod listen;
mod metrics;
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
    B2Mishap, CloudflareMishap, Collected, CollectorMishap, Create, Delivery, Failed, FakeB2,
    FakeCloudflare, FakeCollector, FakeLambda, FakeProxy, FakeReplicate, FakeSqs, Log, Login,
    MailMishap, MailServer, Mishap, Model, Proxy, QueueRules, Received, SqsMishap, Webhook,
};
pub use hosted::{Hosted, Platform, Program};
pub use ingress::Ingress;
pub use ledger::count;
pub use metrics::samples;
pub use pgbouncer::{Options, PgBouncer};
pub use redis::{
    TestRedis, redis, redis_with_password, redis_with_tls, redis_with_tls_and_password,
};
pub use scenes::Run;
pub use server::{PASSWORD, PostgresServer};
pub use switch::Switch;
pub use world::{FRONTEND, NOTIFICATION_SECRET, World};
