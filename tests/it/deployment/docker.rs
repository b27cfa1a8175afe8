//! The image and its compose file: unprivileged, read-only, told when it is ready. Syntax is hadolint's and
//! the compose schema's business.

use anyhow::{Result, ensure};
use regex::Regex;
use serde_json::Value;

use super::{list, text, yaml};
use crate::tree;

const IMAGE: &str = "infra/docker/Dockerfile";
const COMPOSE: &str = "infra/docker/compose.yaml";

fn image_faults(image: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let bases: Vec<_> = Regex::new(r"(?m)^FROM (\S+)")?
        .captures_iter(image)
        .map(|base| base[1].to_owned())
        .collect();
    if bases.len() < 2 {
        found.push("the compiler stays in the image".to_owned());
    }
    let pinned = Regex::new(r"^[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z]+)*$")?;
    found.extend(
        bases
            .iter()
            .filter(|base| !pinned.is_match(base))
            .map(|base| format!("{base} is not pinned")),
    );
    let last = image.rsplit("\nFROM ").next().unwrap_or_default();
    for part in [
        "ffmpeg",
        "tesseract-ocr-eng",
        "tesseract-ocr-rus",
        "ca-certificates",
    ] {
        if !last.contains(part) {
            found.push(format!("{part} is not in the image"));
        }
    }
    if !Regex::new(r"(?m)^USER [1-9]\d*:[1-9]\d*$")?.is_match(last) {
        found.push("it runs as root".to_owned());
    }
    for written in [
        "DATA_DIR=/data",
        "TEMP_DIR=/tmp",
        "MODELS_DIR=/data/models",
        "VOLUME [\"/data\"]",
    ] {
        if !last.contains(written) {
            found.push(format!("{written}: it would write elsewhere"));
        }
    }
    if !last.contains("\nHEALTHCHECK ") {
        found.push("nobody is told that it hangs".to_owned());
    }
    if last.contains("\nENTRYPOINT") {
        found.push("a platform's command would be an argument".to_owned());
    }
    Ok(found)
}

/// A field of a service, or of the template that it is made from.
fn field<'a>(service: &'a Value, key: &str) -> &'a Value {
    if service[key].is_null() {
        &service["<<"][key]
    } else {
        &service[key]
    }
}

fn compose_faults(compose: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["web", "worker", "cleanup", "migrate"] {
        let service = &compose["services"][name];
        if service.is_null() {
            found.push(format!("{name} is missing"));
            continue;
        }
        let hardened = *field(service, "read_only") == Value::Bool(true)
            && field(service, "cap_drop")[0] == "ALL"
            && field(service, "security_opt")[0] == "no-new-privileges:true"
            && field(service, "tmpfs")[0]
                .as_str()
                .is_some_and(|mount| mount.starts_with("/tmp:size="));
        if !hardened {
            found.push(format!("{name} may change more than it needs"));
        }
        if name != "migrate"
            && service["depends_on"]["migrate"]["condition"] != "service_completed_successfully"
        {
            found.push(format!("{name} starts before the schema is there"));
        }
    }
    for name in ["db", "cache"] {
        let service = &compose["services"][name];
        if list(&service["healthcheck"], "test").is_empty() {
            found.push(format!("{name}: nobody knows when it is ready"));
        }
        if !text(service, "image").contains(|c: char| c.is_ascii_digit())
            || text(service, "image").ends_with("latest")
        {
            found.push(format!("{name} is not pinned"));
        }
        if service.get("ports").is_some() {
            found.push(format!("{name} is open to the network"));
        }
    }
    for port in list(&compose["services"]["web"], "ports") {
        if !port
            .as_str()
            .is_some_and(|port| port.starts_with("127.0.0.1:"))
        {
            found.push(format!("{port}: without TLS only this machine may ask"));
        }
    }
    found
}

#[test]
fn the_image_is_unprivileged_and_complete() -> Result<()> {
    let found = image_faults(&tree::read(IMAGE)?)?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn the_compose_file_is_closed_and_ordered() -> Result<()> {
    let found = compose_faults(&yaml(&tree::read(COMPOSE)?)?);
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn each_fault_of_image_and_compose_file_is_reported() -> Result<()> {
    let image = tree::read(IMAGE)?;
    let cases = [
        ("FROM debian:12.12-slim", "FROM debian:latest"),
        (" ffmpeg tesseract-ocr ", " tesseract-ocr "),
        ("USER 10001:10001", "USER root"),
        ("DATA_DIR=/data", "DATA_DIR=/var/lib/data"),
        (
            "CMD [\"compliance\"",
            "ENTRYPOINT [\"compliance\"]\nCMD [\"compliance\"",
        ),
    ];
    for (from, to) in cases {
        ensure!(
            image.contains(from),
            "the example needs {from:?} in the file"
        );
        assert_eq!(
            image_faults(&image.replacen(from, to, 1))?.len(),
            1,
            "{to:?}"
        );
    }
    let compose = tree::read(COMPOSE)?;
    let cases = [
        ("  read_only: true\n  tmpfs", "  tmpfs", 4),
        ("[\"127.0.0.1:8000:8000\"]", "[\"8000:8000\"]", 1),
        (
            "  cache:\n    image: valkey/valkey:8.1.3-bookworm",
            "  cache:\n    image: valkey/valkey:latest",
            1,
        ),
        ("service_completed_successfully", "service_started", 3),
        (
            "      test: [\"CMD\", \"pg_isready\", \"-U\", \"compliance\"]\n",
            "",
            1,
        ),
    ];
    for (from, to, count) in cases {
        ensure!(
            compose.contains(from),
            "the example needs {from:?} in the file"
        );
        let found = compose_faults(&yaml(&compose.replacen(from, to, 1))?);
        assert_eq!(found.len(), count, "{to:?}: {found:?}");
    }
    Ok(())
}
