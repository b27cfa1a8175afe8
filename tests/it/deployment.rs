//! `.do/app.yaml` keeps the platform's schema and its own promises.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde_json::{Value, json};

use crate::tree;

/// The published schema lags behind the platform: it lacks scheduled jobs, which the platform's own
/// client library and product pages have. Nothing else is loosened.
fn schema() -> Result<Value> {
    let mut schema: Value =
        serde_json::from_str(&tree::read("tests/fixtures/do-app-spec.schema.json")?)?;
    let mut mended = 0;
    allow_scheduled(&mut schema, &mut mended);
    ensure!(mended > 0, "the schema has no job kinds any more");
    Ok(schema)
}

fn allow_scheduled(value: &mut Value, mended: &mut usize) {
    match value {
        Value::Array(items) => {
            if items.contains(&json!("PRE_DEPLOY")) && !items.contains(&json!("SCHEDULED")) {
                items.push(json!("SCHEDULED"));
                *mended += 1;
            }
            for item in items {
                allow_scheduled(item, mended);
            }
        }
        Value::Object(fields) => {
            for field in fields.values_mut() {
                allow_scheduled(field, mended);
            }
        }
        _ => {}
    }
}

/// What is wrong with a specification beyond the schema, which never reports an unknown name.
fn faults(spec: &Value, text: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let validator = jsonschema::validator_for(&schema()?)?;
    found.extend(
        validator
            .iter_errors(spec)
            .map(|e| format!("{}: {e}", e.instance_path)),
    );

    let list = |key: &str| spec[key].as_array().cloned().unwrap_or_default();
    let databases: BTreeSet<String> = list("databases")
        .iter()
        .filter_map(|d| d["name"].as_str().map(str::to_owned))
        .collect();
    for bound in Regex::new(r"\$\{([\w-]+)\.(?:DATABASE_URL|CA_CERT)\}")?.captures_iter(text) {
        if !databases.contains(&bound[1]) {
            found.push(format!("{} is no database of this file", &bound[1]));
        }
    }
    for part in [list("workers"), list("jobs")].concat() {
        if part.get("http_port").is_some() {
            found.push(format!("{}: only services have a port", part["name"]));
        }
    }
    for kind in ["PRE_DEPLOY", "SCHEDULED"] {
        if !list("jobs").iter().any(|job| job["kind"] == kind) {
            found.push(format!("no {kind} job"));
        }
    }
    for secret in list("envs").iter().filter(|env| env["type"] == "SECRET") {
        if secret.get("value").is_some() {
            found.push(format!(
                "{}: a secret has no value in a file",
                secret["key"]
            ));
        }
    }
    Ok(found)
}

fn parse(text: &str) -> Result<Value> {
    serde_saphyr::from_str(text).context(".do/app.yaml does not parse")
}

#[test]
fn the_app_specification_is_valid() -> Result<()> {
    let text = tree::read(".do/app.yaml")?;
    let found = faults(&parse(&text)?, &text)?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn each_fault_of_a_specification_is_reported() -> Result<()> {
    let text = tree::read(".do/app.yaml")?;
    let cases = [
        ("name: ai-compliance-agent", "name: AI", 1),
        ("engine: PG", "engine: ORACLE", 1),
        ("kind: SCHEDULED", "kind: POST_DEPLOY", 1),
        ("${db.DATABASE_URL}", "${postgres.DATABASE_URL}", 1),
        ("http_port: 8000", "http_port: eighty", 1),
    ];
    for (from, to, count) in cases {
        ensure!(
            text.contains(from),
            "the example needs {from:?} in the file"
        );
        let bad = text.replacen(from, to, 1);
        let found = faults(&parse(&bad)?, &bad)?;
        assert_eq!(found.len(), count, "{to}: {found:?}");
    }
    Ok(())
}
