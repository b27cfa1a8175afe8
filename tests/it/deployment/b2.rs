//! The bucket's rules, held against B2's.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde_json::Value;

use super::{list, text, unknown};
use crate::tree;

const OPERATIONS: &[&str] = &[
    "b2_download_file_by_name",
    "b2_download_file_by_id",
    "b2_upload_file",
    "b2_upload_part",
    "s3_get",
    "s3_head",
    "s3_put",
    "s3_post",
    "s3_delete",
];
const EVENTS: &[&str] = &[
    "b2:ObjectCreated:Upload",
    "b2:ObjectCreated:MultipartUpload",
    "b2:ObjectCreated:Copy",
    "b2:ObjectCreated:Replica",
    "b2:ObjectCreated:MultipartReplica",
    "b2:ObjectCreated:*",
    "b2:ObjectDeleted:Delete",
    "b2:ObjectDeleted:LifecycleRule",
    "b2:ObjectDeleted:*",
    "b2:HideMarkerCreated:Hide",
    "b2:HideMarkerCreated:LifecycleRule",
    "b2:HideMarkerCreated:*",
    "b2:MultipartUploadCreated:LiveRead",
    "b2:MultipartUploadCreated:*",
];
const CORS_RULE: &[&str] = &[
    "corsRuleName",
    "allowedOrigins",
    "allowedOperations",
    "allowedHeaders",
    "exposeHeaders",
    "maxAgeSeconds",
];
const NOTIFICATION_RULE: &[&str] = &[
    "name",
    "eventTypes",
    "isEnabled",
    "objectNamePrefix",
    "maxEventsPerBatch",
    "targetConfiguration",
];
/// What stands for the placeholders: the longest that they may be.
const FILLED: &[(&str, &str)] = &[
    ("B2_ACCOUNT_ID", "0123456789ab"),
    ("B2_BUCKET_ID", "e73ede9969c64427a54b1d2f"),
    (
        "PUBLIC_URL",
        "https://compliance.a-rather-long-name-of-a-studio.example.com",
    ),
    ("B2_NOTIFICATION_SECRET", "kA7wQ2mZ9xR4tB6nV1cH8jL3pS5dF0gY"),
];

/// A file with its placeholders filled in.
fn body(source: &str) -> Result<Value> {
    let mut filled = source.to_owned();
    for (name, value) in FILLED {
        filled = filled.replace(&format!("${{{name}}}"), value);
    }
    ensure!(
        !filled.contains("${"),
        "a placeholder is not known: {filled}"
    );
    serde_json::from_str(&filled).context("the file is no JSON")
}

fn names(rules: &[Value], key: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice = rules.iter().filter(|rule| !seen.insert(text(rule, key)));
    twice
        .map(|rule| format!("{key} {} stands twice", rule[key]))
        .collect()
}

fn addressed(body: &Value, collection: &str) -> Vec<String> {
    let known = ["accountId", "bucketId", "ifRevisionIs", collection];
    let mut found = unknown(body, &known);
    if text(body, "accountId").is_empty() || text(body, "bucketId").is_empty() {
        found.push("b2_update_bucket needs accountId and bucketId".to_owned());
    }
    if list(body, collection).is_empty() || list(body, collection).len() > 100 {
        found.push(format!("{collection}: 1 to 100 rules"));
    }
    found
}

/// Bytes of all texts of a rule.
fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes).sum(),
        Value::Object(fields) => fields.values().map(bytes).sum(),
        _ => 0,
    }
}

fn cors(body: &Value) -> Vec<String> {
    let rules = list(body, "corsRules");
    let mut found = [addressed(body, "corsRules"), names(rules, "corsRuleName")].concat();
    for rule in rules {
        let name = text(rule, "corsRuleName");
        let wrong = cors_rule(rule);
        found.extend(wrong.iter().map(|wrong| format!("{name}: {wrong}")));
    }
    // What the page does: puts parts and reads their tags.
    let has = |rule: &Value, key: &str, item: &str| list(rule, key).iter().any(|one| one == item);
    if !rules.iter().any(|rule| {
        has(rule, "allowedOperations", "s3_put")
            && has(rule, "exposeHeaders", "etag")
            && has(rule, "allowedHeaders", "content-type")
    }) {
        found.push("a browser cannot upload in parts".to_owned());
    }
    found
}

