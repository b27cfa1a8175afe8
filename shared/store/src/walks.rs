//! Sweeps over something long: each tick takes a little of it and writes down where the next goes on.

use time::OffsetDateTime;

use crate::dialect::{change, rows};
use crate::values::{Ts, ts};
use crate::{Store, StoreError};

/// Where a sweep stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Walk {
    /// The last that was looked at; `None` at the beginning.
    pub after: Option<String>,
    /// When it goes on.
    #[sqlx(try_from = "Ts")]
    pub due_at: OffsetDateTime,
}

impl Store {
    /// Where a sweep stands; one that has never begun is due.
    pub async fn walk(&self, walk: &str) -> Result<Walk, StoreError> {
        let found = rows!(
            fetch_optional as Walk,
            self.reader().await?.link(),
            "select after, due_at from walks where walk = $1",
            walk,
        )?;
        Ok(found.unwrap_or(Walk {
            after: None,
            due_at: self.now(),
        }))
    }

    /// Writes down where a sweep stands.
    pub async fn set_walk(&self, name: &str, walk: &Walk) -> Result<(), StoreError> {
        change!(
            self,
            "insert into walks (walk, after, due_at) values ($1, $2, $3) \
             on conflict (walk) do update set after = excluded.after, due_at = excluded.due_at",
            name,
            walk.after.as_deref(),
            ts(walk.due_at),
        )?;
        Ok(())
    }
}
