//! What B2 refuses in a rule.

use serde_json::Value;

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
const CORS: &[&str] = &[
    "corsRuleName",
    "allowedOrigins",
    "allowedOperations",
    "allowedHeaders",
    "exposeHeaders",
    "maxAgeSeconds",
];
const DAYS: &[&str] = &[
    "daysFromUploadingToHiding",
    "daysFromHidingToDeleting",
    "daysFromStartingToCancelingUnfinishedLargeFiles",
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
const NOTIFICATION: &[&str] = &[
    "name",
    "eventTypes",
    "isEnabled",
    "objectNamePrefix",
    "maxEventsPerBatch",
    "targetConfiguration",
    "isSuspended",
    "suspensionReason",
];
const TARGET: &[&str] = &[
    "targetType",
    "url",
    "hmacSha256SigningSecret",
    "customHeaders",
];

type Checked = Result<(), String>;

pub(super) fn check_cors(rules: &[Value]) -> Checked {
    distinct(rules, "corsRuleName", 100)?;
    for rule in rules {
        known(rule, CORS)?;
        let name = text(rule, "corsRuleName");
        ensure(
            (6..=50).contains(&name.len()),
            "corsRuleName has 6 to 50 characters",
        )?;
        ensure(
            !name.starts_with("b2-"),
            "corsRuleName must not start with b2-",
        )?;
        ensure(
            !texts(rule, "allowedOrigins").is_empty(),
            "allowedOrigins is empty",
        )?;
        let operations = texts(rule, "allowedOperations");
        let all_known = operations.iter().all(|one| OPERATIONS.contains(one));
        ensure(
            !operations.is_empty() && all_known,
            "allowedOperations are unknown",
        )?;
        let age = rule["maxAgeSeconds"].as_u64();
        ensure(
            age.is_some_and(|age| age <= 86_400),
            "maxAgeSeconds is 0 to 86400",
        )?;
        ensure(bytes(rule) < 1000, "a rule has under 1000 bytes")?;
    }
    Ok(())
}

pub(super) fn check_lifecycle(rules: &[Value]) -> Checked {
    ensure(rules.len() <= 100, "at most 100 lifecycle rules")?;
    for (index, rule) in rules.iter().enumerate() {
        known(rule, &[&["fileNamePrefix"], DAYS].concat())?;
        let Some(prefix) = rule["fileNamePrefix"].as_str() else {
            return Err("fileNamePrefix is required".to_owned());
        };
        let days: Vec<&Value> = DAYS.iter().map(|name| &rule[*name]).collect();
        ensure(
            days.iter().any(|days| !days.is_null()),
            "a rule does something",
        )?;
        let valid = |days: &&Value| days.is_null() || days.as_u64().is_some_and(|days| days > 0);
        ensure(days.iter().all(valid), "days are positive numbers")?;
        for other in &rules[index + 1..] {
            let other = text(other, "fileNamePrefix");
            let overlap = other.starts_with(prefix) || prefix.starts_with(other);
            ensure(
                !overlap,
                &format!("prefixes {prefix:?} and {other:?} overlap"),
            )?;
        }
    }
    Ok(())
}

pub(super) fn check_notifications(rules: &[Value]) -> Checked {
    distinct(rules, "name", 25)?;
    for (index, rule) in rules.iter().enumerate() {
        known(rule, NOTIFICATION)?;
        let name = text(rule, "name");
        ensure(
            (6..=63).contains(&name.len()),
            "name has 6 to 63 characters",
        )?;
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        ensure(
            plain && !name.starts_with("b2-"),
            "name is letters, digits, hyphens",
        )?;
        ensure(rule["isEnabled"].is_boolean(), "isEnabled is required")?;
        ensure(
            rule["objectNamePrefix"].is_string(),
            "objectNamePrefix is required",
        )?;
        let batch = &rule["maxEventsPerBatch"];
        let batched = batch.as_u64().is_some_and(|most| (1..=50).contains(&most));
        ensure(batch.is_null() || batched, "maxEventsPerBatch is 1 to 50")?;
        check_types(&texts(rule, "eventTypes"))?;
        check_target(&rule["targetConfiguration"])?;
        for other in &rules[index + 1..] {
            ensure(!same_events(rule, other), "two rules cover the same events")?;
        }
    }
    Ok(())
}

fn check_types(types: &[&str]) -> Checked {
    let all_known = types.iter().all(|one| EVENTS.contains(one));
    ensure(!types.is_empty() && all_known, "eventTypes are unknown")?;
    for (index, one) in types.iter().enumerate() {
        let twice = types[index + 1..].iter().any(|other| meet(one, other));
        ensure(!twice, "eventTypes overlap")?;
    }
    Ok(())
}

fn check_target(target: &Value) -> Checked {
    known(target, TARGET)?;
    ensure(
        text(target, "targetType") == "webhook",
        "targetType is webhook",
    )?;
    ensure(text(target, "url").starts_with("https://"), "url is https")?;
    let secret = &target["hmacSha256SigningSecret"];
    let sound = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    ensure(
        secret.is_null() || secret.as_str().is_some_and(sound),
        "hmacSha256SigningSecret has exactly 32 letters and digits",
    )
}

/// A wildcard covers its family.
fn meet(one: &str, other: &str) -> bool {
    let covers = |wide: &str, narrow: &str| {
        wide.strip_suffix('*')
            .is_some_and(|family| narrow.starts_with(family))
    };
    one == other || covers(one, other) || covers(other, one)
}

fn same_events(one: &Value, other: &Value) -> bool {
    let (a, b) = (
        text(one, "objectNamePrefix"),
        text(other, "objectNamePrefix"),
    );
    let types = texts(other, "eventTypes");
    let mut own = texts(one, "eventTypes").into_iter();
    (a.starts_with(b) || b.starts_with(a)) && own.any(|a| types.iter().any(|b| meet(a, b)))
}

fn distinct(rules: &[Value], name: &str, most: usize) -> Checked {
    ensure(rules.len() <= most, &format!("at most {most} rules"))?;
    for (index, rule) in rules.iter().enumerate() {
        let twice = rules[index + 1..]
            .iter()
            .any(|other| other[name] == rule[name]);
        ensure(!twice, &format!("{name} stands twice"))?;
    }
    Ok(())
}

fn known(value: &Value, names: &[&str]) -> Checked {
    let Some(fields) = value.as_object() else {
        return Err("an object is required".to_owned());
    };
    match fields.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown field {key}")),
        None => Ok(()),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn texts<'a>(value: &'a Value, name: &str) -> Vec<&'a str> {
    let items = value[name].as_array().into_iter().flatten();
    items.filter_map(Value::as_str).collect()
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

fn ensure(holds: bool, wrong: &str) -> Checked {
    if holds { Ok(()) } else { Err(wrong.to_owned()) }
}
