//! Create, show, cancel and list predictions.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::problem::Problem;
use super::record::{Phase, Record, origin};
use super::store::Entry;
use super::{Inner, create, id, router};

/// Entries of one page of a list.
pub(super) const PAGE: usize = 100;

type Answer = Result<(StatusCode, Json<Value>), Problem>;

pub(super) async fn create(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    start(&inner, None, &headers, body).await
}

pub(super) async fn create_by_model(
    State(inner): State<Arc<Inner>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    start(&inner, Some((&owner, &name)), &headers, body).await
}

async fn start(
    inner: &Inner,
    by_model: Option<(&str, &str)>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let body = body.map_err(|error| match error.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large(router::MAX_BODY_MIB),
        _ => Problem::body("The body cannot be read"),
    })?;
    let record = create::record(inner, by_model, headers, &body)?;
    let base = &inner.config.public_base_url;
    inner.store.insert(&record).await?;
    inner.work.push(record.id.clone());
    tracing::info!(prediction.id = %record.id, model = %record.model, "prediction created");
    let Some(patience) = create::patience(headers) else {
        return Ok((StatusCode::CREATED, Json(record.view(base))));
    };
    match ended(inner, &record.id, patience).await? {
        Some(record) => Ok((StatusCode::CREATED, Json(record.view(base)))),
        // Clients take every status but `starting` for the end of a wait.
        None => Ok((StatusCode::ACCEPTED, Json(record.view(base)))),
    }
}

/// The prediction once it has ended; `None` when patience runs out first.
async fn ended(inner: &Inner, id: &str, patience: Duration) -> Result<Option<Record>, Problem> {
    let mut changes = inner.store.changes();
    let terminal = async {
        while inner
            .store
            .phase(id)
            .is_some_and(|phase| !phase.is_terminal())
        {
            if changes.changed().await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = terminal => Ok(inner.store.find(id).await?),
        () = tokio::time::sleep(patience) => Ok(None),
        () = inner.stopping.cancelled() => Ok(None),
    }
}

pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = if id::is_id(&id) {
        inner.store.find(&id).await?
    } else {
        None
    };
    let record = found.ok_or_else(|| Problem::not_found("The prediction"))?;
    Ok(Json(record.view(&inner.config.public_base_url)))
}

pub(super) async fn cancel(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let missing = || Problem::not_found("The prediction");
    if !id::is_id(&id) {
        return Err(missing());
    }
    let record = inner.end(&id, Phase::Canceled).await?.ok_or_else(missing)?;
    Ok(Json(record.view(&inner.config.public_base_url)))
}

impl Inner {
    /// Ends a prediction that has not ended; the model that works on it is told to stop.
    pub(super) async fn end(&self, id: &str, phase: Phase) -> std::io::Result<Option<Record>> {
        let now = self.clock.now();
        let mut ended = false;
        let change = |record: &mut Record| {
            ended = !record.phase.is_terminal();
            if ended {
                record.end(phase, now);
            }
            ended
        };
        let record = self.store.update(id, change).await?;
        if let Some(flag) = self.running().get(id).filter(|_| ended) {
            flag.cancel();
        }
        if ended && record.as_ref().is_some_and(|record| record.webhook_due) {
            self.deliveries.push(id.to_owned());
        }
        Ok(record)
    }
}

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Narrowing {
    cursor: Option<String>,
    created_after: Option<String>,
    created_before: Option<String>,
    source: Option<String>,
}

pub(super) async fn list(
    State(inner): State<Arc<Inner>>,
    Query(query): Query<Narrowing>,
) -> Result<Json<Value>, Problem> {
    let after = moment("created_after", query.created_after.as_deref())?;
    let before = moment("created_before", query.created_before.as_deref())?;
    // `web` is the only value there is, and nothing here was made on a web page.
    let from_web = match query.source.as_deref() {
        None => false,
        Some("web") => true,
        Some(_) => return Err(Problem::field("source", "enum", "must be web")),
    };
    let wanted = |entry: &Entry| {
        !from_web
            && after.is_none_or(|after| entry.created_at >= after)
            && before.is_none_or(|before| entry.created_at < before)
    };
    let (upwards, from) = parse_cursor(query.cursor.as_deref())?;
    let ids = match from {
        Some(id) if upwards => inner.store.newer(id, PAGE, wanted),
        _ => inner.store.older(from, PAGE, wanted),
    };
    let mut results = Vec::with_capacity(ids.len());
    for id in &ids {
        if let Some(record) = inner.store.find(id).await? {
            results.push(short(record).view(&inner.config.public_base_url));
        }
    }
    let link = |sign: char, id: &String| {
        let cursor = format!("{sign}{id}");
        let base = origin(&inner.config.public_base_url);
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        pairs.append_pair("cursor", &cursor);
        for (name, value) in [
            ("created_after", &query.created_after),
            ("created_before", &query.created_before),
        ] {
            if let Some(value) = value {
                pairs.append_pair(name, value);
            }
        }
        format!("{base}/v1/predictions?{}", pairs.finish())
    };
    let more = |id: &&String| !inner.store.older(Some(id), 1, wanted).is_empty();
    let fewer = |id: &&String| !inner.store.newer(id, 1, wanted).is_empty();
    let next = ids.last().filter(more).map(|id| link('o', id));
    let previous = ids.first().filter(fewer).map(|id| link('n', id));
    Ok(Json(
        json!({ "next": next, "previous": previous, "results": results }),
    ))
}

/// A hundred inputs with pictures in them would be a gigabyte: lists leave the pictures out.
fn short(mut record: Record) -> Record {
    for value in record.input.values_mut() {
        if value
            .as_str()
            .is_some_and(|text| text.starts_with("data:") && text.len() > 1024)
        {
            *value = "data:,".into();
        }
    }
    record
}

/// `o` and an id: what is older than it; `n` and an id: what is newer.
pub(super) fn parse_cursor(cursor: Option<&str>) -> Result<(bool, Option<&str>), Problem> {
    let Some(cursor) = cursor else {
        return Ok((false, None));
    };
    let parsed = [("o", false), ("n", true)]
        .iter()
        .find_map(|(sign, upwards)| Some((*upwards, cursor.strip_prefix(sign)?)))
        .filter(|(_, id)| id::is_id(id));
    let (upwards, id) =
        parsed.ok_or_else(|| Problem::field("cursor", "format", "is not a cursor of ours"))?;
    Ok((upwards, Some(id)))
}

fn moment(field: &str, text: Option<&str>) -> Result<Option<OffsetDateTime>, Problem> {
    let parse = |text| OffsetDateTime::parse(text, &Rfc3339);
    text.map(parse)
        .transpose()
        .map_err(|_| Problem::field(field, "format", "is not a date and time"))
}
