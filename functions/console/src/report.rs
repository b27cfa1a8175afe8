//! The newest report of a video, and the frames that it names.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::header;
use serde::Deserialize;
use serde_json::Value;
use shared_domain::{Lang, VideoId};
use shared_objects::{ObjectsError, keys};
use shared_store::Report;

use crate::auth::Caller;
use crate::{Error, Inner};

/// A report with its frames may be large, but not endless.
const LIMIT: u64 = 256 << 20;

/// A frame is a JPEG of at most 1280 pixels.
const FRAME: u64 = 8 << 20;

/// `GET /api/videos/{id}/report/`.
pub(crate) async fn json(
    State(inner): State<Arc<Inner>>,
    caller: Caller,
    Path(id): Path<VideoId>,
) -> Result<Json<Value>, Error> {
    Ok(Json(newest(&inner, &caller, id).await?.body))
}

/// The language of the page; the owner's when nobody asks.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    lang: Option<Lang>,
}

/// `GET /api/videos/{id}/report.html`: the page brings its own style and runs nothing.
pub(crate) async fn html(
    State(inner): State<Arc<Inner>>,
    caller: Caller,
    Path(id): Path<VideoId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let report = newest(&inner, &caller, id).await?;
    let key = match asked.lang {
        // A report that was judged again has its id still and other files.
        Some(lang) => keys::page_in(&report.html_key, lang),
        None => report.html_key,
    };
    let page = inner.objects.get(&key, LIMIT).await?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((headers, page).into_response())
}

/// `GET /api/videos/{id}/frames/{name}`: what `frame_url` of a report points to. A frame never
/// changes under its name.
pub(crate) async fn frame(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
    Path((id, name)): Path<(VideoId, String)>,
) -> Result<Response, Error> {
    inner.video(&user, id).await?;
    let key = keys::frame_named(id, &name).ok_or(Error::NotFound)?;
    let jpeg = match inner.objects.get(&key, FRAME).await {
        Err(ObjectsError::NotFound { .. }) => return Err(Error::NotFound),
        found => found?,
    };
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "private, max-age=86400"),
    ];
    Ok((headers, jpeg).into_response())
}

async fn newest(inner: &Inner, Caller(user): &Caller, id: VideoId) -> Result<Report, Error> {
    inner.video(user, id).await?;
    inner.store.latest_report(id).await?.ok_or(Error::NotFound)
}
