//! Deployment files keep their platforms' rules and their own promises: `just lint` runs the platforms' own
//! validators, and here stands what those do not look at.

mod app;
mod b2;
mod docker;
mod functions;
mod guide;
mod lambda;

use anyhow::{Context, Result};
use serde_json::Value;

/// A YAML document as JSON.
fn yaml(text: &str) -> Result<Value> {
    serde_saphyr::from_str(text).context("the file does not parse")
}

/// The items of a list, or none.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// A text, or an empty one.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Keys of an object that are not in the table.
fn unknown(value: &Value, known: &[&str]) -> Vec<String> {
    let keys = value
        .as_object()
        .into_iter()
        .flat_map(|fields| fields.keys());
    keys.filter(|key| !known.contains(&key.as_str()))
        .map(|key| format!("{key} is no key here"))
        .collect()
}
