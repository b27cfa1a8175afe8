//! Videos: how they are found and announced. How they move is in `moves.rs`.

use serde_json::Value;
use shared_domain::{Lang, ProjectId, Refusal, Step, VideoId};
use time::OffsetDateTime;

use crate::accounts::{User, select_user};
use crate::dialect::{Link, execute, rows};
use crate::values::{Id, Maybe, Name, Ts, id, ts};
use crate::{Store, StoreError, Tx};

/// An uploaded video.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Video {
    /// Key.
    #[sqlx(try_from = "Id")]
    pub video_id: VideoId,
    /// The folder it lies in.
    #[sqlx(try_from = "Id")]
    pub project_id: ProjectId,
    /// The client's file name: data, never part of a key.
    pub original_name: String,
    /// Where the bytes are stored.
    pub object_key: String,
    /// As announced.
    pub content_type: String,
    /// Announced; after the upload the stored size.
    #[sqlx(try_from = "i64")]
    pub size_bytes: u64,
    /// Lower-case hex, as announced.
    pub checksum_sha256: Option<String>,
    /// `ETag` of the stored object that was checked.
    pub etag: Option<String>,
    /// Open multipart upload.
    pub upload_id: Option<String>,
    /// Bytes of one part of a multipart upload.
    #[sqlx(try_from = "Maybe<i64>")]
    pub part_size: Option<u64>,
    /// Where it stands in the chain.
    #[sqlx(try_from = "Name")]
    pub step: Step,
    /// Why it failed.
    #[sqlx(json(nullable))]
    pub refusal: Option<Refusal>,
    /// What the container says.
    #[sqlx(json(nullable))]
    pub probe: Option<Value>,
    /// Measured length.
    pub duration_ms: Option<i64>,
    /// Policy pack it is judged by.
    pub policy_id: String,
    /// When an unfinished upload is given up.
    #[sqlx(try_from = "Ts")]
    pub upload_expires_at: OffsetDateTime,
    /// When it was announced.
    #[sqlx(try_from = "Ts")]
    pub created_at: OffsetDateTime,
    /// When the row last changed.
    #[sqlx(try_from = "Ts")]
    pub updated_at: OffsetDateTime,
    /// The owner's.
    #[sqlx(try_from = "Name")]
    pub language: Lang,
}

/// A video to be announced.
#[derive(Debug, Clone)]
pub struct NewVideo {
    /// Known before, since the object key is made of it.
    pub video_id: VideoId,
    /// The folder it goes into.
    pub project_id: ProjectId,
    /// Idempotency key of the request.
    pub client_key: Option<String>,
    /// The client's file name.
    pub original_name: String,
    /// Where the bytes will be stored.
    pub object_key: String,
    /// As announced.
    pub content_type: String,
    /// As announced.
    pub size_bytes: u64,
    /// As announced.
    pub checksum_sha256: Option<String>,
    /// Of a multipart upload.
    pub upload_id: Option<String>,
    /// Of a multipart upload.
    pub part_size: Option<u64>,
    /// Policy pack to judge by.
    pub policy_id: String,
    /// When to give up waiting.
    pub upload_expires_at: OffsetDateTime,
}

macro_rules! select_video {
    ($tail:literal) => {
        concat!(
            "select videos.video_id, videos.project_id, original_name, object_key, content_type, \
             size_bytes, checksum_sha256, etag, upload_id, part_size, step, refusal, probe, \
             duration_ms, videos.policy_id, upload_expires_at, videos.created_at, \
             videos.updated_at, users.language \
             from videos join projects on projects.project_id = videos.project_id \
             join users on users.user_id = projects.owner_id ",
            $tail
        )
    };
}

pub(crate) use select_video;

/// Reads inside and outside of transactions.
pub(crate) async fn find(link: Link<'_>, video_id: VideoId) -> Result<Option<Video>, StoreError> {
    rows!(
        fetch_optional as Video,
        link,
        select_video!("where videos.video_id = $1"),
        id(video_id)
    )
}

impl Store {
    /// The video.
    pub async fn video(&self, video_id: VideoId) -> Result<Video, StoreError> {
        self.find_video(video_id)
            .await?
            .ok_or_else(|| StoreError::missing("video", video_id))
    }

    /// The video, if there is one.
    pub async fn find_video(&self, video_id: VideoId) -> Result<Option<Video>, StoreError> {
        find(self.reader().await?.link(), video_id).await
    }

