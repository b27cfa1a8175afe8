//! Cloudflare's cache forgets what was deleted. Its API may be away for as long as it likes: the deletion
//! does not wait for it, and what is still to be told stands in the record.

use shared_objects::purge::AT_ONCE;
use tracing::info;

use crate::{Cleanup, Error};

/// Calls in one tick: a film of two hours is about fifty.
const CALLS: usize = 20;

impl Cleanup {
    pub(crate) async fn purges(&self) -> Result<(), Error> {
        let Some(cache) = &self.purge else {
            return Ok(());
        };
        for _ in 0..CALLS {
            let due = self.store.due_purges(AT_ONCE.into()).await?;
            if due.is_empty() {
                return Ok(());
            }
            cache
                .forget(due.iter().map(|purge| purge.object_key.as_str()))
                .await?;
            self.store.end_purges(&due).await?;
            let objects = due.len();
            info!(objects, "the cache forgets {objects} objects");
        }
        Ok(())
    }
}
