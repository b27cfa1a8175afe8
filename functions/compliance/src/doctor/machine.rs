//! This machine: what the local models need, the folder of data, room on the disk.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use inference::weights::Manifest;
use tokio::process::Command;

use super::finding::Finding;
use super::site::Site;

const MIB: u64 = 1 << 20;
/// Below this nothing can be uploaded, and below that soon not.
const LITTLE: (u64, u64) = (512 * MIB, 4096 * MIB);

/// Only models of this machine read with Tesseract and have weights.
fn is_hosted(site: &Site) -> bool {
    site.find("REPLICATE_API_TOKEN").is_some()
}

fn not_needed() -> Finding {
    Finding::ok(
        "не нужно: модели работают у Replicate",
        "not needed: the models are Replicate's",
    )
}

pub(super) async fn tesseract(site: &Site) -> Finding {
    if is_hosted(site) {
        return not_needed();
    }
    let path = site.find("PATH").unwrap_or_default();
    let listed = Command::new("tesseract")
        .arg("--list-langs")
        .env("PATH", path)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let Ok(listed) = listed.await else {
        return Finding::warn(
            "tesseract не найден, русский текст на экране не читается: apt-get install tesseract-ocr \
             tesseract-ocr-rus tesseract-ocr-eng",
            "tesseract was not found, so that Russian text on the screen is not read: apt-get \
             install tesseract-ocr tesseract-ocr-rus tesseract-ocr-eng",
        );
    };
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let lacks = |code: &&str| !listed.lines().any(|line| line.trim() == *code);
    let lacking: Vec<&str> = ["rus", "eng"].into_iter().filter(lacks).collect();
    if lacking.is_empty() {
        return Finding::ok(
            "tesseract читает по-русски и по-английски",
            "tesseract reads Russian and English",
        );
    }
    let packages: Vec<String> = lacking
        .iter()
        .map(|code| format!("tesseract-ocr-{code}"))
        .collect();
    let packages = packages.join(" ");
    Finding::warn(
        format!("tesseract не знает нужных языков: apt-get install {packages}"),
        format!("tesseract lacks languages: apt-get install {packages}"),
    )
}

pub(super) fn models(site: &Site) -> Finding {
    if is_hosted(site) {
        return not_needed();
    }
    let folder = match crate::models::open(&site.settings) {
        Ok(folder) => folder,
        Err(error) => return Finding::fail(format!("{error:#}"), format!("{error:#}")),
    };
    let manifest = Manifest::default_set();
    let all: usize = manifest.all().map(|weight| weight.stored.len()).sum();
    let (missing, dir) = (folder.missing(&manifest).len(), folder.dir().display());
    match missing {
        0 => Finding::ok(
            format!("веса моделей на месте ({dir})"),
            format!("the weights of the models are there ({dir})"),
        ),
        some if some < all => Finding::warn(
            format!(
                "в {dir} нет {some} из {all} файлов весов, часть задач не выполняется: compliance models fetch"
            ),
            format!(
                "{some} of {all} files of weights are not in {dir}, so that tasks are not run: compliance models fetch"
            ),
        ),
        _ => Finding::fail(
            format!("весов моделей нет ({dir}): compliance models fetch"),
            format!("there are no weights in {dir}: compliance models fetch"),
        ),
    }
}

fn data_dir(site: &Site) -> PathBuf {
    let folder = Path::new(site.find("DATA_DIR").unwrap_or("./data"));
    // Without the `./` of the program's folder in front of another one.
    site.folder.join(folder).components().collect()
}

/// The folder itself, or the nearest one above it that is there.
fn nearest(folder: &Path) -> &Path {
    let mut there = folder;
    while !there.exists() {
        match there.parent() {
            Some(parent) => there = parent,
            None => break,
        }
    }
    there
}

pub(super) fn data_folder(site: &Site) -> Finding {
    let folder = data_dir(site);
    let shown = folder.display();
    match writable(nearest(&folder)) {
        Ok(()) if folder.exists() => Finding::ok(
            format!("в {shown} можно писать"),
            format!("{shown} can be written to"),
        ),
        Ok(()) => Finding::ok(
            format!("{shown} создаст первый запуск"),
            format!("the first start makes {shown}"),
        ),
        Err(error) => Finding::fail(
            format!("в {shown} нельзя писать ({error}): исправьте права или DATA_DIR"),
            format!("{shown} cannot be written to ({error}): mend its permissions or DATA_DIR"),
        ),
    }
}

/// Permissions do not tell everything: a read-only disk lets nobody write.
fn writable(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(format!(".doctor-{}", std::process::id()));
    match fs::File::create_new(&file) {
        Ok(_) => fs::remove_file(&file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

pub(super) fn disk(site: &Site) -> Finding {
    let folder = data_dir(site);
    match rustix::fs::statvfs(nearest(&folder)) {
        Ok(disk) => room(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => Finding::not_checked(
            format!("место на диске не узнать ({error})"),
            format!("the room on the disk cannot be told ({error})"),
        ),
    }
}

pub(super) fn room(free: u64) -> Finding {
    let mib = free / MIB;
    let (ru, en) = (format!("свободно {mib} МиБ"), format!("{mib} MiB are free"));
    let more = |ru: &str, en: &str| {
        (
            format!("{ru}: освободите место или перенесите DATA_DIR"),
            format!("{en}: make room or move DATA_DIR"),
        )
    };
    if free < LITTLE.0 {
        let (ru, en) = more(&ru, &en);
        return Finding::fail(ru, en);
    }
    if free < LITTLE.1 {
        let (ru, en) = more(&ru, &en);
        return Finding::warn(ru, en);
    }
    Finding::ok(ru, en)
}
