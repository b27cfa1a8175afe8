#![doc = include_str!("../README.md")]

mod admin;
mod args;
mod check;
mod deployed;
mod doctor;
mod embedded;
mod export;
mod judge;
mod mail;
mod migrate;
mod models;
mod policy;
mod ports;
mod queue;
mod rescore;
mod secrets;
mod serve;

use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;
use shared_domain::{Lang, Settings};
use shared_runtime::{LogFormat, Telemetry, environment};
use tokio::runtime::Runtime;

/// Exit code of everything that could not be done.
const COULD_NOT: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    let ended = environment()
        .map_err(anyhow::Error::from)
        .and_then(|settings| {
            let quiet = args.command.is_quiet();
            let level = settings
                .find("LOG_LEVEL")
                .unwrap_or(if quiet { "error" } else { "info" });
            let format = match args.command.is_deployed() {
                true => LogFormat::Json,
                false => LogFormat::Plain,
            };
            let runtime = Runtime::new()?;
            let telemetry = Telemetry::start(&settings, level, format, runtime.handle());
            let ended = runtime.block_on(obey(args.command, settings));
            drop(telemetry);
            // A model that is still at work would hold the process for as long as it takes.
            runtime.shutdown_background();
            ended
        });
    ended.unwrap_or_else(|error| {
        complain(&error);
        ExitCode::from(COULD_NOT)
    })
}

async fn obey(command: Command, settings: Settings) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(serve) if !serve.only.is_empty() => deployed::serve(settings, &serve).await,
        Command::Worker(worker) => deployed::worker(settings, &worker).await,
        Command::Cleanup => deployed::cleanup(settings).await,
        Command::Serve(serve) => serve::serve(settings, &serve).await,
        Command::Check(check) => check::check(settings, &check).await,
        Command::Export(args) => export::export(&settings, &args).await,
        Command::Migrate => migrate::migrate(&settings).await,
        Command::Queue { command } => queue::queue(&settings, &command).await,
        Command::CreateSuperuser(args) => admin::create_superuser(&settings, &args).await,
        Command::Doctor(args) => doctor::doctor(settings, &args).await,
        Command::SendTestEmail(to) => mail::send_test(&settings, &to.address).await,
        Command::Models { command } => models::models(&settings, &command).await,
        Command::Policy { command } => policy::policy(settings, &command).await,
        Command::Rescore(args) => rescore::rescore(settings, &args).await,
    }
}

/// One line for a person, with the causes behind it.
#[expect(
    clippy::print_stderr,
    reason = "a command line tells its user what went wrong"
)]
fn complain(error: &anyhow::Error) {
    let russian = match serve::system_language() {
        Lang::Ru => in_russian(error),
        Lang::En => None,
    };
    match russian {
        Some(sentence) => eprintln!("compliance: {sentence} ({error:#})"),
        None => eprintln!("compliance: {error:#}"),
    }
}

/// What a Russian reader has to do about the faults of an installation.
fn in_russian(error: &anyhow::Error) -> Option<&'static str> {
    let told = format!("{error:#}");
    let says = |words: &str| told.contains(words);
    if says("compliance models fetch") {
        return Some("веса моделей не готовы: выполните `compliance models fetch`");
    }
    says("ffmpeg").then_some("не найден ffmpeg: выполните `./justw setup` или задайте FFMPEG_PATH")
}
