//! `compliance models`: what the local models are made of.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use inference::weights::{Folder, Manifest};
use shared_domain::Settings;

use crate::args::Models;

pub(crate) async fn models(settings: &Settings, command: &Models) -> anyhow::Result<ExitCode> {
    let folder = open(settings)?;
    let manifest = Manifest::default_set();
    match command {
        Models::List => list(&folder, &manifest),
        Models::Verify => return verify(&folder, &manifest),
        Models::Fetch => tokio::task::spawn_blocking(move || fetch(&folder, &manifest)).await??,
    }
    Ok(ExitCode::SUCCESS)
}

/// The folder of weights: `MODELS_DIR`, or one in the user's cache.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Folder> {
    let reader = settings.reader();
    let folder = Folder::read(&reader);
    reader.finish()?;
    Ok(folder?)
}

fn fetch(folder: &Folder, manifest: &Manifest) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0);
    let style = "{msg:34} {bar:30} {bytes:>10}/{total_bytes:10} {eta}";
    bar.set_style(ProgressStyle::with_template(style)?);
    folder.fetch(manifest, &mut |progress| {
        bar.set_length(progress.total_bytes);
        bar.set_position(progress.done_bytes);
        bar.set_message(progress.what.clone());
    })?;
    bar.finish_with_message("weights are complete");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the list is the command's output")]
fn list(folder: &Folder, manifest: &Manifest) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["weights", "task", "from", "MiB", "licence", "here"]);
    let missing = folder.missing(manifest);
    for entry in manifest.entries() {
        let here = if missing.iter().any(|name| *name == entry.name) {
            "no"
        } else {
            "yes"
        };
        let mib = entry.bytes.div_ceil(1 << 20).to_string();
        let from = format!("{} {} {}", entry.registry, entry.package, entry.version);
        table.add_row([
            entry.name,
            &entry.task.to_string(),
            &from,
            &mib,
            entry.licence,
            here,
        ]);
    }
    println!("{table}");
}

#[expect(clippy::print_stdout, reason = "the verdict is the command's output")]
fn verify(folder: &Folder, manifest: &Manifest) -> anyhow::Result<ExitCode> {
    let faults = folder.verify(manifest)?;
    for fault in &faults {
        println!("{fault}");
    }
    let sound = faults.is_empty();
    if sound {
        println!("every file has its checksum");
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(crate::COULD_NOT)
    })
}
