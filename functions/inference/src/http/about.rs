//! Who answers here, on what, and with which secret webhooks are signed.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Inner;

pub(super) async fn account() -> Json<Value> {
    Json(json!({ "type": "organization", "username": "local", "name": "Local inference" }))
}

pub(super) async fn hardware() -> Json<Value> {
    Json(json!([{ "name": "CPU", "sku": "cpu" }]))
}

pub(super) async fn secret(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!({ "key": inner.config.webhook_secret.expose_secret() }))
}

pub(super) async fn health(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let models: Vec<&str> = inner.cards().map(|card| card.owner_name).collect();
    Json(json!({ "status": "healthy", "models": models }))
}
