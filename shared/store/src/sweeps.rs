//! Videos that have waited too long for something that may never come.

use std::time::Duration;

use shared_domain::Step;

use crate::dialect::rows;
use crate::values::ts;
use crate::videos::{Video, select_video};
use crate::{Store, StoreError};

impl Store {
    /// Uploads whose time is over, the longest overdue first.
    pub async fn expired_uploads(&self, limit: i64) -> Result<Vec<Video>, StoreError> {
        rows!(
            fetch_all as Video,
            self.reader().await?.link(),
            select_video!(
                "where step = 'awaiting_upload' and upload_expires_at <= $1 \
                 order by upload_expires_at limit $2"
            ),
            ts(self.now()),
            limit,
        )
    }

    /// Uploads announced longer ago than `age`: perhaps finished, with the notification lost.
    pub async fn awaiting_upload_older_than(
        &self,
        age: Duration,
        limit: i64,
    ) -> Result<Vec<Video>, StoreError> {
        rows!(
            fetch_all as Video,
            self.reader().await?.link(),
            select_video!(
                "where step = 'awaiting_upload' and videos.created_at <= $1 \
                 order by videos.created_at limit $2"
            ),
            ts(self.now() - age),
            limit,
        )
    }

    /// Videos that have stood at a step for longer than `age`, the oldest first.
    pub async fn standing_at(
        &self,
        step: Step,
        age: Duration,
        limit: i64,
    ) -> Result<Vec<Video>, StoreError> {
        rows!(
            fetch_all as Video,
            self.reader().await?.link(),
            select_video!(
                "where step = $1 and videos.updated_at <= $2 order by videos.updated_at limit $3"
            ),
            step.as_str(),
            ts(self.now() - age),
            limit,
        )
    }
}
