//! No work is left lying about: nothing unfinished, skipped, silenced or tied to one machine.

use anyhow::{Result, ensure};
use regex::Regex;

use crate::tree::{self, SourceFile};

/// Where a rule applies.
#[derive(Debug, Clone, Copy)]
enum Where {
    Rust,
    Tests,
    Everywhere,
}

/// What must not be found: the pattern and what to do instead. Patterns are written so that this
/// file does not hold what it looks for.
const RULES: &[(Where, &str, &str)] = &[
    (Where::Rust, r"\b(todo|unimplemented)!\s*[(\[{]", "write it"),
    (
        Where::Rust,
        r"#\[\s*ignore\b",
        "a test runs or does not exist",
    ),
    (
        Where::Rust,
        r"#!?\[\s*(cfg_attr\([^\]]*)?allow\(",
        "use expect with a reason",
    ),
    (
        Where::Tests,
        r"\b(tokio::time::|std::thread::|thread::)sleep\(Duration::from_secs",
        "wait for a value with a deadline",
    ),
    (
        Where::Everywhere,
        r"\bTO[D]O\b(?:\s*\(#\d+\))?",
        "name an issue: TO-DO(#12)",
    ),
    (
        Where::Everywhere,
        r"\bFIX[M]E\b",
        "mend it or open an issue",
    ),
    (
        Where::Everywhere,
        r"(?:^|[\s\x22'`=(:])/(?:root|work|home/[a-z]+|Users/[A-Za-z]+)/",
        "a path of one machine",
    ),
];

fn is_checked(file: &SourceFile) -> bool {
    // Lists of words may hold any word; lock files are written by programs.
    file.extension() != "lock" && !file.path.contains("/dictionaries/")
}

fn applies(place: Where, file: &SourceFile) -> bool {
    let rust = file.extension() == "rs";
    match place {
        Where::Rust => rust,
        Where::Tests => rust && (file.path.contains("/tests") || file.path.starts_with("tests/")),
        Where::Everywhere => true,
    }
}

/// Every line that breaks a rule.
fn leftovers(files: &[SourceFile]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (place, pattern, advice) in RULES {
        let pattern = Regex::new(pattern)?;
        for file in files.iter().filter(|file| is_checked(file)) {
            if !applies(*place, file) {
                continue;
            }
            for (index, line) in file.text.lines().enumerate() {
                let bad = pattern
                    .find_iter(line)
                    .any(|hit| !hit.as_str().ends_with(')'));
                if bad {
                    found.push(format!(
                        "{}:{}: {advice}: {}",
                        file.path,
                        index + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    Ok(found)
}

/// Lock files of npm that say where a package lay on the machine that wrote them.
fn named_hosts(files: &[SourceFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| {
            file.path.ends_with("package-lock.json") && file.text.contains("\"resolved\"")
        })
        .map(|file| format!("{}: remove the \"resolved\" fields", file.path))
        .collect()
}

#[test]
fn no_work_is_left() -> Result<()> {
    let files = tree::files()?;
    let found = [leftovers(&files)?, named_hosts(&files)].concat();
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[test]
fn each_kind_of_leftover_is_reported() -> Result<()> {
    let bad = [
        concat!("to", "do!()"),
        concat!("unimpl", "emented!(\"later\")"),
        concat!("#[ign", "ore]"),
        concat!("#[al", "low(dead_code)]"),
        concat!("#![al", "low(dead_code)]"),
        concat!("// TO", "DO: finish"),
        concat!("// FIX", "ME"),
        concat!("let path = \"/ro", "ot/models\";"),
        concat!("see /ho", "me/anna/notes"),
        concat!("tokio::time::sl", "eep(Duration::from_secs(2)).await;"),
    ];
    for text in bad {
        let file = SourceFile::new("shared/store/src/tests.rs", text);
        assert_eq!(leftovers(&[file])?.len(), 1, "{text:?} was let through");
    }
    let lock = SourceFile::new(
        "tests/browser/package-lock.json",
        "\"resolved\": \"somewhere\"",
    );
    assert_eq!(named_hosts(&[lock]).len(), 1);
    Ok(())
}

#[test]
fn ordinary_lines_pass() -> Result<()> {
    let good = [
        concat!("// TO", "DO(#12): after the console"),
        "#[expect(dead_code, reason = \"read by serde\")]",
        "allow_attributes = \"deny\"",
        concat!("https://example.org/ro", "ot/models"),
        "the list of allowed formats",
    ];
    for text in good {
        let file = SourceFile::new("shared/store/src/videos.rs", text);
        assert_eq!(leftovers(&[file])?, Vec::<String>::new(), "{text:?}");
    }
    Ok(())
}
