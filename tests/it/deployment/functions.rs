//! `infra/functions/project.yml` as the platform's deployer reads it: any other key is an error there.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{list, text, unknown, yaml};
use crate::tree;

const FILE: &str = "infra/functions/project.yml";
const PROJECT: &[&str] = &["packages", "parameters", "environment"];
const PACKAGE: &[&str] = &[
    "name",
    "functions",
    "shared",
    "web",
    "parameters",
    "environment",
    "annotations",
    "binding",
];
const FUNCTION: &[&str] = &[
    "name",
    "file",
    "runtime",
    "main",
    "binary",
    "docker",
    "sequence",
    "web",
    "webSecure",
    "parameters",
    "environment",
    "annotations",
    "limits",
    "triggers",
    "remoteBuild",
    "localBuild",
];
const LIMITS: &[&str] = &["timeout", "memory", "logs"];
/// Functions that answer requests and are one handler; the console is many doors.
const DOORS: &[&str] = &["on-upload", "replicate-webhook", "upload-signed-url"];

fn faults(project: &Value) -> Vec<String> {
    let mut found = unknown(project, PROJECT);
    let documented = tree::read(".env.example").unwrap_or_default();
    for package in list(project, "packages") {
        found.extend(unknown(package, PACKAGE));
        found.extend(environment(&package["environment"], &documented));
        if package["environment"]["FN_HOST"] != "actionloop" {
            found.push("FN_HOST says which host speaks".to_owned());
        }
        // The doors' path is `/functions/NAME` in every host.
        if package["name"] != "functions" {
            found.push("the package's name is part of the path".to_owned());
        }
        for function in list(package, "functions") {
            let name = text(function, "name");
            let wrong = [
                unknown(function, FUNCTION),
                unknown(&function["limits"], LIMITS),
                environment(&function["environment"], &documented),
                binary(function),
            ]
            .concat();
            found.extend(wrong.iter().map(|wrong| format!("{name}: {wrong}")));
            if !DOORS.contains(&name) {
                found.push(format!("{name} cannot run there"));
            }
        }
    }
    found
}

/// Values are texts, names are settings.
fn environment(value: &Value, documented: &str) -> Vec<String> {
    let pairs = value.as_object().into_iter().flatten();
    pairs
        .filter(|(name, value)| !value.is_string() || !documented.contains(&format!("# {name}=")))
        .map(|(name, _)| format!("{name} is no setting with a text"))
        .collect()
}

/// A ready binary on a Go runtime, called raw, within the platform's limits.
fn binary(function: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if !text(function, "runtime").starts_with("go:") || function["localBuild"] != true {
        found.push("a ready binary wants a Go runtime and localBuild");
    }
    if function.get("remoteBuild").is_some() || function.get("main").is_some() {
        found.push("remoteBuild and main are for sources");
    }
    if function["web"] != "raw" {
        found.push("a signature is over the raw body");
    }
    let limits = &function["limits"];
    if !limits["timeout"]
        .as_u64()
        .is_some_and(|ms| (1..=900_000).contains(&ms))
    {
        found.push("timeout: milliseconds, 15 minutes at most");
    }
    if !limits["memory"]
        .as_u64()
        .is_some_and(|mb| (128..=1024).contains(&mb))
    {
        found.push("memory: 128 to 1024 MB");
    }
    found.iter().map(|&wrong| wrong.to_owned()).collect()
}

#[test]
fn the_functions_project_is_valid() -> Result<()> {
    let project = yaml(&tree::read(FILE)?)?;
    let found = faults(&project);
    ensure!(found.is_empty(), "{}", found.join("\n"));
    let mut named: Vec<&str> = list(&project["packages"][0], "functions")
        .iter()
        .map(|f| text(f, "name"))
        .collect();
    named.sort_unstable();
    assert_eq!(named, DOORS);
    Ok(())
}

#[test]
fn each_door_has_a_folder_that_sends_its_binary_alone() -> Result<()> {
    for name in DOORS {
        let include = tree::read(&format!(
            "infra/functions/packages/functions/{name}/.include"
        ))?;
        assert_eq!(include, "exec\n");
    }
    Ok(())
}

#[test]
fn each_fault_of_a_functions_project_is_reported() -> Result<()> {
    let cases = [
        ("packages:\n", "namespace: x\npackages:\n"),
        ("- name: functions", "- name: compliance"),
        ("FN_HOST: actionloop", "FN_HOST: http"),
        (
            "DATABASE_MAX_CONNECTIONS: \"1\"",
            "DATABASE_MAX_CONNECTIONS: 1",
        ),
        ("LOG_LEVEL: info", "LOGLEVEL: info"),
        ("name: on-upload", "name: console"),
        (
            "localBuild: true",
            "remoteBuild: false\n        localBuild: true",
        ),
        ("runtime: go:1.20", "runtime: rust:1.95"),
        ("web: raw", "web: true"),
        ("timeout: 30000", "timeout: 1000000"),
        ("memory: 256", "memory: 64"),
        ("memory: 256", "memory: 256\n          disk: 1"),
        ("        limits:", "        schedule: x\n        limits:"),
    ];
    let source = tree::read(FILE)?;
    for (from, to) in cases {
        ensure!(
            source.contains(from),
            "the example needs {from:?} in the file"
        );
        let found = faults(&yaml(&source.replacen(from, to, 1))?);
        assert_eq!(found.len(), 1, "{to:?}: {found:?}");
    }
    Ok(())
}
