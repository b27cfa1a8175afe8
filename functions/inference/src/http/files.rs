//! The files API: upload once, name in many inputs. Reading gives facts, never the bytes.

use std::sync::Arc;

use axum::Json;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{Multipart, Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use time::Duration;

use super::file_store::{Facts, Receiving};
use super::predictions::{PAGE, parse_cursor};
use super::problem::Problem;
use super::record::origin;
use super::{Inner, id};

const MAX_FILE_MIB: usize = 100;

/// Facts beside the bytes are short.
const MAX_FIELD: usize = 64 * 1024;

const LIFE: Duration = Duration::hours(24);

pub(super) async fn upload(
    State(inner): State<Arc<Inner>>,
    multipart: Multipart,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let id = id::fresh(inner.ids.as_ref());
    match receive(&inner, &id, multipart).await {
        Ok(facts) => {
            inner.files.insert(&facts).await?;
            Ok((
                StatusCode::CREATED,
                Json(facts.view(&inner.config.public_base_url)),
            ))
        }
        Err(problem) => {
            // It may have been refused before its first byte.
            let _absent = inner.files.discard(&id).await;
            Err(problem)
        }
    }
}

async fn receive(inner: &Inner, id: &str, mut form: Multipart) -> Result<Facts, Problem> {
    let now = inner.clock.now();
    let mut facts = Facts {
        id: id.to_owned(),
        name: "file".into(),
        content_type: "application/octet-stream".into(),
        size: 0,
        sha256: String::new(),
        metadata: json!({}),
        created_at: now,
        expires_at: now + LIFE,
    };
    while let Some(mut field) = form.next_field().await.map_err(|error| broken(&error))? {
        match field.name().unwrap_or_default() {
            "content" => {
                facts.name = field.file_name().unwrap_or("file").to_owned();
                if let Some(kind) = field.content_type() {
                    facts.content_type = kind.to_owned();
                }
                let mut receiving = inner.files.receive(id).await?;
                write(&mut receiving, &mut field).await?;
                facts.size = receiving.size;
                facts.sha256 = receiving.finish().await?;
            }
            "filename" => facts.name = short(&mut field).await?,
            "type" => facts.content_type = short(&mut field).await?,
            "metadata" => {
                let text = short(&mut field).await?;
                let value: Option<Value> = serde_json::from_str(&text).ok();
                let value = value.filter(Value::is_object);
                facts.metadata = value
                    .ok_or_else(|| Problem::field("metadata", "format", "is not a JSON object"))?;
            }
            _ => {}
        }
    }
    if facts.sha256.is_empty() {
        return Err(Problem::field("content", "required", "content is required"));
    }
    if facts.name.len() > 255 {
        return Err(Problem::field(
            "filename",
            "length",
            "is longer than 255 bytes",
        ));
    }
    Ok(facts)
}

async fn write(receiving: &mut Receiving, field: &mut Field<'_>) -> Result<(), Problem> {
    let limit = (MAX_FILE_MIB * 1024 * 1024) as u64;
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        receiving.write(&chunk).await?;
        if receiving.size > limit {
            return Err(Problem::too_large(MAX_FILE_MIB));
        }
    }
    Ok(())
}

async fn short(field: &mut Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_FIELD {
            return Err(Problem::body("A field of the form is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Problem::body("A field of the form is not UTF-8"))
}

fn broken(error: &MultipartError) -> Problem {
    Problem::body(error.body_text())
}

pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(
        find(&inner, &id).await?.view(&inner.config.public_base_url),
    ))
}

/// Where a list goes on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Place {
    cursor: Option<String>,
}

pub(super) async fn list(
    State(inner): State<Arc<Inner>>,
    Query(place): Query<Place>,
) -> Result<Json<Value>, Problem> {
    let base = &inner.config.public_base_url;
    let ids = inner.files.ids().await?;
    let (upwards, from) = parse_cursor(place.cursor.as_deref())?;
    let newer = |id: &str| ids.partition_point(|other| other.as_str() > id);
    let page = match from {
        None => 0..PAGE,
        Some(id) if upwards => newer(id).saturating_sub(PAGE)..newer(id),
        Some(id) => {
            let start = ids.partition_point(|other| other.as_str() >= id);
            start..start + PAGE
        }
    };
    let page = page.start..page.end.min(ids.len());
    let mut results = Vec::with_capacity(page.len());
    for id in &ids[page.clone()] {
        // Gone in the meantime, perhaps.
        results.extend(inner.files.find(id).await?.map(|facts| facts.view(base)));
    }
    let link = |sign: char, id: &String| format!("{}/v1/files?cursor={sign}{id}", origin(base));
    let next = ids.get(page.end).and_then(|_| ids[page.clone()].last());
    let previous = ids[page.clone()].first().filter(|_| page.start > 0);
    Ok(Json(json!({
        "next": next.map(|id| link('o', id)),
        "previous": previous.map(|id| link('n', id)),
        "results": results,
    })))
}

pub(super) async fn delete(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let facts = find(&inner, &id).await?;
    inner.files.remove(&facts.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(inner: &Inner, id: &str) -> Result<Facts, Problem> {
    let found = if id::is_id(id) {
        inner.files.find(id).await?
    } else {
        None
    };
    found.ok_or_else(|| Problem::not_found("The file"))
}
