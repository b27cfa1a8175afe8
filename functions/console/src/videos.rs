//! Projects and videos.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use shared_domain::{Lang, Step, VideoId, VideoUploaded};
use shared_store::{Execution, Held, Store, StoreError, TaskCount, User, Video};
use time::format_description::well_known::Rfc3339;

use crate::auth::{Caller, lang};
use crate::{Error, Inner, Limits};

/// Largest page of a list.
const PAGE: i64 = 100;

/// Videos that are asked for by name at once.
const MOST_IDS: usize = 100;

/// Nobody turns more pages; keeps the offset a number.
const PAGES: i64 = 1_000_000;

/// `page` and `page_size` of a list, or the videos that are wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct Paging {
    page: Option<i64>,
    page_size: Option<i64>,
    /// Separated by commas.
    ids: Option<String>,
}

/// `GET /api/limits/`: what may be uploaded here.
pub(crate) async fn limits(State(inner): State<Arc<Inner>>, _: Caller) -> Json<Limits> {
    Json(inner.config.limits.clone())
}

/// `GET /api/projects/`; everybody has one to begin with.
pub(crate) async fn projects(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
) -> Result<Json<Value>, Error> {
    let mut projects = inner.store.projects_visible_to(&user).await?;
    if !projects
        .iter()
        .any(|project| project.owner_id == user.user_id)
    {
        projects.push(inner.store.ensure_project(user.user_id, "default").await?);
    }
    let about = |p: &shared_store::Project| {
        json!({ "id": p.project_id, "name": p.name, "description": p.description,
                "policy": p.policy_id, "own": p.owner_id == user.user_id })
    };
    let results: Vec<_> = projects.iter().map(about).collect();
    Ok(Json(
        json!({ "count": results.len(), "next": null, "previous": null, "results": results }),
    ))
}

/// `GET /api/videos/`, newest first; with `ids` these alone, in one answer.
pub(crate) async fn list(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
    Query(paging): Query<Paging>,
    headers: HeaderMap,
) -> Result<Json<Value>, Error> {
    if let Some(ids) = &paging.ids {
        return some(&inner, &user, ids, lang(&headers)).await;
    }
    let size = paging.page_size.unwrap_or(20).clamp(1, PAGE);
    let page = paging.page.unwrap_or(1).clamp(1, PAGES);
    let (videos, count) = inner
        .store
        .videos_visible_to(&user, size, (page - 1) * size)
        .await?;
    let mut results = Vec::with_capacity(videos.len());
    for video in &videos {
        results.push(about(&inner.store, video, lang(&headers)).await?);
    }
    let link = |page: i64| format!("/api/videos/?page={page}&page_size={size}");
    let next = (page * size < count).then(|| link(page + 1));
    let previous = (page > 1).then(|| link(page - 1));
    Ok(Json(
        json!({ "count": count, "next": next, "previous": previous, "results": results }),
    ))
}

async fn some(inner: &Inner, user: &User, ids: &str, lang: Lang) -> Result<Json<Value>, Error> {
    let mut results = Vec::new();
    let ids = ids.split(',').filter_map(|id| id.parse::<VideoId>().ok());
    for id in ids.take(MOST_IDS) {
        if let Some(video) = inner.store.video_visible_to(user, id).await? {
            results.push(about(&inner.store, &video, lang).await?);
        }
    }
    Ok(Json(
        json!({ "count": results.len(), "next": null, "previous": null, "results": results }),
    ))
}

/// `GET /api/videos/{id}/`.
pub(crate) async fn one(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
    Path(id): Path<VideoId>,
    headers: HeaderMap,
) -> Result<Json<Value>, Error> {
    let video = inner.video(&user, id).await?;
    Ok(Json(about(&inner.store, &video, lang(&headers)).await?))
}

/// `POST /api/videos/{id}/retry_processing/`.
pub(crate) async fn retry(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
    Path(id): Path<VideoId>,
    headers: HeaderMap,
) -> Result<Json<Value>, Error> {
    let video = inner.video(&user, id).await?;
    if video.step != Step::Failed {
        return Err(Error::NotFailed(lang(&headers)));
    }
    let mut tx = inner.store.transaction().await?;
    match tx.retry(id).await {
        Err(StoreError::Stale { .. } | StoreError::IllegalMove(_)) => {
            return Err(Error::NotFailed(lang(&headers)));
        }
        retried => retried?,
    }
    tx.send(&VideoUploaded::new(id)).await?;
    tx.commit().await?;
    let video = inner.store.video(id).await?;
    Ok(Json(about(&inner.store, &video, lang(&headers)).await?))
}

/// What clients see of a video.
pub(crate) async fn about(store: &Store, video: &Video, lang: Lang) -> Result<Value, StoreError> {
    let run = store.latest_execution(video.video_id).await?;
    let report = match video.step {
        Step::Verification | Step::Completed => store.latest_report(video.video_id).await?,
        _ => None,
    };
    let tasks = match (&run, video.step) {
        (Some(run), Step::Analysing | Step::Judging) => tasks(store, run).await?,
        _ => Vec::new(),
    };
    let message = match (&video.refusal, video.step) {
        (Some(refusal), _) => Some(refusal.text(lang)),
        (None, Step::Analysing) => {
            let held = store.held_of(video.video_id).await?;
            held.map(|held| waits(held, lang).to_owned())
        }
        (None, _) => None,
    };
    Ok(json!({
        "id": video.video_id,
        "project": video.project_id,
        "original_name": video.original_name,
        "file_size": video.size_bytes,
        "duration": video.duration_ms.map(seconds),
        "status": video.step.status(),
        "status_message": message,
        "created_at": video.created_at.format(&Rfc3339).ok(),
        "progress": run.as_ref().map(progress),
        "current_task": run.as_ref().map(|run| run.current_task.clone()),
        "tasks": tasks,
        "eta_seconds": run.as_ref().and_then(|run| run.eta_seconds),
        "verdict": report.as_ref().map(|report| report.verdict.clone()),
        "total_triggers": report.as_ref().map(|report| report.body["total_triggers"].clone()),
    }))
}

/// Why a run stands still, as far as it is its owner's business.
fn waits(held: Held, lang: Lang) -> &'static str {
    match (held, lang) {
        (Held::Lane, Lang::Ru) => {
            "Проверка ждёт: сервис моделей пока не принимает часть вопросов. Она продолжится сама."
        }
        (Held::Lane, Lang::En) => {
            "The check waits: the model service does not take some of the questions now. It goes on by \
             itself."
        }
        (Held::VideoCap, Lang::Ru) => {
            "Проверка ждёт: достигнут лимит расходов на это видео. Администратору об этом сказано."
        }
        (Held::VideoCap, Lang::En) => {
            "The check waits: what this video may cost is spent. An administrator has been told."
        }
    }
}

/// How many answers of each task are in.
async fn tasks(store: &Store, run: &Execution) -> Result<Vec<Value>, StoreError> {
    let counts = store.task_counts(run.execution_id).await?;
    let about = |c: &TaskCount| json!({ "task": c.task, "planned": c.planned, "done": c.done });
    Ok(counts.iter().map(about).collect())
}

/// Decoding is the first thirty of a hundred, the answers are the rest.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a share of a hundred"
)]
fn progress(run: &Execution) -> f32 {
    if run.planned == 0 {
        return run.progress;
    }
    let answered = run.done as f64 / run.planned as f64;
    run.progress.max((30.0 + 69.0 * answered) as f32)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
