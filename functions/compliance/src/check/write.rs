//! The files of a finished check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use shared_domain::VideoId;
use shared_exports::{Export, Format};
use shared_objects::{Objects, keys};
use shared_policy::Report;

use crate::args::{Check, HTML, JSON};
use crate::serve::system_language;

/// A report with its frames may be large, but not endless.
const LIMIT: u64 = 256 << 20;

/// A frame is a JPEG of at most 1280 pixels.
const FRAME: u64 = 8 << 20;

/// Writes what was asked for; answers the paths. In the JSON, `frame_url` then names the file of
/// the frame, as seen from the folder of the reports.
pub(crate) async fn files(
    objects: &Objects,
    name: &str,
    report: &mut shared_store::Report,
    args: &Check,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("{} cannot be made", args.out.display()))?;
    for format in &args.format {
        match format.as_str() {
            HTML => {
                let path = args.out.join(format!("{name}.report.html"));
                write(&path, &objects.get(&report.html_key, LIMIT).await?)?;
                written.push(path);
            }
            JSON => {
                let path = args.out.join(format!("{name}.report.json"));
                let mut told: Report = serde_json::from_value(report.body.take())?;
                let folder = format!("{name}.frames");
                let shown = frames(objects, report.video_id, &mut told, args, &folder).await?;
                write(&path, &told.to_json()?)?;
                written.push(path);
                written.extend(shown.then(|| args.out.join(folder)));
                report.body = serde_json::to_value(told)?;
            }
            other => {
                let format = Format::find(other).context("an unknown format")?;
                let path = args.out.join(format!("{name}.{}", format.extension));
                write(&path, &exported(objects, format, &report.body).await?)?;
                written.push(path);
            }
        }
    }
    Ok(written)
}

/// A file of one of the formats, with the frames that it may show.
async fn exported(objects: &Objects, format: &Format, body: &Value) -> anyhow::Result<Vec<u8>> {
    let report: Report = serde_json::from_value(body.clone())?;
    let mut frames = BTreeMap::new();
    for risk in report.risks.iter().filter(|_| format.shows_frames) {
        let best = usize::try_from(risk.best_evidence).unwrap_or(0);
        let Some(piece) = risk.evidence.get(best) else {
            continue;
        };
        if keys::frame_name(report.video.id, &piece.object_key).is_some() {
            let jpeg = objects.get(&piece.object_key, FRAME).await?;
            frames.insert(piece.object_key.clone(), jpeg.to_vec());
        }
    }
    Ok(format.write(&Export {
        report: &report,
        lang: system_language(),
        frames: &frames,
        logo: None,
    })?)
}

/// Writes the frames of the evidence into `folder`; answers whether there are any.
async fn frames(
    objects: &Objects,
    video_id: VideoId,
    report: &mut Report,
    args: &Check,
    folder: &str,
) -> anyhow::Result<bool> {
    let path = args.out.join(folder);
    let mut written = BTreeSet::new();
    for piece in report.risks.iter_mut().flat_map(|risk| &mut risk.evidence) {
        piece.frame_url = None;
        let Some(frame) = keys::frame_name(video_id, &piece.object_key) else {
            continue;
        };
        if written.insert(frame.to_owned()) {
            std::fs::create_dir_all(&path)
                .with_context(|| format!("{} cannot be made", path.display()))?;
            write(
                &path.join(frame),
                &objects.get(&piece.object_key, FRAME).await?,
            )?;
        }
        let folder = utf8_percent_encode(folder, NON_ALPHANUMERIC);
        piece.frame_url = Some(format!("{folder}/{frame}"));
    }
    Ok(!written.is_empty())
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
