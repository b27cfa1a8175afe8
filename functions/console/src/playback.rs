//! Watching a video: an address that expires, of its review copy or, where there is none, of the upload.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::{Value, json};
use shared_domain::{Step, VideoId};
use shared_objects::{ObjectsError, keys};
use shared_store::Video;
use time::format_description::well_known::Rfc3339;

use crate::auth::Caller;
use crate::{Error, Inner};

/// The longest video with time to think; the Worker takes a day at most.
const EXPIRES: Duration = Duration::from_hours(6);
const PLAYLIST: &str = "application/vnd.apple.mpegurl";
/// A playlist of hours has some ten kilobytes.
const LARGEST_PLAYLIST: u64 = 1 << 20;

/// `GET /api/videos/{id}/signed_url/`.
pub(crate) async fn signed_url(
    State(inner): State<Arc<Inner>>,
    caller: Caller,
    Path(id): Path<VideoId>,
) -> Result<Json<Value>, Error> {
    let video = visible(&inner, &caller, id).await?;
    let expires_at = inner.store.now() + EXPIRES;
    let (kind, content_type, url) = if is_there(&inner, &keys::playlist(id)).await? {
        let through_cdn = inner.playback.folder_url(&keys::playlist(id), EXPIRES);
        let here = || format!("/api/videos/{id}/playlist.m3u8");
        ("hls", PLAYLIST, through_cdn.unwrap_or_else(here))
    } else if is_there(&inner, &video.object_key).await? {
        let url = inner.playback.url(&video.object_key, EXPIRES).await?;
        ("file", video.content_type.as_str(), url)
    } else {
        return Err(Error::NotFound);
    };
    Ok(Json(json!({
        "playback_url": url,
        "kind": kind,
        "content_type": content_type,
        "expires_at": expires_at.format(&Rfc3339).ok(),
    })))
}

/// `GET /api/videos/{id}/playlist.m3u8`: without Cloudflare nobody signs for a whole folder, so each segment
/// gets an address of its own.
pub(crate) async fn playlist(
    State(inner): State<Arc<Inner>>,
    caller: Caller,
    Path(id): Path<VideoId>,
) -> Result<Response, Error> {
    visible(&inner, &caller, id).await?;
    let key = keys::playlist(id);
    let stored = inner.objects.get(&key, LARGEST_PLAYLIST).await?;
    let mut playlist = String::new();
    for line in String::from_utf8_lossy(&stored).lines() {
        match keys::segment_named(id, line) {
            Some(key) => playlist += &inner.playback.url(&key, EXPIRES).await?,
            None => playlist += line,
        }
        playlist.push('\n');
    }
    Ok(([(header::CONTENT_TYPE, PLAYLIST)], playlist).into_response())
}

async fn visible(inner: &Inner, Caller(user): &Caller, id: VideoId) -> Result<Video, Error> {
    let video = inner.store.video_visible_to(user, id).await?;
    video
        .filter(|video| video.step != Step::AwaitingUpload)
        .ok_or(Error::NotFound)
}

async fn is_there(inner: &Inner, key: &str) -> Result<bool, Error> {
    match inner.objects.head(key).await {
        Err(ObjectsError::NotFound { .. }) => Ok(false),
        head => Ok(head.map(|_| true)?),
    }
}
