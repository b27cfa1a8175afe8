//! Words that a project permits or forbids. What is stored here was found good before.

use shared_domain::ProjectId;

use crate::dialect::{change, rows};
use crate::values::{id, text_without_nul, ts};
use crate::{Store, StoreError};

/// A project's own lists of words, one entry a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredWords {
    /// What is not told of.
    pub allowed: String,
    /// What is told of.
    pub denied: String,
}

impl Store {
    /// The words of a project; empty where nobody has written any.
    pub async fn project_words(&self, project_id: ProjectId) -> Result<StoredWords, StoreError> {
        let found = rows!(
            fetch_optional as StoredWords,
            self.reader().await?.link(),
            "select allowed, denied from project_words where project_id = $1",
            id(project_id),
        )?;
        Ok(found.unwrap_or_default())
    }

    /// Puts both lists in the place of the former ones.
    pub async fn set_project_words(
        &self,
        project_id: ProjectId,
        words: &StoredWords,
    ) -> Result<(), StoreError> {
        change!(
            self,
            "insert into project_words (project_id, allowed, denied, updated_at) \
             values ($1, $2, $3, $4) on conflict (project_id) do update set \
             allowed = excluded.allowed, denied = excluded.denied, \
             updated_at = excluded.updated_at",
            id(project_id),
            text_without_nul(&words.allowed),
            text_without_nul(&words.denied),
            ts(self.now()),
        )?;
        Ok(())
    }
}
