//! `compliance check`: the whole chain for files, in a terminal.
//!
//! The files go the clients' way: a signed URL, storage, `on-upload`. Progress is on stderr, the
//! table on stdout. What a broken-off check had done is kept in `DATA_DIR/check`, so that the same
//! command goes on where it stopped.

mod bars;
mod client;
mod follow;
mod table;
mod write;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use shared_domain::Settings;
use shared_runtime::hosts::stop_signal;

use crate::args::Check;
use crate::embedded::{Embedded, Ports};
use bars::Bars;
use client::Client;
use follow::{Ending, follow};

/// Exit code of a check that found risks.
const RISKS: u8 = 1;

pub(crate) async fn check(mut settings: Settings, args: &Check) -> anyhow::Result<ExitCode> {
    for file in &args.files {
        readable(file)?;
    }
    // A folder of its own: a server that runs in DATA_DIR is not disturbed.
    let data = PathBuf::from(settings.find("DATA_DIR").unwrap_or("./data")).join("check");
    settings.set("DATA_DIR", data.to_string_lossy());
    // The record, the doors and the cache are its own too, whatever a server here is set to.
    for name in ["DATABASE_URL", "PUBLIC_URL", "REDIS_URL"] {
        settings.set(name, "");
    }
    let embedded = Embedded::start(settings, Ports::ANY).await?;
    let ended = tokio::select! {
        ended = every(&embedded, args) => ended,
        error = embedded.failed() => Err(error),
        () = stop_signal(&embedded.stop) => Err(anyhow::anyhow!(
            "stopped; nothing is lost, the same command goes on from here"
        )),
    };
    embedded.shut_down().await;
    ended
}

fn readable(file: &Path) -> anyhow::Result<()> {
    let about =
        std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?;
    if about.is_file() {
        Ok(())
    } else {
        bail!("{} is not a file", file.display())
    }
}

async fn every(embedded: &Embedded, args: &Check) -> anyhow::Result<ExitCode> {
    let client = Client::sign_in(embedded).await?;
    let mut worst = 0;
    for file in &args.files {
        worst = worst.max(one(embedded, &client, file, args).await?);
    }
    Ok(ExitCode::from(worst))
}

async fn one(
    embedded: &Embedded,
    client: &Client,
    file: &Path,
    args: &Check,
) -> anyhow::Result<u8> {
    let bars = Bars::new(file);
    let video_id = match client.upload(file, args, &bars).await? {
        Ok(video_id) => video_id,
        Err(refused) => {
            bars.fail();
            table::refused(file, &refused);
            return Ok(crate::COULD_NOT);
        }
    };
    match follow(&embedded.shared.store, video_id, &bars).await? {
        Ending::Refused(refusal) => {
            bars.fail();
            table::refused(file, &refusal.text(crate::serve::system_language()));
            Ok(crate::COULD_NOT)
        }
        Ending::Reported(report) => {
            bars.finish();
            let written = write::files(client.objects(), file, &report, args).await?;
            table::report(&report.body, &written, args);
            let risks = report.body["total_triggers"].as_u64().unwrap_or(0);
            Ok(if risks > 0 { RISKS } else { 0 })
        }
    }
}
