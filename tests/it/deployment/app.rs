//! The two specifications of App Platform: the published schema, and the rules that it lacks.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde_json::{Value, json};

use super::{list, text, unknown, yaml};
use crate::tree;

const FILES: &[&str] = &[".do/app.yaml", ".do/split.yaml"];
const PARTS: &[&str] = &["services", "workers", "jobs"];
/// Keys as the platform's own client library knows them: the schema never reports a misspelt one.
const TOP: &[&str] = &[
    "name",
    "region",
    "services",
    "workers",
    "jobs",
    "functions",
    "static_sites",
    "databases",
    "domains",
    "ingress",
    "egress",
    "maintenance",
    "vpc",
    "envs",
    "alerts",
    "features",
];
const ANY: &[&str] = &[
    "name",
    "image",
    "run_command",
    "envs",
    "instance_size_slug",
    "instance_count",
    "autoscaling",
    "termination",
    "alerts",
    "log_destinations",
    "dockerfile_path",
    "source_dir",
    "github",
];
const SERVICE: &[&str] = &[
    "http_port",
    "protocol",
    "internal_ports",
    "health_check",
    "liveness_health_check",
];
const WORKER: &[&str] = &["liveness_health_check"];
const JOB: &[&str] = &["kind", "schedule", "timeout"];
const CHECK: &[&str] = &[
    "http_path",
    "port",
    "initial_delay_seconds",
    "period_seconds",
    "timeout_seconds",
    "success_threshold",
    "failure_threshold",
];
const ENV: &[&str] = &["key", "value", "scope", "type"];
const DATABASE: &[&str] = &[
    "name",
    "engine",
    "version",
    "production",
    "cluster_name",
    "db_name",
    "db_user",
];
/// Dollars a month.
const PRICES: &[(&str, u64)] = &[
    ("apps-s-1vcpu-0.5gb", 5),
    ("apps-s-1vcpu-1gb", 12),
    ("apps-s-1vcpu-2gb", 25),
    ("apps-s-2vcpu-4gb", 50),
];
const DEVELOPMENT_DATABASE: u64 = 7;
/// Every fifth minute of the smallest size.
const SCHEDULED: u64 = 1;

/// The published schema lags behind the platform: it lacks scheduled jobs and has a text where the
/// platform takes true and false. Nothing else is loosened.
fn schema() -> Result<Value> {
    let mut schema: Value =
        serde_json::from_str(&tree::read("tests/fixtures/do-app-spec.schema.json")?)?;
    let mut mended = 0;
    mend(&mut schema, &mut mended);
    ensure!(
        mended > 1,
        "the schema has neither job kinds nor prefixes any more"
    );
    Ok(schema)
}

fn mend(value: &mut Value, mended: &mut usize) {
    match value {
        Value::Array(items) => {
            if items.contains(&json!("PRE_DEPLOY")) && !items.contains(&json!("SCHEDULED")) {
                items.push(json!("SCHEDULED"));
                *mended += 1;
            }
            for item in items {
                mend(item, mended);
            }
        }
        Value::Object(fields) => {
            if let Some(prefix) = fields.get_mut("preserve_path_prefix") {
                *prefix = json!({ "type": "boolean" });
                *mended += 1;
            }
            for field in fields.values_mut() {
                mend(field, mended);
            }
        }
        _ => {}
    }
}

/// What is wrong with a specification.
fn faults(spec: &Value, source: &str) -> Result<Vec<String>> {
    let validator = jsonschema::validator_for(&schema()?)?;
    let mut found: Vec<String> = validator
        .iter_errors(spec)
        .map(|e| format!("{}: {e}", e.instance_path))
        .collect();
    found.extend(misspelt(spec));
    found.extend(bindings(spec, source)?);
    found.extend(routes(spec));
    found.extend(jobs(spec));
    found.extend(settings(spec)?);
    found.extend(running(spec));
    found.extend(price(spec, source)?);
    found.extend(functions(spec)?);
    Ok(found)
}

fn misspelt(spec: &Value) -> Vec<String> {
    let mut found = unknown(spec, TOP);
    for (kind, own) in PARTS.iter().zip([SERVICE, WORKER, JOB]) {
        for part in list(spec, kind) {
            found.extend(unknown(part, &[ANY, own].concat()));
            found.extend(unknown(&part["health_check"], CHECK));
            found.extend(unknown(&part["liveness_health_check"], CHECK));
            found.extend(unknown(
                &part["termination"],
                &["grace_period_seconds", "drain_seconds"],
            ));
        }
    }
    for env in list(spec, "envs") {
        found.extend(unknown(env, ENV));
    }
    for database in list(spec, "databases") {
        found.extend(unknown(database, DATABASE));
    }
    found
}

