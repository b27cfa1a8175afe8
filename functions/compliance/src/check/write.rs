//! The files of a finished check.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;
use shared_objects::Objects;
use shared_store::Report;

use crate::args::{Check, Format};

/// A report with its frames may be large, but not endless.
const LIMIT: u64 = 256 << 20;

/// Writes what was asked for; answers the paths.
pub(crate) async fn files(
    objects: &Objects,
    name: &str,
    report: &Report,
    args: &Check,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("{} cannot be made", args.out.display()))?;
    for format in &args.format {
        let (key, ending) = match format {
            Format::Html => (&report.html_key, "report.html"),
            Format::Json => (&report.json_key, "report.json"),
        };
        let path = args.out.join(format!("{name}.{ending}"));
        write(&path, &objects.get(key, LIMIT).await?)?;
        written.push(path);
    }
    Ok(written)
}

/// What the files of each report are called: files of one name in different folders are numbered.
pub(crate) fn names(files: &[&Path]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(files.len());
    for file in files {
        let own = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let numbered = (2..).map(|number| format!("{own}-{number}"));
        let free = std::iter::once(own.clone())
            .chain(numbered)
            .find(|name| !names.contains(name));
        names.push(free.unwrap_or(own));
    }
    names
}

/// `--json`: the report of one file, an array of those of several.
#[expect(clippy::print_stdout, reason = "the report is the command's output")]
pub(crate) fn json(mut reports: Vec<Value>, args: &Check) -> anyhow::Result<()> {
    let Some(path) = &args.json else {
        return Ok(());
    };
    let whole = match (args.files.len(), reports.pop()) {
        (1, None) => return Ok(()),
        (1, Some(report)) => report,
        (_, last) => {
            reports.extend(last);
            Value::Array(reports)
        }
    };
    if args.json_is_output() {
        println!("{whole:#}");
        return Ok(());
    }
    write(path, &serde_json::to_vec_pretty(&whole)?)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_do_not_overwrite_each_other() {
        let files = ["a/clip.mp4", "b/clip.mp4", "clip.mp4-2", "c/clip.mp4"].map(Path::new);
        let expected = ["clip.mp4", "clip.mp4-2", "clip.mp4-2-2", "clip.mp4-3"];
        assert_eq!(names(&files), expected);
    }
}
