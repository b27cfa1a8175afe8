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

use report_finalize::ReportFinalize;
use serde_json::Value;
use shared_domain::Settings;
use shared_runtime::hosts::stop_signal;
use shared_store::Report;

use crate::args::Check;
use crate::embedded::Embedded;
use crate::ports::Ports;
use crate::serve::system_language;
use bars::Bars;
use client::Client;
use follow::{Ending, follow};

/// Exit code of a check that found risks.
const RISKS: u8 = 1;

pub(crate) async fn check(mut settings: Settings, args: &Check) -> anyhow::Result<ExitCode> {
    let (files, unreadable) = readable(&args.files);
    if files.is_empty() {
        return Ok(ExitCode::from(crate::COULD_NOT));
    }
    // A folder of its own: a server that runs in DATA_DIR is not disturbed.
    let data = PathBuf::from(settings.find("DATA_DIR").unwrap_or("./data")).join("check");
    settings.set("DATA_DIR", data.to_string_lossy());
    // The record, the doors and the cache are its own too, whatever a server here is set to.
    for name in ["DATABASE_URL", "PUBLIC_URL", "REDIS_URL"] {
        settings.set(name, "");
    }
    let embedded = Embedded::start(settings, Ports::from(args.port)).await?;
    let ended = tokio::select! {
        ended = every(&embedded, &files, args) => ended,
        error = embedded.failed() => Err(error),
        () = stop_signal(&embedded.stop) => {
            let lang = system_language();
            say(lang.pick(
                "останавливаюсь; второе Ctrl-C прервёт сразу",
                "stopping; a second Ctrl-C stops at once",
            ));
            Err(anyhow::anyhow!(lang.pick(
                "остановлено; ничего не потеряно: та же команда продолжит с этого места",
                "stopped; nothing is lost, the same command goes on from here",
            )))
        }
    };
    tokio::select! {
        () = embedded.shut_down() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    let worst = if unreadable { crate::COULD_NOT } else { 0 };
    Ok(ExitCode::from(ended?.max(worst)))
}

/// The files that can be read, and whether there were others; those are told and left out.
fn readable(files: &[PathBuf]) -> (Vec<&Path>, bool) {
    let lang = system_language();
    let mut kept = Vec::new();
    for file in files {
        let reason = match std::fs::metadata(file) {
            Ok(about) if !about.is_file() => lang.pick("это не файл", "is not a file").to_owned(),
            found => match found.and_then(|_| std::fs::File::open(file)) {
                Ok(_) => {
                    kept.push(file.as_path());
                    continue;
                }
                Err(error) => format!("{} ({error})", lang.pick("не читается", "cannot be read")),
            },
        };
        say(&format!("compliance: {}: {reason}", file.display()));
    }
    let others = kept.len() < files.len();
    (kept, others)
}

async fn every(embedded: &Embedded, files: &[&Path], args: &Check) -> anyhow::Result<u8> {
    let client = Client::sign_in(embedded, &args.policy).await?;
    let (mut worst, mut reports) = (0, Vec::new());
    for (file, name) in files.iter().copied().zip(write::names(files)) {
        let named = (file, name.as_str());
        let done = one(embedded, &client, named, args, &mut reports).await;
        // One file that fails does not keep the others from their check.
        let code = done.unwrap_or_else(|error| {
            say(&format!("compliance: {}: {error:#}", file.display()));
            crate::COULD_NOT
        });
        worst = worst.max(code);
    }
    write::json(reports, args)?;
    Ok(worst)
}

async fn one(
    embedded: &Embedded,
    client: &Client,
    (file, name): (&Path, &str),
    args: &Check,
    reports: &mut Vec<Value>,
) -> anyhow::Result<u8> {
    let (bars, begun) = (Bars::new(file), embedded.shared.store.now());
    let video_id = match client.upload(file, args, &bars).await? {
        Ok(video_id) => video_id,
        Err(refused) => {
            bars.fail();
            table::refused(file, &refused, args);
            return Ok(crate::COULD_NOT);
        }
    };
    match follow(&embedded.shared.store, video_id, &bars).await? {
        Ending::Refused(refusal) => {
            bars.fail();
            table::refused(file, &refusal.text(system_language()), args);
            Ok(crate::COULD_NOT)
        }
        Ending::Reported(mut report) => {
            bars.finish();
            if report.created_at < begun {
                table::old(file, report.created_at);
            }
            if report.policy_id != args.policy {
                *report = judged_by(embedded, &report, &args.policy).await?;
            }
            let written = write::files(client.objects(), name, &mut report, args).await?;
            table::report(&report.body, &written, args);
            let code = verdict(&report.body);
            reports.push(report.body);
            Ok(code)
        }
    }
}

/// An earlier check of the same file, under another pack: the evidence is there, no model is asked.
async fn judged_by(embedded: &Embedded, old: &Report, policy: &str) -> anyhow::Result<Report> {
    let judge = ReportFinalize::connect(embedded.shared.clone())
        .await
        .map_err(anyhow::Error::from_boxed)?;
    let packs = judge.packs().await?;
    judge.rescore(old.video_id, &packs, Some(policy)).await?;
    Ok(embedded.shared.store.report(old.report_id).await?)
}

/// Risks are 1. No risks are 0 only where somebody looked: a required task that was run and has no
/// answer for a part of the video could not check it, which is told in one line.
fn verdict(report: &Value) -> u8 {
    if report["total_triggers"].as_u64().unwrap_or(0) > 0 {
        return RISKS;
    }
    let lines = report["coverage"].as_array();
    let holes: Vec<&Value> = lines
        .into_iter()
        .flatten()
        .filter(|line| has_hole(line))
        .collect();
    if holes.is_empty() {
        return 0;
    }
    let lang = system_language();
    let names: Vec<&str> = holes
        .iter()
        .filter_map(|line| line["name"][lang.as_str()].as_str())
        .collect();
    let told = lang.pick(
        "не на все вопросы есть ответ",
        "not every question has an answer",
    );
    say(&format!("compliance: {told}: {}", names.join(", ")));
    crate::COULD_NOT
}

/// A task that did not run at all, or by a limit of its model, is no fault of this check. Where a
/// model looked and was in doubt, the video was checked, and the report says what stays open.
fn has_hole(line: &Value) -> bool {
    let count = |name: &str| line[name].as_u64().unwrap_or(0);
    let in_doubt = |gap: &Value| gap["reason"] == "unclear" || gap["reason"] == "unread";
    let gaps = line["gaps"].as_array();
    let gaps = gaps.is_some_and(|gaps| !gaps.iter().all(in_doubt));
    let blind = count("undecided") > 0 && count("undecided") >= count("frames");
    line["required"] == true && line["run"] == true && (gaps || blind || count("failed") > 0)
}

/// A line for the person at the terminal; standard output is the report's.
#[expect(
    clippy::print_stderr,
    reason = "a command line tells its user what happens"
)]
fn say(line: &str) {
    eprintln!("{line}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_risks_are_no_verdict_where_nobody_looked() {
        let report = |risks: u64, line: Value| {
            verdict(&json!({ "total_triggers": risks, "coverage": [line] }))
        };
        let line = |run: bool, frames: u64, undecided: u64, failed: u64| {
            json!({ "required": true, "run": run, "frames": frames, "undecided": undecided,
                    "failed": failed, "gaps": [], "name": { "ru": "речь", "en": "speech" } })
        };
        assert_eq!(report(0, line(true, 9, 1, 0)), 0);
        assert_eq!(
            report(0, line(false, 0, 0, 0)),
            0,
            "not run is told, and no fault"
        );
        assert_eq!(report(0, line(true, 0, 0, 4)), 2, "every question failed");
        assert_eq!(report(0, line(true, 4, 4, 0)), 2, "nothing was decided");
        assert_eq!(
            report(2, line(true, 9, 0, 1)),
            1,
            "risks are found all the same"
        );
    }
}