/// A name that binds to nothing stays in the value as it is written.
fn bindings(spec: &Value, source: &str) -> Result<Vec<String>> {
    let databases: BTreeSet<&str> = list(spec, "databases")
        .iter()
        .map(|d| text(d, "name"))
        .collect();
    let bound = Regex::new(r"\$\{([\w-]+)\.(?:DATABASE_URL|CA_CERT)\}")?;
    Ok(bound
        .captures_iter(source)
        .filter(|bound| !databases.contains(&bound[1]))
        .map(|bound| format!("{} is no database of this file", &bound[1]))
        .collect())
}

/// Requests come to a door under the path that it has everywhere.
fn routes(spec: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for rule in list(&spec["ingress"], "rules") {
        let (prefix, to) = (&rule["match"]["path"]["prefix"], &rule["component"]);
        if !list(spec, "services")
            .iter()
            .any(|s| s["name"] == to["name"])
        {
            found.push(format!("{prefix}: {} is no service", to["name"]));
        }
        if prefix != "/" && to["preserve_path_prefix"] != true {
            found.push(format!("{prefix} is cut off before the service sees it"));
        }
    }
    found
}

fn jobs(spec: &Value) -> Vec<String> {
    let wanted = [
        ("PRE_DEPLOY", "compliance migrate"),
        ("SCHEDULED", "compliance cleanup"),
    ];
    let mut found = Vec::new();
    for (kind, command) in wanted {
        let is_wanted = |job: &&Value| job["kind"] == kind && job["run_command"] == command;
        match list(spec, "jobs").iter().find(is_wanted) {
            None => found.push(format!("no {kind} job runs {command}")),
            Some(job) if kind == "SCHEDULED" => {
                if text(&job["schedule"], "cron").split_whitespace().count() != 5 {
                    found.push("a scheduled job has a cron expression of five fields".to_owned());
                }
            }
            Some(_) => {}
        }
    }
    found
}

/// Names are settings of the program; what is secret has no value in a file.
fn settings(spec: &Value) -> Result<Vec<String>> {
    let documented = tree::read(".env.example")?;
    let secret = Regex::new("(KEY|KEY_ID|SECRET|TOKEN|PASSWORD)$")?;
    let mut found = Vec::new();
    for env in list(spec, "envs") {
        let key = text(env, "key");
        if !documented.contains(&format!("# {key}=")) {
            found.push(format!("{key} is no setting"));
        }
        if secret.is_match(key) && (env["type"] != "SECRET" || env.get("value").is_some()) {
            found.push(format!("{key} is a secret, without a value in a file"));
        }
        if env["type"] != "SECRET" && env.get("value").is_none() {
            found.push(format!("{key} has no value"));
        }
        if key == "ALLOWED_HOSTS" && env["value"] == "*" {
            found.push("any name would be answered".to_owned());
        }
        if env["scope"] != "RUN_TIME" {
            found.push(format!("{key} is no business of a build"));
        }
    }
    Ok(found)
}

/// Watched, stopped in time, and one image for all.
fn running(spec: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let parts = || PARTS.iter().flat_map(|kind| list(spec, kind));
    let names: BTreeSet<&str> = parts().map(|part| text(part, "name")).collect();
    if names.len() != parts().count() {
        found.push("two components have one name".to_owned());
    }
    let images: BTreeSet<String> = parts().map(|part| part["image"].to_string()).collect();
    if images.len() != 1 {
        found.push("the components run different images".to_owned());
    }
    for kind in ["services", "workers"] {
        for part in list(spec, kind) {
            let name = text(part, "name");
            let alarm = list(part, "alerts")
                .iter()
                .any(|alert| alert["rule"] == "RESTART_COUNT");
            if !alarm {
                found.push(format!("{name}: nobody hears of its restarts"));
            }
            let stop = &part["termination"];
            let (drain, grace) = (
                stop["drain_seconds"].as_u64().unwrap_or(0),
                stop["grace_period_seconds"].as_u64(),
            );
            if grace < Some(drain + 25) {
                found.push(format!("{name}: 25 seconds are what it may take to stop"));
            }
            if kind == "services" && part.get("health_check").is_none() {
                found.push(format!("{name}: no health check"));
            }
        }
    }
    found
}

