//! Every setting that the code reads is in `.env.example` and in the README's table.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::tree::{self, SourceFile};

/// Read by the code but no business of a user.
const INTERNAL: &[&str] = &["PATH"];

fn names(pattern: &str, text: &str) -> Result<BTreeSet<String>> {
    let pattern = Regex::new(pattern)?;
    Ok(pattern
        .captures_iter(text)
        .map(|found| found[1].to_owned())
        .collect())
}

/// Names handed to a `Reader` or to `Settings` outside tests.
fn read_by_code(files: &[SourceFile]) -> Result<BTreeSet<String>> {
    let call = r#"(?:\.(?:find|find_pem|find_secret|text|text_or|secret|parse_or|flag|list|set_default)\(|\breader,)\s*"([A-Z][A-Z0-9_]{2,})""#;
    let mut found = BTreeSet::new();
    for file in files
        .iter()
        .filter(|file| file.extension() == "rs" && file.path.contains("/src/"))
    {
        if !file.path.contains("/tests") && !file.path.starts_with("shared/testing/") {
            found.extend(names(call, &file.text)?);
        }
    }
    Ok(found)
}

/// Documented names that nobody reads and that are not marked "later" in the README's table.
fn without_effect(files: &[SourceFile], example: &str, readme: &str) -> Result<Vec<String>> {
    // Some names come to a reader through a table, so that any mention counts here.
    let mut code = BTreeSet::new();
    let sources = files.iter().filter(|file| file.extension() == "rs");
    for file in sources.filter(|file| file.path.contains("/src/")) {
        code.extend(names(r#""([A-Z][A-Z0-9_]{2,})""#, &file.text)?);
    }
    let documented = names(r"(?m)^#? ?([A-Z][A-Z0-9_]{2,})=", example)?;
    let is_later = |name: &String| {
        let cell = format!("`{name}`");
        readme
            .lines()
            .any(|line| line.contains(&cell) && line.trim_end().ends_with("| later |"))
    };
    Ok(documented
        .difference(&code)
        .filter(|name| !is_later(name))
        .map(|name| format!("{name}: nobody reads it, and README.md does not say so"))
        .collect())
}

/// Settings that one of the three places lacks.
fn undocumented(files: &[SourceFile], example: &str, readme: &str) -> Result<Vec<String>> {
    let example = names(r"(?m)^#? ?([A-Z][A-Z0-9_]{2,})=", example)?;
    let readme = names(r"`([A-Z][A-Z0-9_]{2,})`", readme)?;
    let code = read_by_code(files)?;
    let mut found = Vec::new();
    for name in code
        .iter()
        .filter(|name| !INTERNAL.contains(&name.as_str()))
    {
        if !example.contains(name) {
            found.push(format!("{name}: not in .env.example"));
        }
    }
    found.extend(
        example
            .difference(&readme)
            .map(|name| format!("{name}: not in README.md")),
    );
    Ok(found)
}

#[test]
fn every_setting_is_documented() -> Result<()> {
    let found = undocumented(
        &tree::files()?,
        &tree::read(".env.example")?,
        &tree::read("README.md")?,
    )?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn what_has_no_effect_is_said_to_come_later() -> Result<()> {
    let found = without_effect(
        &tree::files()?,
        &tree::read(".env.example")?,
        &tree::read("README.md")?,
    )?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    let promised = without_effect(&[], "# DEBUG=false\n", "| `DEBUG` | | details |")?;
    assert_eq!(promised.len(), 1);
    assert!(without_effect(&[], "# DEBUG=false\n", "| `DEBUG` | | later |")?.is_empty());
    Ok(())
}

#[test]
fn a_setting_without_documentation_is_reported() -> Result<()> {
    let code = r#"let dir = reader.text_or("TEMP_DIR", "/tmp"); reader.flag("DEBUG", false);"#;
    let files = [SourceFile::new("shared/media/src/config.rs", code)];
    let found = undocumented(&files, "# DEBUG=false\n", "no table")?;
    assert_eq!(
        found,
        ["TEMP_DIR: not in .env.example", "DEBUG: not in README.md"]
    );
    assert!(undocumented(&files, "TEMP_DIR=\n# DEBUG=\n", "`TEMP_DIR` `DEBUG`")?.is_empty());
    Ok(())
}
