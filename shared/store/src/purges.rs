//! What was deleted, and a cache still has to forget. Written down before the deletion begins, because
//! afterwards nobody knows what there was.

use time::OffsetDateTime;

use crate::dialect::{bulk, execute, rows};
use crate::values::{Ts, ts};
use crate::{Store, StoreError};

/// An object that a cache has to forget.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Purge {
    /// Which object.
    pub object_key: String,
    /// When its deletion is certainly over.
    #[sqlx(try_from = "Ts")]
    pub due_at: OffsetDateTime,
}

impl Store {
    /// Writes objects down; of one that stands there already only the time changes.
    pub async fn note_purges(
        &self,
        keys: &[String],
        due_at: OffsetDateTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.transaction().await?;
        bulk!(
            tx.link(),
            "insert into purges (object_key, due_at) ",
            keys,
            |key| [key, ts(due_at)],
            " on conflict (object_key) do update set due_at = excluded.due_at"
        )?;
        tx.commit().await
    }

    /// What is to be forgotten now, longest due first.
    pub async fn due_purges(&self, limit: i64) -> Result<Vec<Purge>, StoreError> {
        rows!(
            fetch_all as Purge,
            self.reader().await?.link(),
            "select object_key, due_at from purges where due_at <= $1 \
             order by due_at, object_key limit $2",
            ts(self.now()),
            limit,
        )
    }

    /// The cache has forgotten these; one that was written down again meanwhile stays.
    pub async fn end_purges(&self, purges: &[Purge]) -> Result<(), StoreError> {
        let mut tx = self.transaction().await?;
        for purge in purges {
            execute!(
                tx.link(),
                "delete from purges where object_key = $1 and due_at = $2",
                &purge.object_key,
                ts(purge.due_at),
            )?;
        }
        tx.commit().await
    }
}
