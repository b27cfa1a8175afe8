//! `compliance export`: a report as a file for an editing program, a player or a person; and the video
//! itself without the words that were found.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use percent_encoding::percent_decode_str;
use shared_domain::{Lang, Settings};
use shared_exports::{Format, Sounding, soundings};
use shared_media::{Bleep, Cover, Media, MediaConfig, Source};
use shared_policy::{Report, SCHEMA};

use crate::args::Export;
use crate::serve::system_language;

/// A report is text.
const LARGEST_REPORT: u64 = 256 << 20;
/// A frame is a JPEG of at most 1280 pixels.
const LARGEST_FRAME: u64 = 8 << 20;
/// A logo is drawn as large as a stamp.
const LARGEST_LOGO: u64 = 8 << 20;
/// Seconds by which another encoding of one cut may be longer or shorter.
const SAME_LENGTH: f64 = 0.5;

pub(crate) async fn export(settings: &Settings, args: &Export) -> anyhow::Result<ExitCode> {
    let asked = args.lang.as_deref().and_then(|lang| lang.parse().ok());
    let lang = asked.unwrap_or_else(system_language);
    let report = read_report(args)?;
    let written = match Format::find(&args.format) {
        Some(format) => vec![file(&report, format, lang, args)?],
        None => bleep(settings, &report, lang, args).await?,
    };
    for path in written {
        say(&path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// The report, without the categories that were not asked for.
fn read_report(args: &Export) -> anyhow::Result<Report> {
    let path = &args.report;
    let bytes = read(path, LARGEST_REPORT)?;
    let report: Result<Report, _> = serde_json::from_slice(&bytes);
    let mut report = report.with_context(|| format!("{} is no report", path.display()))?;
    ensure!(
        report.schema == SCHEMA,
        "{} is a report of another kind: {:?}",
        path.display(),
        report.schema
    );
    if args.category.is_empty() {
        return Ok(report);
    }
    for category in &args.category {
        let known = report.risks.iter().any(|risk| risk.category == *category);
        ensure!(
            known,
            "the report has no risk of the category {category:?}; it has: {}",
            categories(&report)
        );
    }
    report
        .risks
        .retain(|risk| args.category.contains(&risk.category));
    report.total_triggers = report.risks.len() as u64;
    Ok(report)
}

fn categories(report: &Report) -> String {
    let names: Vec<&str> = report
        .triggers_by_category
        .keys()
        .map(String::as_str)
        .collect();
    names.join(", ")
}

fn file(report: &Report, format: &Format, lang: Lang, args: &Export) -> anyhow::Result<PathBuf> {
    let frames = frames(report, args.report.parent().unwrap_or(Path::new("")));
    let logo = args.logo.as_deref();
    let logo = logo.map(|path| read(path, LARGEST_LOGO)).transpose()?;
    let bytes = format.write(&shared_exports::Export {
        report,
        lang,
        frames: &frames,
        logo: logo.as_deref(),
    })?;
    let path = beside(args, format.extension);
    std::fs::write(&path, bytes)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}

/// The pictures that `check` wrote beside the report; one that is not there is left out.
fn frames(report: &Report, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let pieces = report.risks.iter().flat_map(|risk| &risk.evidence);
    pieces
        .filter_map(|piece| {
            let path = frame_path(piece.frame_url.as_deref()?)?;
            let jpeg = read(&folder.join(path), LARGEST_FRAME).ok()?;
            Some((piece.object_key.clone(), jpeg))
        })
        .collect()
}

/// A report may come from anywhere: what it names is a file in a folder beside it, or nothing.
fn frame_path(url: &str) -> Option<PathBuf> {
    let path = PathBuf::from(percent_decode_str(url).decode_utf8().ok()?.as_ref());
    let parts: Vec<Component<'_>> = path.components().collect();
    let plain = matches!(parts[..], [Component::Normal(_), Component::Normal(_)]);
    let picture = path.extension().is_some_and(|ending| ending == "jpg");
    (plain && picture).then_some(path)
}

async fn bleep(
    settings: &Settings,
    report: &Report,
    lang: Lang,
    args: &Export,
) -> anyhow::Result<Vec<PathBuf>> {
    let words = soundings(report);
    ensure!(!words.is_empty(), nothing_found(lang));
    let video = args.media.as_ref().context("--media is missing")?;
    let source =
        Source::of_file(video).with_context(|| format!("{} cannot be read", video.display()))?;
    let reader = settings.reader();
    let config = MediaConfig::read(&reader);
    reader.finish()?;
    let media = Media::connect(config)?;
    let probe = media.probe(&source).await?;
    same_cut(report, probe.duration_ms, lang)?;
    if media.sha256(&source).await? != report.video.sha256 {
        say(lang.pick(
            "это другой файл, чем был проверен; если монтаж другой, слова стоят не на своих местах",
            "this is another file than the one that was checked; in another cut the words are elsewhere",
        ));
    }
    let ending = video.extension().unwrap_or_default().to_string_lossy();
    let copy = beside(args, &format!("bleep.{ending}"));
    let sound = copy.with_extension("wav");
    for made in [&copy, &sound] {
        let same = made.canonicalize().ok() == video.canonicalize().ok();
        ensure!(
            !same,
            "{} would be overwritten by its copy",
            video.display()
        );
    }
    let bleep = Bleep {
        spans: words.iter().map(|word| word.span).collect(),
        cover: match args.silence {
            true => Cover::Silence,
            false => Cover::Tone,
        },
    };
    media
        .bleep(&source, &probe, &bleep, (&sound, &copy))
        .await?;
    tell(&words, lang);
    Ok(vec![copy, sound])
}

fn nothing_found(lang: Lang) -> &'static str {
    lang.pick(
        "в речи ничего не найдено, заглушать нечего",
        "nothing was found in speech, there is nothing to cover",
    )
}

fn same_cut(report: &Report, duration_ms: i64, lang: Lang) -> anyhow::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a video")]
    let (own, checked) = (duration_ms as f64 / 1000.0, report.video.duration_seconds);
    if (own - checked).abs() > SAME_LENGTH {
        match lang {
            Lang::Ru => bail!("это видео длится {own:.1} с, а проверенное {checked:.1} с"),
            Lang::En => {
                bail!("this video lasts {own:.1} s, the one that was checked {checked:.1} s")
            }
        }
    }
    Ok(())
}

fn tell(words: &[Sounding], lang: Lang) {
    let count = words.len();
    say(&match lang {
        Lang::Ru => format!("заглушено мест: {count}; слушайте, прежде чем публиковать"),
        Lang::En => format!("places covered: {count}; listen before you publish"),
    });
}

/// `--out`, or the report's own name with another ending.
fn beside(args: &Export, ending: &str) -> PathBuf {
    if let Some(path) = &args.out {
        return path.clone();
    }
    let name = args
        .report
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let stem = [".report.json", ".json"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(&name);
    args.report.with_file_name(format!("{stem}.{ending}"))
}

fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("{} cannot be read", path.display());
    let size = std::fs::metadata(path).with_context(cannot)?.len();
    ensure!(
        size <= most,
        "{} is larger than {most} bytes",
        path.display()
    );
    std::fs::read(path).with_context(cannot)
}

/// A line for the person at the terminal.
#[expect(
    clippy::print_stderr,
    reason = "a command line tells its user what it did"
)]
fn say(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests;
