//! Who may depend on whom: house style, section 2, as a table.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::tree;

const DOMAIN: &str = "shared-domain";
const TESTING: &str = "shared-testing";
/// What every function may use besides the registry.
const FUNCTION: &[&str] = &[
    DOMAIN,
    "shared-policy",
    "shared-exports",
    "shared-store",
    "shared-objects",
    "shared-media",
    "shared-replicate",
    "shared-runtime",
];

/// One dependency between two packages of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: String,
    /// The folder that holds `from`: `shared`, `functions` or the top (`tests`).
    place: String,
    to: String,
    dev: bool,
}

/// What may stand under `[dependencies]` of a package.
fn may_use(place: &str, from: &str) -> Vec<&'static str> {
    match (place, from) {
        (_, DOMAIN) => vec![],
        (
            _,
            "shared-policy" | "shared-store" | "shared-objects" | "shared-media"
            | "shared-replicate",
        ) => {
            vec![DOMAIN]
        }
        (_, "shared-exports") => vec![DOMAIN, "shared-policy"],
        (_, "shared-queue") => vec![DOMAIN, "shared-store"],
        (_, "shared-runtime") => vec![DOMAIN, "shared-store", "shared-queue"],
        // The harness stands outside the product and may open any part of it.
        (_, TESTING) => [FUNCTION, &["shared-queue"]].concat(),
        ("functions", _) => FUNCTION.to_vec(),
        _ => vec![],
    }
}

fn is_allowed(edge: &Edge) -> bool {
    // A cycle that only tests close (a crate and the harness that opens it) is fine for cargo.
    if edge.dev && edge.to == TESTING {
        return true;
    }
    // These two put everything together: all functions in one process, and the whole under test.
    let composes = edge.from == "compliance" || edge.from == "it";
    if composes {
        return edge.to != TESTING || edge.dev;
    }
    may_use(&edge.place, &edge.from).contains(&edge.to.as_str())
}

/// Edges that the table does not have.
fn forbidden(edges: &BTreeSet<Edge>) -> Vec<String> {
    edges
        .iter()
        .filter(|edge| !is_allowed(edge))
        .map(|edge| format!("{} must not depend on {}", edge.from, edge.to))
        .collect()
}

/// Reads the edges between workspace members from the answer of `cargo metadata --no-deps`.
fn edges(metadata: &Value) -> Result<BTreeSet<Edge>> {
    let packages = metadata["packages"].as_array().context("packages")?;
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut edges = BTreeSet::new();
    for package in packages {
        let from = package["name"].as_str().context("name")?;
        let manifest = package["manifest_path"].as_str().context("manifest_path")?;
        let place = manifest.rsplit(['/', '\\']).nth(2).unwrap_or_default();
        for dependency in package["dependencies"].as_array().context("dependencies")? {
            let to = dependency["name"].as_str().context("dependency name")?;
            if names.contains(to) {
                let dev = dependency["kind"].as_str() == Some("dev");
                let (from, place, to) = (from.to_owned(), place.to_owned(), to.to_owned());
                edges.insert(Edge {
                    from,
                    place,
                    to,
                    dev,
                });
            }
        }
    }
    Ok(edges)
}

fn metadata() -> Result<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(tree::root())
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn edge(place: &str, from: &str, to: &str, dev: bool) -> Edge {
    Edge {
        from: from.to_owned(),
        place: place.to_owned(),
        to: to.to_owned(),
        dev,
    }
}

#[test]
fn every_dependency_is_in_the_table() -> Result<()> {
    let edges = edges(&metadata()?)?;
    ensure!(edges.len() > 20, "only {} edges were read", edges.len());
    let found = forbidden(&edges);
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn each_kind_of_wrong_dependency_is_reported() {
    let wrong = [
        edge("shared", "shared-domain", "shared-store", false),
        edge("shared", "shared-policy", "shared-store", false),
        edge("shared", "shared-store", "cleanup", false),
        edge("functions", "cleanup", "console", false),
        edge("functions", "cleanup", "shared-queue", false),
        edge("functions", "cleanup", "shared-testing", false),
        edge("functions", "compliance", "shared-testing", false),
    ];
    for edge in wrong {
        let only = BTreeSet::from([edge.clone()]);
        assert_eq!(forbidden(&only).len(), 1, "{edge:?} was let through");
    }
    let right = BTreeSet::from([
        edge("functions", "compliance", "cleanup", false),
        edge("functions", "cleanup", "shared-testing", true),
        edge("shared", "shared-queue", "shared-store", false),
    ]);
    assert!(forbidden(&right).is_empty());
}

#[test]
fn edges_are_read_from_metadata() -> Result<()> {
    let metadata = serde_json::json!({ "packages": [
        { "name": "cleanup", "manifest_path": "/p/functions/cleanup/Cargo.toml", "dependencies": [
            { "name": "console", "kind": null }, { "name": "serde", "kind": null } ] },
        { "name": "console", "manifest_path": "/p/functions/console/Cargo.toml", "dependencies": [] },
    ]});
    let edges = edges(&metadata)?;
    assert_eq!(
        edges,
        BTreeSet::from([edge("functions", "cleanup", "console", false)])
    );
    assert_eq!(forbidden(&edges), ["cleanup must not depend on console"]);
    Ok(())
}
