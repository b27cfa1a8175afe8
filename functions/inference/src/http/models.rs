//! The models of this process, each with the `card` that the registry of `shared_replicate` reads.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::Inner;
use super::problem::Problem;
use super::record::{moment, origin};
use crate::predictor::ModelCard;

pub(super) async fn list(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let models: Vec<Value> = inner.cards().map(|card| model(&inner, card)).collect();
    Json(page(&models))
}

pub(super) async fn show(
    State(inner): State<Arc<Inner>>,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(model(&inner, find(&inner, &owner, &name)?)))
}

pub(super) async fn versions(
    State(inner): State<Arc<Inner>>,
    Path((owner, name)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(page(&[describe(
        &inner,
        find(&inner, &owner, &name)?,
    )])))
}

pub(super) async fn version(
    State(inner): State<Arc<Inner>>,
    Path((owner, name, version)): Path<(String, String, String)>,
) -> Result<Json<Value>, Problem> {
    let card = find(&inner, &owner, &name)?;
    if card.version == version {
        Ok(Json(describe(&inner, card)))
    } else {
        Err(Problem::not_found("The version"))
    }
}

pub(super) fn find<'a>(
    inner: &'a Inner,
    owner: &str,
    name: &str,
) -> Result<&'a ModelCard, Problem> {
    let full = format!("{owner}/{name}");
    let card = inner.cards().find(|card| card.owner_name == full);
    card.ok_or_else(|| Problem::not_found("The model"))
}

fn page(results: &[Value]) -> Value {
    json!({ "next": null, "previous": null, "results": results })
}

fn model(inner: &Inner, card: &ModelCard) -> Value {
    let (owner, name) = card
        .owner_name
        .split_once('/')
        .unwrap_or(("local", card.owner_name));
    json!({
        "url": format!("{}/v1/models/{}", origin(&inner.config.public_base_url), card.owner_name),
        "owner": owner,
        "name": name,
        "description": card.summary,
        "visibility": "public",
        "is_official": false,
        "github_url": null,
        "paper_url": null,
        "license_url": null,
        "run_count": 0,
        "cover_image_url": null,
        "default_example": null,
        "latest_version": describe(inner, card),
        "card": {
            "task": card.task,
            "adapter": card.adapter,
            "file_field": card.file_fields.first(),
            "licence": card.licence,
            "limits": card.limits,
        },
    })
}

fn describe(inner: &Inner, card: &ModelCard) -> Value {
    json!({
        "id": card.version,
        "created_at": moment(inner.started_at),
        // Clients compare it: from 0.3.9 on, an array is not a stream of pieces.
        "cog_version": "0.16.0",
        "openapi_schema": schema(card),
    })
}

fn schema(card: &ModelCard) -> Value {
    let field = |(order, name): (usize, &&str)| {
        let field = json!({ "type": "string", "format": "uri", "title": name, "x-order": order });
        ((*name).to_owned(), field)
    };
    let properties: Map<String, Value> = card.file_fields.iter().enumerate().map(field).collect();
    let required: Vec<&str> = card.file_fields.iter().take(1).copied().collect();
    json!({
        "openapi": "3.0.2",
        "info": { "title": "Cog", "version": "0.1.0" },
        "paths": {},
        "components": { "schemas": {
            "Input": { "type": "object", "title": "Input", "required": required, "properties": properties },
            "Output": { "title": "Output" },
        } },
    })
}
