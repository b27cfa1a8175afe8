//! The rules that the bucket should have: the files of `infra/b2`, filled with this installation's names.
//!
//! They are filled as JSON, value by value: no name can break out of its string.

use serde_json::{Value, json};

use super::finding::Finding;
use super::site::Site;

const CORS: &str = include_str!("../../../../infra/b2/cors.json");
const LIFECYCLE: &str = include_str!("../../../../infra/b2/lifecycle.json");
const NOTIFICATIONS: &str = include_str!("../../../../infra/b2/notifications.json");

/// Everything that the program stores lies below.
pub(super) const OURS: &str = "videos/";

/// One rule for every page that uploads: `PUBLIC_URL` and `CORS_ALLOWED_ORIGINS`.
pub(super) fn cors(site: &Site) -> Result<Vec<Value>, Finding> {
    let url = public_url(site)?;
    let mut rules = filled(CORS, "corsRules", &[("PUBLIC_URL", &url)]);
    let others = site.settings.reader().list("CORS_ALLOWED_ORIGINS", "");
    for rule in &mut rules {
        if let Some(origins) = rule["allowedOrigins"].as_array_mut() {
            for other in others
                .iter()
                .map(|other| json!(other.trim_end_matches('/')))
            {
                if !origins.contains(&other) {
                    origins.push(other);
                }
            }
        }
    }
    Ok(rules)
}

/// For the whole bucket; where others have rules of their own in it, for our part: prefixes must not
/// overlap.
pub(super) fn lifecycle(others: &[Value]) -> Vec<Value> {
    let mut rules = filled(LIFECYCLE, "lifecycleRules", &[]);
    let prefixes = || {
        others
            .iter()
            .filter_map(|rule| rule["fileNamePrefix"].as_str())
    };
    let is_shared = prefixes().any(|prefix| prefix != OURS);
    if is_shared && prefixes().all(|prefix| !prefix.is_empty()) {
        for rule in &mut rules {
            rule["fileNamePrefix"] = OURS.into();
        }
    }
    rules
}

/// The rule that posts uploads to `on-upload`, signed.
pub(super) fn notifications(site: &Site) -> Result<Vec<Value>, Finding> {
    let url = public_url(site)?;
    let secret = site.find("B2_NOTIFICATION_SECRET").unwrap_or_default();
    if secret.len() != 32 || !secret.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(Finding::fail(
            "B2_NOTIFICATION_SECRET — это ровно 32 латинские буквы и цифры: openssl rand -hex 16",
            "B2_NOTIFICATION_SECRET has to be exactly 32 letters and digits: openssl rand -hex 16",
        ));
    }
    let names = [
        ("PUBLIC_URL", url.as_str()),
        ("B2_NOTIFICATION_SECRET", secret),
    ];
    Ok(filled(NOTIFICATIONS, "eventNotificationRules", &names))
}

fn public_url(site: &Site) -> Result<String, Finding> {
    site.public_url().ok_or_else(|| {
        Finding::not_checked(
            "правило называет PUBLIC_URL, а тот неверен: см. public-url",
            "the rule names PUBLIC_URL, which is wrong: see public-url",
        )
    })
}

/// The rules of a file of ours; a test parses each.
fn filled(source: &str, collection: &str, names: &[(&str, &str)]) -> Vec<Value> {
    let mut body: Value = serde_json::from_str(source).unwrap_or_default();
    fill(&mut body[collection], names);
    match body[collection].take() {
        Value::Array(rules) => rules,
        _ => Vec::new(),
    }
}

fn fill(value: &mut Value, names: &[(&str, &str)]) {
    match value {
        Value::String(text) => {
            for (name, filling) in names {
                *text = text.replace(&format!("${{{name}}}"), filling);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, names)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill(field, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What is there with ours put in: one of the same name is replaced, all others stay as they are.
pub(super) fn merged(there: &[Value], ours: &[Value], name: &str) -> Vec<Value> {
    let mut merged = there.to_vec();
    for rule in ours {
        match merged.iter_mut().find(|old| old[name] == rule[name]) {
            Some(old) => *old = rule.clone(),
            None => merged.push(rule.clone()),
        }
    }
    merged
}

/// Without what only B2 may say.
pub(super) fn writable(rules: &[Value]) -> Vec<Value> {
    let mut rules = rules.to_vec();
    for rule in rules.iter_mut().filter_map(Value::as_object_mut) {
        rule.remove("isSuspended");
        rule.remove("suspensionReason");
    }
    rules
}
