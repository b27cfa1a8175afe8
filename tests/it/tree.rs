//! The project's files as the checks see them: committed ones and those that could be.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A text file of the project.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    /// From the project's top, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    /// A made-up file, for showing a check something bad.
    pub(crate) fn new(path: &str, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            text: text.into(),
        }
    }

    /// The part after the last dot, or the whole name of a file like `justfile`.
    pub(crate) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default()
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// One file's text.
pub(crate) fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("{path} cannot be read"))
}

/// Every text file that git holds or would add; binary files are left out.
pub(crate) fn files() -> Result<Vec<SourceFile>> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .context("git is needed to list the project's files")?;
    ensure!(
        listed.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let names = String::from_utf8(listed.stdout)?;
    let files: Vec<_> = names
        .split('\0')
        .filter(|name| !name.is_empty())
        .filter_map(|path| Some(SourceFile::new(path, read(path).ok()?)))
        .collect();
    ensure!(
        files.len() > 50,
        "only {} files were found: the checks would prove nothing",
        files.len()
    );
    Ok(files)
}
