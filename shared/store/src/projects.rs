//! A client's folders of videos.

use shared_domain::{ProjectId, UserId};

use crate::accounts::User;
use crate::dialect::{change, rows};
use crate::values::{Id, id, ts};
use crate::{Store, StoreError};

/// The pack that new projects are judged by.
pub const DEFAULT_POLICY: &str = "general";

/// A folder of videos that share a policy.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Project {
    /// Key.
    #[sqlx(try_from = "Id")]
    pub project_id: ProjectId,
    /// The client who sees it.
    #[sqlx(try_from = "Id")]
    pub owner_id: UserId,
    /// Unique for its owner.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Policy pack for new videos.
    pub policy_id: String,
    /// Frames a second sent to the models, where it differs from the setting.
    pub frame_rate: Option<f64>,
}

macro_rules! select_project {
    ($tail:literal) => {
        concat!(
            "select project_id, owner_id, name, description, policy_id, frame_rate from projects ",
            $tail
        )
    };
}

impl Store {
    /// The owner's project of this name, made when it is not there.
    pub async fn ensure_project(&self, owner: UserId, name: &str) -> Result<Project, StoreError> {
        change!(
            self,
            "insert into projects (project_id, owner_id, name, policy_id, created_at) \
             values ($1, $2, $3, $4, $5) on conflict (owner_id, name) do nothing",
            id(self.fresh::<ProjectId>()),
            id(owner),
            name,
            DEFAULT_POLICY,
            ts(self.now()),
        )?;
        rows!(
            fetch_one as Project,
            self.reader().await?.link(),
            select_project!("where owner_id = $1 and name = $2"),
            id(owner),
            name,
        )
    }

    /// The project, if there is one.
    pub async fn find_project(&self, project_id: ProjectId) -> Result<Option<Project>, StoreError> {
        rows!(
            fetch_optional as Project,
            self.reader().await?.link(),
            select_project!("where project_id = $1"),
            id(project_id),
        )
    }

    /// The projects that this person may see, oldest first: a client's own, an admin's all.
    pub async fn projects_visible_to(&self, user: &User) -> Result<Vec<Project>, StoreError> {
        rows!(
            fetch_all as Project,
            self.reader().await?.link(),
            select_project!(
                "where $1 = 'ADMIN' or ($1 = 'CLIENT' and owner_id = $2) order by project_id"
            ),
            user.role.as_str(),
            id(user.user_id),
        )
    }

    /// The project, if this person may see it.
    pub async fn project_visible_to(
        &self,
        user: &User,
        project_id: ProjectId,
    ) -> Result<Option<Project>, StoreError> {
        rows!(
            fetch_optional as Project,
            self.reader().await?.link(),
            select_project!(
                "where project_id = $3 and ($1 = 'ADMIN' or ($1 = 'CLIENT' and owner_id = $2))"
            ),
            user.role.as_str(),
            id(user.user_id),
            id(project_id),
        )
    }
}