fn cors_rule(rule: &Value) -> Vec<String> {
    let name = text(rule, "corsRuleName");
    let mut wrong = unknown(rule, CORS_RULE);
    if !(6..=50).contains(&name.len()) || name.starts_with("b2-") {
        wrong.push("is no name of a rule".to_owned());
    }
    let origins = list(rule, "allowedOrigins");
    if origins.is_empty() || origins.iter().any(|origin| origin == "*") {
        wrong.push("origins are named".to_owned());
    }
    let operations = list(rule, "allowedOperations");
    if operations.is_empty()
        || operations
            .iter()
            .any(|o| !OPERATIONS.iter().any(|known| o == known))
    {
        wrong.push(format!("{operations:?} are no operations"));
    }
    if rule["maxAgeSeconds"]
        .as_u64()
        .is_none_or(|age| age > 86_400)
    {
        wrong.push("maxAgeSeconds is 0 to 86400".to_owned());
    }
    if bytes(rule) >= 1000 {
        wrong.push(format!("{} bytes, under 1000 are allowed", bytes(rule)));
    }
    wrong
}

fn lifecycle(body: &Value) -> Vec<String> {
    const DAYS: &[&str] = &[
        "daysFromUploadingToHiding",
        "daysFromHidingToDeleting",
        "daysFromStartingToCancelingUnfinishedLargeFiles",
    ];
    let rules = list(body, "lifecycleRules");
    let mut found = addressed(body, "lifecycleRules");
    for (index, rule) in rules.iter().enumerate() {
        found.extend(unknown(rule, &[&["fileNamePrefix"], DAYS].concat()));
        let Some(prefix) = rule["fileNamePrefix"].as_str() else {
            found.push("a rule has a prefix, be it empty".to_owned());
            continue;
        };
        if rules[index + 1..]
            .iter()
            .any(|other| overlap(prefix, text(other, "fileNamePrefix")))
        {
            found.push(format!("{prefix:?} overlaps another rule's prefix"));
        }
        if DAYS.iter().all(|key| rule[*key].is_null()) {
            found.push(format!("{prefix:?} does nothing"));
        }
        for key in DAYS.iter().filter(|key| !rule[**key].is_null()) {
            if rule[*key].as_u64().is_none_or(|days| days == 0) {
                found.push(format!("{key} is a positive number or null"));
            }
        }
        // An upload may be resumed for a day.
        if rule[DAYS[2]] == 1 {
            found.push("an upload that may still be resumed would be cancelled".to_owned());
        }
        if !rule[DAYS[0]].is_null() {
            found.push("videos would be hidden by their age".to_owned());
        }
    }
    found
}