/// The sum that the file promises is that of its parts.
fn price(spec: &Value, source: &str) -> Result<Vec<String>> {
    let mut sum = SCHEDULED + DEVELOPMENT_DATABASE * list(spec, "databases").len() as u64;
    for part in ["services", "workers"]
        .iter()
        .flat_map(|kind| list(spec, kind))
    {
        let slug = text(part, "instance_size_slug");
        let Some((_, price)) = PRICES.iter().find(|(known, _)| *known == slug) else {
            return Ok(vec![format!("{slug} has no price here")]);
        };
        sum += price * part["instance_count"].as_u64().unwrap_or(1);
    }
    let stated = Regex::new(r"(?m)^#   sum +(\d+)$")?;
    let stated = stated.captures(source).context("the file states no sum")?;
    let told: u64 = stated[1].parse()?;
    Ok((told != sum)
        .then(|| format!("it costs {sum}, not {told}"))
        .into_iter()
        .collect())
}

/// Every function has a home.
fn functions(spec: &Value) -> Result<Vec<String>> {
    let mut homes = BTreeSet::new();
    for command in PARTS
        .iter()
        .flat_map(|kind| list(spec, kind))
        .map(|part| text(part, "run_command"))
    {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.get(1).copied() {
            Some("worker") if words.len() == 2 => {
                homes.extend(
                    [
                        "on-upload",
                        "frame-extract",
                        "replicate-webhook",
                        "report-finalize",
                        "send-email",
                    ]
                    .map(str::to_owned),
                );
            }
            Some("worker" | "cleanup") => {
                homes.extend(words[1..].iter().map(|word| (*word).to_owned()));
            }
            Some("serve") => {
                let only = words
                    .iter()
                    .position(|word| *word == "--only")
                    .context("--only")?;
                homes.extend(words[only + 1].split(',').map(str::to_owned));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for folder in std::fs::read_dir(tree::root().join("functions"))? {
        let name = folder?.file_name().to_string_lossy().into_owned();
        // One puts all together, the other takes Replicate's place on a laptop.
        if !["compliance", "inference"].contains(&name.as_str()) && !homes.contains(&name) {
            found.push(format!("{name} runs nowhere"));
        }
    }
    Ok(found)
}

#[test]
fn the_app_specifications_are_valid() -> Result<()> {
    for file in FILES {
        let source = tree::read(file)?;
        let found = faults(&yaml(&source)?, &source)?;
        ensure!(found.is_empty(), "{file}:\n{}", found.join("\n"));
    }
    Ok(())
}

#[test]
fn each_fault_of_a_specification_is_reported() -> Result<()> {
    let cases = [
        (0, "name: ai-compliance-agent", "name: AI"),
        (0, "engine: PG", "engine: ORACLE"),
        (0, "kind: SCHEDULED", "kind: POST_DEPLOY"),
        (0, "cron: \"*/5 * * * *\"", "cron: often"),
        (0, "${db.DATABASE_URL}", "${postgres.DATABASE_URL}"),
        (0, "http_port: 8000", "http_port: eighty"),
        (
            0,
            "run_command: compliance worker\n",
            "run_command: compliance worker\n    http_port: 8000\n",
        ),
        (0, "initial_delay_seconds: 10", "initial_delay: 10"),
        (
            0,
            "drain_seconds: 15\n      grace_period_seconds: 40",
            "drain_seconds: 111\n      grace_period_seconds: 200",
        ),
        (0, "grace_period_seconds: 60", "grace_period_seconds: 20"),
        (0, "    alerts: *alerts\n", ""),
        (
            0,
            "  - key: SECRET_KEY\n    scope: RUN_TIME\n    type: SECRET",
            "  - key: SECRET_KEY\n    scope: RUN_TIME\n    value: abc",
        ),
        (0, "  - key: DEBUG", "  - key: DEBUGGING"),
        (0, "value: ${APP_DOMAIN}", "value: \"*\""),
        (
            0,
            "  - key: DEBUG\n    scope: RUN_TIME",
            "  - key: DEBUG\n    scope: BUILD_TIME",
        ),
        (0, "instance_count: 1", "instance_count: 2"),
        (0, "console,upload-signed-url,", "console,"),
        (1, "        preserve_path_prefix: true\n", ""),
        (
            1,
            "run_command: compliance worker send-email",
            "run_command: compliance worker report-finalize",
        ),
        (1, "  - name: on-upload-queue", "  - name: on-upload"),
    ];
    for (file, from, to) in cases {
        let source = tree::read(FILES[file])?;
        ensure!(
            source.contains(from),
            "the example needs {from:?} in the file"
        );
        let bad = source.replacen(from, to, 1);
        let found = faults(&yaml(&bad)?, &bad)?;
        assert_eq!(found.len(), 1, "{to:?}: {found:?}");
    }
    Ok(())
}
