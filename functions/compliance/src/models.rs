//! `compliance models`: what the local models are made of.

use std::process::ExitCode;

use comfy_table::{Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use inference::weights::{Condition, Folder, FolderConfig, Manifest};
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
    let config = FolderConfig::read(&reader);
    reader.finish()?;
    Ok(Folder::connect(config)?)
}

fn fetch(folder: &Folder, manifest: &Manifest) -> anyhow::Result<()> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template(
        "{msg:34} {bar:30} {bytes:>10} of {total_bytes:10} {eta:>5}",
    )?);
    folder.fetch(manifest, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(format!("{}: {}", progress.weight, progress.stage));
    })?;
    bar.finish_and_clear();
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the list is the command's output")]
fn list(folder: &Folder, manifest: &Manifest) {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["weights", "purpose", "packages", "MiB", "licence", "here"]);
    let missing = folder.missing(manifest);
    for weight in manifest.all() {
        let absent = weight.stored.iter().any(|stored| missing.contains(&stored));
        let bytes: u64 = weight.stored.iter().map(|stored| stored.bytes).sum();
        let packages: Vec<String> = weight
            .packages()
            .iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        let (packages, mib) = (packages.join("\n"), bytes.div_ceil(1 << 20).to_string());
        let here = if absent { "no" } else { "yes" };
        table.add_row([
            weight.name,
            weight.purpose,
            &packages,
            &mib,
            weight.licence,
            here,
        ]);
    }
    println!("{table}");
}

#[expect(clippy::print_stdout, reason = "the verdict is the command's output")]
fn verify(folder: &Folder, manifest: &Manifest) -> anyhow::Result<ExitCode> {
    let mut sound = true;
    for line in folder.verify(manifest)? {
        let word = match line.condition {
            Condition::Good => "good",
            Condition::Missing => "missing",
            Condition::Damaged => "damaged",
        };
        sound &= line.condition == Condition::Good;
        println!("{word:8} {}", line.stored.path);
    }
    if !sound {
        println!("run `compliance models fetch`");
    }
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(crate::COULD_NOT)
    })
}
