//! The files of a finished check.

use std::path::{Path, PathBuf};

use anyhow::Context;
use shared_objects::Objects;
use shared_store::Report;

use crate::args::{Check, Format};

/// A report with its frames may be large, but not endless.
const LIMIT: u64 = 256 << 20;

/// Writes what was asked for; answers the paths.
pub(crate) async fn files(
    objects: &Objects,
    file: &Path,
    report: &Report,
    args: &Check,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("{} cannot be made", args.out.display()))?;
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    for format in &args.format {
        let (key, ending) = match format {
            Format::Html => (&report.html_key, "report.html"),
            Format::Json => (&report.json_key, "report.json"),
        };
        let path = args.out.join(format!("{name}.{ending}"));
        write(&path, &objects.get(key, LIMIT).await?)?;
        written.push(path);
    }
    if let Some(path) = args.json.as_deref().filter(|path| *path != Path::new("-")) {
        write(path, &serde_json::to_vec_pretty(&report.body)?)?;
        written.push(path.to_owned());
    }
    Ok(written)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}