fn overlap(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn notifications(body: &Value) -> Result<Vec<String>> {
    let rules = list(body, "eventNotificationRules");
    let mut found = [
        unknown(body, &["bucketId", "eventNotificationRules"]),
        names(rules, "name"),
    ]
    .concat();
    if text(body, "bucketId").is_empty() || rules.is_empty() || rules.len() > 25 {
        found.push("a bucketId and 1 to 25 rules".to_owned());
    }
    for (index, rule) in rules.iter().enumerate() {
        let name = text(rule, "name");
        let mut wrong = [
            notification_rule(rule)?,
            target(&rule["targetConfiguration"])?,
        ]
        .concat();
        if rules[index + 1..]
            .iter()
            .any(|other| covers_the_same(rule, other))
        {
            wrong.push("another rule covers the same events".to_owned());
        }
        found.extend(wrong.iter().map(|wrong| format!("{name}: {wrong}")));
    }
    Ok(found)
}

fn notification_rule(rule: &Value) -> Result<Vec<String>> {
    let (name, types) = (text(rule, "name"), list(rule, "eventTypes"));
    let mut wrong = unknown(rule, NOTIFICATION_RULE);
    if !Regex::new("^[A-Za-z0-9-]{6,63}$")?.is_match(name) || name.starts_with("b2-") {
        wrong.push("is no name of a rule".to_owned());
    }
    if types.is_empty() || types.iter().any(|t| !EVENTS.iter().any(|known| t == known)) {
        wrong.push(format!("{types:?} are no types of events"));
    }
    let twice = |(at, one): (usize, &Value)| types[at + 1..].iter().any(|other| meet(one, other));
    if types.iter().enumerate().any(twice) {
        wrong.push("types of one rule overlap".to_owned());
    }
    if rule["isEnabled"] != true || !rule["objectNamePrefix"].is_string() {
        wrong.push("isEnabled and objectNamePrefix are needed".to_owned());
    }
    if rule["maxEventsPerBatch"]
        .as_u64()
        .is_some_and(|count| !(1..=50).contains(&count))
    {
        wrong.push("maxEventsPerBatch is 1 to 50".to_owned());
    }
    Ok(wrong)
}

fn target(target: &Value) -> Result<Vec<String>> {
    let mut wrong = unknown(
        target,
        &[
            "targetType",
            "url",
            "hmacSha256SigningSecret",
            "customHeaders",
        ],
    );
    let url = text(target, "url");
    let is_ours = url.starts_with("https://") && url.ends_with("/functions/on-upload");
    if target["targetType"] != "webhook" || !is_ours {
        wrong.push("the target is the webhook of on-upload, by https".to_owned());
    }
    let secret = text(target, "hmacSha256SigningSecret");
    if !Regex::new("^[A-Za-z0-9]{32}$")?.is_match(secret) {
        wrong.push("the secret has exactly 32 letters and digits".to_owned());
    }
    Ok(wrong)
}

fn covers_the_same(rule: &Value, other: &Value) -> bool {
    let types = |rule| list(rule, "eventTypes");
    let meets = |one: &Value| types(other).iter().any(|two| meet(one, two));
    types(rule).iter().any(meets)
        && overlap(
            text(rule, "objectNamePrefix"),
            text(other, "objectNamePrefix"),
        )
}

/// One type of event is the other, or a wildcard over it.
fn meet(one: &Value, other: &Value) -> bool {
    let (one, other) = (
        one.as_str().unwrap_or_default(),
        other.as_str().unwrap_or_default(),
    );
    let over = |wide: &str, narrow: &str| {
        wide.strip_suffix('*')
            .is_some_and(|stem| narrow.starts_with(stem))
    };
    one == other || over(one, other) || over(other, one)
}

fn faults(file: &str, source: &str) -> Result<Vec<String>> {
    let body = body(source)?;
    Ok(match file {
        "cors" => cors(&body),
        "lifecycle" => lifecycle(&body),
        _ => notifications(&body)?,
    })
}

#[test]
fn the_rules_of_the_bucket_are_those_that_b2_takes() -> Result<()> {
    for file in ["cors", "lifecycle", "notifications"] {
        let found = faults(file, &tree::read(&format!("infra/b2/{file}.json"))?)?;
        ensure!(found.is_empty(), "{file}: {}", found.join("\n"));
    }
    Ok(())
}

#[test]
fn notifications_are_of_uploads_alone() -> Result<()> {
    let body = body(&tree::read("infra/b2/notifications.json")?)?;
    let prefix = text(&body["eventNotificationRules"][0], "objectNamePrefix");
    let keys = tree::read("shared/objects/src/keys.rs")?;
    ensure!(
        keys.contains(&format!("RAW_PREFIX: &str = \"{prefix}\"")),
        "{prefix}"
    );
    Ok(())
}

/// File, what stands there, what is wrong in its place.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "cors",
        "\"corsRuleName\": \"browser-upload-and-playback\"",
        "\"corsRuleName\": \"b2-upload\"",
    ),
    ("cors", "\"${PUBLIC_URL}\"", "\"*\""),
    ("cors", "\"s3_get\"", "\"s3_list\""),
    ("cors", "\"etag\", ", ""),
    ("cors", "3600", "90000"),
    (
        "cors",
        "\"maxAgeSeconds\"",
        "\"maxAge\": 1, \"maxAgeSeconds\"",
    ),
    ("cors", "\"range\"", "\"LONG\""),
    ("cors", "\"bucketId\": \"${B2_BUCKET_ID}\",", ""),
    (
        "lifecycle",
        "\"daysFromHidingToDeleting\": 1",
        "\"daysFromHidingToDeleting\": 0",
    ),
    (
        "lifecycle",
        "UnfinishedLargeFiles\": 2",
        "UnfinishedLargeFiles\": 1",
    ),
    (
        "lifecycle",
        "\"daysFromUploadingToHiding\": null",
        "\"daysFromUploadingToHiding\": 30",
    ),
    (
        "lifecycle",
        "\"lifecycleRules\": [",
        "\"lifecycleRules\": [{\"fileNamePrefix\": \"videos/\", \"daysFromHidingToDeleting\": 1},",
    ),
    ("notifications", "uploads-to-on-upload", "b2-uploads"),
    ("notifications", "uploads-to-on-upload", "short"),
    (
        "notifications",
        "b2:ObjectCreated:Upload",
        "b2:ObjectCreated:*",
    ),
    ("notifications", "b2:ObjectCreated:Upload", "b2:TestEvent"),
    (
        "notifications",
        "${PUBLIC_URL}/functions",
        "http://example.com/functions",
    ),
    ("notifications", "${B2_NOTIFICATION_SECRET}", "tooshort"),
    (
        "notifications",
        "\"maxEventsPerBatch\": 1",
        "\"maxEventsPerBatch\": 51",
    ),
    (
        "notifications",
        "\"isEnabled\": true,",
        "\"isEnabled\": true, \"isSuspended\": false,",
    ),
];

#[test]
fn each_fault_of_a_rule_is_reported() -> Result<()> {
    for (file, from, to) in FAULTS {
        let source = tree::read(&format!("infra/b2/{file}.json"))?;
        ensure!(
            source.contains(from),
            "the example needs {from:?} in the file"
        );
        let to = to.replace("LONG", &"x".repeat(900));
        let found = faults(file, &source.replacen(from, &to, 1))?;
        assert_eq!(found.len(), 1, "{to:?}: {found:?}");
    }
    Ok(())
}