    /// The video whose bytes are stored under this key.
    pub async fn video_by_key(&self, object_key: &str) -> Result<Option<Video>, StoreError> {
        rows!(
            fetch_optional as Video,
            self.reader().await?.link(),
            select_video!("where object_key = $1"),
            object_key,
        )
    }

    /// The project's latest video with these bytes that came, even if it failed.
    pub async fn video_by_checksum(
        &self,
        project_id: ProjectId,
        sha256: &str,
    ) -> Result<Option<Video>, StoreError> {
        rows!(
            fetch_optional as Video,
            self.reader().await?.link(),
            select_video!(
                "where videos.project_id = $1 and checksum_sha256 = $2 \
                 and step <> 'expired' order by videos.video_id desc limit 1"
            ),
            id(project_id),
            sha256,
        )
    }

    /// The video, if this person may see it: a client its own, an admin all.
    pub async fn video_visible_to(
        &self,
        user: &User,
        video_id: VideoId,
    ) -> Result<Option<Video>, StoreError> {
        rows!(
            fetch_optional as Video,
            self.reader().await?.link(),
            select_video!(
                "where videos.video_id = $3 and ($1 = 'ADMIN' or ($1 = 'CLIENT' and owner_id = $2))"
            ),
            user.role.as_str(),
            id(user.user_id),
            id(video_id),
        )
    }

    /// One page of the videos that this person may see, latest first, and how many there are.
    pub async fn videos_visible_to(
        &self,
        user: &User,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Video>, i64), StoreError> {
        let mut db = self.reader().await?;
        let page = rows!(
            fetch_all as Video,
            db.link(),
            select_video!(
                "where $1 = 'ADMIN' or ($1 = 'CLIENT' and owner_id = $2) \
                 order by videos.created_at desc, videos.video_id desc limit $3 offset $4"
            ),
            user.role.as_str(),
            id(user.user_id),
            limit,
            offset,
        )?;
        let (total,) = rows!(
            fetch_one as (i64,),
            db.link(),
            "select count(*) from videos join projects on projects.project_id = videos.project_id \
             where $1 = 'ADMIN' or ($1 = 'CLIENT' and owner_id = $2)",
            user.role.as_str(),
            id(user.user_id),
        )?;
        Ok((page, total))
    }

    /// Whose video it is.
    pub async fn owner_of(&self, video_id: VideoId) -> Result<User, StoreError> {
        rows!(
            fetch_optional as User,
            self.reader().await?.link(),
            select_user!(
                "join projects on projects.owner_id = users.user_id \
                 join videos on videos.project_id = projects.project_id where video_id = $1"
            ),
            id(video_id),
        )?
        .ok_or_else(|| StoreError::missing("video", video_id))
    }
}

impl Tx {
    /// Announces a video; a repeat of the same request finds the row that the first one made.
    ///
    /// A video that failed or never came gives its key up: the same request may try again.
    pub async fn insert_video(&mut self, new: NewVideo) -> Result<(Video, bool), StoreError> {
        let now = ts(self.now());
        execute!(
            self.link(),
            "update videos set client_key = null where project_id = $1 and client_key = $2 \
             and step in ('failed', 'expired')",
            id(new.project_id),
            new.client_key.as_deref(),
        )?;
        let added = execute!(
            self.link(),
            "insert into videos (video_id, project_id, client_key, original_name, object_key, \
             content_type, size_bytes, checksum_sha256, upload_id, part_size, policy_id, \
             upload_expires_at, step, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'awaiting_upload', $13, $13) \
             on conflict (project_id, client_key) do nothing",
            id(new.video_id),
            id(new.project_id),
            new.client_key.as_deref(),
            &new.original_name,
            &new.object_key,
            &new.content_type,
            signed(new.size_bytes),
            new.checksum_sha256.as_deref(),
            new.upload_id.as_deref(),
            new.part_size.map(signed),
            &new.policy_id,
            ts(new.upload_expires_at),
            now,
        )?;
        let video = if added == 1 {
            find(self.link(), new.video_id).await?
        } else {
            rows!(
                fetch_optional as Video,
                self.link(),
                select_video!("where videos.project_id = $1 and client_key = $2"),
                id(new.project_id),
                new.client_key.as_deref(),
            )?
        };
        let video = video.ok_or_else(|| StoreError::missing("video", new.video_id))?;
        Ok((video, added == 1))
    }

    /// The video as this transaction sees it.
    pub async fn video(&mut self, video_id: VideoId) -> Result<Video, StoreError> {
        find(self.link(), video_id)
            .await?
            .ok_or_else(|| StoreError::missing("video", video_id))
    }
}

/// Sizes are below 2^63 in every table.
pub(crate) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
