//! No source file outgrows its limit; one that must has a line here with its reason.

use anyhow::{Result, ensure};

use crate::tree::{self, SourceFile};

const HANDLER: usize = 150;
const SOURCE: usize = 400;
const EXTENSIONS: &[&str] = &[
    "rs", "ts", "tsx", "js", "mjs", "svelte", "css", "html", "sql", "py", "sh",
];
/// Path, limit, reason.
const EXCEPTIONS: &[(&str, usize, &str)] = &[];

/// Tests and data may be as long as they need.
fn is_exempt(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path.contains("/tests/")
        || path.starts_with("tests/")
        || path.contains("/fixtures/")
}

fn limit(path: &str) -> usize {
    if let Some((_, limit, _)) = EXCEPTIONS.iter().find(|(exempt, ..)| *exempt == path) {
        return *limit;
    }
    if path.ends_with("/handler.rs") {
        HANDLER
    } else {
        SOURCE
    }
}

/// Files over their limit.
fn too_long(files: &[SourceFile]) -> Vec<String> {
    files
        .iter()
        .filter(|file| EXTENSIONS.contains(&file.extension()) && !is_exempt(&file.path))
        .map(|file| (file, file.text.lines().count(), limit(&file.path)))
        .filter(|(_, lines, limit)| lines > limit)
        .map(|(file, lines, limit)| format!("{}: {lines} lines, at most {limit}", file.path))
        .collect()
}

#[test]
fn no_file_is_over_its_limit() -> Result<()> {
    let found = too_long(&tree::files()?);
    ensure!(found.is_empty(), "split by noun:\n{}", found.join("\n"));
    Ok(())
}

#[test]
fn every_exception_is_still_needed() -> Result<()> {
    let files = tree::files()?;
    for (path, _, reason) in EXCEPTIONS {
        let file = files.iter().find(|file| file.path == *path);
        let needed = file.is_some_and(|file| file.text.lines().count() > SOURCE.min(limit(path)));
        ensure!(
            needed || file.is_some_and(|f| f.text.lines().count() > SOURCE),
            "{path}: {reason}"
        );
    }
    Ok(())
}

#[test]
fn a_long_file_and_a_long_handler_are_reported() {
    let lines = |count: usize| "//\n".repeat(count);
    let files = [
        SourceFile::new("functions/cleanup/src/handler.rs", lines(151)),
        SourceFile::new("shared/store/src/videos.rs", lines(401)),
        SourceFile::new("shared/store/src/projects.rs", lines(400)),
        SourceFile::new("shared/store/src/tests.rs", lines(2000)),
        SourceFile::new("tests/it/pipeline.rs", lines(2000)),
        SourceFile::new("README.md", lines(2000)),
    ];
    assert_eq!(
        too_long(&files),
        [
            "functions/cleanup/src/handler.rs: 151 lines, at most 150",
            "shared/store/src/videos.rs: 401 lines, at most 400",
        ]
    );
}
