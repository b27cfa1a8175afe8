//! Time and fresh ids come from traits, because tests must steer both.

use std::fmt::Debug;

use time::OffsetDateTime;
use uuid::Uuid;

/// The wall clock. Durations are measured with `Instant`, never with this.
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present moment in UTC.
    fn now(&self) -> OffsetDateTime;
}

/// The source of fresh ids.
pub trait Ids: Debug + Send + Sync + 'static {
    /// A new `UUIDv7`.
    fn next(&self) -> Uuid;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock everybody else uses"
    )]
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// Time-ordered random ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the source everybody else uses"
    )]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
