//! The bucket's rules, held against B2's.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use shared_testing::FakeB2;

use super::{list, text, unknown};
use crate::tree;

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

/// What B2 itself refuses, and a body that does not say where it belongs.
fn refused(body: &Value, keys: &[&str], collection: &str) -> Vec<String> {
    let mut found = unknown(body, &[keys, &["ifRevisionIs", collection]].concat());
    found.extend(
        keys.iter()
            .filter(|key| text(body, key).is_empty())
            .map(|key| format!("{key} is needed")),
    );
    let rules = list(body, collection);
    if rules.is_empty() {
        found.push(format!("{collection} is empty"));
    }
    found.extend(FakeB2::check(collection, rules).err());
    found
}

fn cors(body: &Value) -> Vec<String> {
    let rules = list(body, "corsRules");
    let mut found = refused(body, &["accountId", "bucketId"], "corsRules");
    let has = |rule: &Value, key: &str, item: &str| list(rule, key).iter().any(|one| one == item);
    if rules.iter().any(|rule| has(rule, "allowedOrigins", "*")) {
        found.push("origins are named".to_owned());
    }
    // What the page does: puts parts and reads their tags.
    if !rules.iter().any(|rule| {
        has(rule, "allowedOperations", "s3_put")
            && has(rule, "exposeHeaders", "etag")
            && has(rule, "allowedHeaders", "content-type")
    }) {
        found.push("a browser cannot upload in parts".to_owned());
    }
    found
}

fn lifecycle(body: &Value) -> Vec<String> {
    let mut found = refused(body, &["accountId", "bucketId"], "lifecycleRules");
    for rule in list(body, "lifecycleRules") {
        // An upload may be resumed for a day.
        if rule["daysFromStartingToCancelingUnfinishedLargeFiles"] == 1 {
            found.push("an upload that may still be resumed would be cancelled".to_owned());
        }
        if !rule["daysFromUploadingToHiding"].is_null() {
            found.push("videos would be hidden by their age".to_owned());
        }
    }
    found
}

fn notifications(body: &Value) -> Vec<String> {
    let mut found = refused(body, &["bucketId"], "eventNotificationRules");
    for rule in list(body, "eventNotificationRules") {
        let target = &rule["targetConfiguration"];
        if !text(target, "url").ends_with("/functions/on-upload") {
            found.push("the target is the webhook of on-upload".to_owned());
        }
        if rule["isEnabled"] != true || target["hmacSha256SigningSecret"].is_null() {
            found.push("a rule is on and its events are signed".to_owned());
        }
        // B2 shows it, and nobody sends it.
        if !rule["isSuspended"].is_null() {
            found.push("whether a rule is suspended is B2's to say".to_owned());
        }
    }
    found
}

fn faults(file: &str, source: &str) -> Result<Vec<String>> {
    let body = body(source)?;
    Ok(match file {
        "cors" => cors(&body),
        "lifecycle" => lifecycle(&body),
        _ => notifications(&body),
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
