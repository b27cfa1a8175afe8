//! What a caller asks for, checked before anything is stored.

use axum::http::HeaderMap;
use serde_json::{Map, Value};
use time::Duration;

use super::fetch::Source;
use super::problem::Problem;
use super::record::{Phase, Record};
use super::{Inner, id, models};
use crate::predictor::ModelCard;

const EVENTS: [&str; 4] = ["start", "output", "logs", "completed"];

/// Builds the record of a new prediction. `by_model` is the model of the path, if it names one.
pub(super) fn record(
    inner: &Inner,
    by_model: Option<(&str, &str)>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Record, Problem> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| Problem::body(error.to_string()))?;
    let card = match by_model {
        Some((owner, name)) => models::find(inner, owner, name)?,
        None => versioned(inner, &body["version"])?,
    };
    let input = input(inner, card, &body["input"])?;
    let created_at = inner.clock.now();
    Ok(Record {
        id: id::fresh(inner.ids.as_ref()),
        model: card.owner_name.to_owned(),
        version: card.version.clone(),
        phase: Phase::Starting,
        input,
        output: Value::Null,
        error: None,
        created_at,
        started_at: None,
        completed_at: None,
        deadline: deadline(headers)?.map(|after| created_at + after),
        predict_time: None,
        starts: 0,
        data_removed: false,
        webhook: webhook(inner, &body["webhook"])?,
        events: events(&body["webhook_events_filter"])?,
        webhook_due: false,
    })
}

/// `owner/name:version`, the bare version, or `owner/name`.
fn versioned<'a>(inner: &'a Inner, version: &Value) -> Result<&'a ModelCard, Problem> {
    let Some(text) = version.as_str() else {
        return Err(Problem::field("version", "required", "version is required"));
    };
    let (name, hash) = match text.split_once(':') {
        Some((name, hash)) => (Some(name), Some(hash)),
        None if text.contains('/') => (Some(text), None),
        None => (None, Some(text)),
    };
    let fits = |card: &&ModelCard| {
        name.is_none_or(|name| card.owner_name == name) && hash.is_none_or(|h| card.version == h)
    };
    inner.cards().find(fits).ok_or_else(Problem::version)
}

fn input(inner: &Inner, card: &ModelCard, given: &Value) -> Result<Map<String, Value>, Problem> {
    let Some(input) = given.as_object() else {
        return Err(Problem::field(
            "input",
            "invalid_type",
            "Invalid type. Expected: object",
        ));
    };
    for (index, name) in card.file_fields.iter().enumerate() {
        let field = format!("input.{name}");
        match input.get(*name) {
            None if index == 0 => {
                return Err(Problem::field(
                    &field,
                    "required",
                    &format!("{name} is required"),
                ));
            }
            None => {}
            Some(Value::String(text)) => {
                Source::parse(inner, text).map_err(|why| Problem::field(&field, "format", why))?;
            }
            Some(_) => {
                let description = "Invalid type. Expected: string, a URL or data URI";
                return Err(Problem::field(&field, "invalid_type", description));
            }
        }
    }
    Ok(input.clone())
}

fn webhook(inner: &Inner, given: &Value) -> Result<Option<String>, Problem> {
    let refuse = |why| Err(Problem::field("webhook", "format", why));
    match given {
        Value::Null => Ok(None),
        Value::String(text) if inner.webhooks.parse(text).is_some() => Ok(Some(text.clone())),
        Value::String(_) => refuse("webhooks are not sent to this address"),
        _ => refuse("Invalid type. Expected: string"),
    }
}

/// Without a filter: what the hosted service sends by default.
fn events(given: &Value) -> Result<Vec<String>, Problem> {
    if given.is_null() {
        return Ok(vec!["output".into(), "completed".into()]);
    }
    let list = given.as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    let known = names.len() == list.len() && names.iter().all(|name| EVENTS.contains(name));
    if known && given.is_array() {
        Ok(names.into_iter().map(str::to_owned).collect())
    } else {
        let description = "must be a list of start, output, logs, completed";
        Err(Problem::field("webhook_events_filter", "enum", description))
    }
}

fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let Some(header) = headers.get("cancel-after") else {
        return Ok(None);
    };
    let length = header.to_str().ok().and_then(parse_length);
    let length = length.filter(|length| *length >= Duration::seconds(5));
    let why = "must be at least 5 seconds, such as 30, 30s, 5m or 1h30m45s";
    length
        .map(Some)
        .ok_or_else(|| Problem::field("Cancel-After", "format", why))
}

/// `30`, `30s`, `5m`, `1h30m45s`.
pub(super) fn parse_length(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut number = String::new();
    for c in text.trim().chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        let seconds = std::mem::take(&mut number)
            .parse::<i64>()
            .ok()?
            .checked_mul(unit)?;
        total = total.checked_add(Duration::seconds(seconds))?;
    }
    if !number.is_empty() {
        // A bare number is seconds, but only by itself.
        let alone = total == Duration::ZERO;
        total = alone
            .then(|| number.parse().ok().map(Duration::seconds))
            .flatten()?;
    }
    // A deadline has to be a date.
    (total > Duration::ZERO && total < Duration::days(365)).then_some(total)
}

/// How long the answer may wait for the end: `Prefer: wait` or `wait=N`, at most a minute.
pub(super) fn patience(headers: &HeaderMap) -> Option<std::time::Duration> {
    let text = headers.get("prefer")?.to_str().ok()?;
    let wait = text
        .split([',', ';'])
        .map(str::trim)
        .find_map(|part| part.strip_prefix("wait"))?;
    let seconds = match wait.strip_prefix('=') {
        Some(number) => number.trim().parse().ok()?,
        None if wait.is_empty() => 60,
        None => return None,
    };
    Some(std::time::Duration::from_secs(u64::clamp(seconds, 1, 60)))
}
