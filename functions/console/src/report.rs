//! The newest report of a video.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use serde_json::Value;
use shared_domain::VideoId;
use shared_store::Report;

use crate::auth::Caller;
use crate::{Error, Inner};

/// A report with its frames may be large, but not endless.
const LIMIT: u64 = 256 << 20;

/// `GET /api/videos/{id}/report/`.
pub(crate) async fn json(
    State(inner): State<Arc<Inner>>,
    caller: Caller,
    Path(id): Path<VideoId>,
) -> Result<Json<Value>, Error> {
    Ok(Json(newest(&inner, &caller, id).await?.body))
}

/// `GET /api/videos/{id}/report.html`: the page brings its own style and runs nothing.
pub(crate) async fn html(
    State(inner): State<Arc<Inner>>,
    caller: Caller,
    Path(id): Path<VideoId>,
) -> Result<Response, Error> {
    let report = newest(&inner, &caller, id).await?;
    let page = inner.objects.get(&report.html_key, LIMIT).await?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    Ok((headers, page).into_response())
}

async fn newest(inner: &Inner, Caller(user): &Caller, id: VideoId) -> Result<Report, Error> {
    inner
        .store
        .video_visible_to(user, id)
        .await?
        .ok_or(Error::NotFound)?;
    inner.store.latest_report(id).await?.ok_or(Error::NotFound)
}
