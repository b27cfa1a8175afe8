//! `compliance doctor`: what is wrong with this machine or with a deployment, and what to do about it.
//!
//! Every check stands alone: a setting that is missing spoils its own lines and no others.

mod bucket;
mod clock;
mod database;
mod ffmpeg;
mod finding;
mod fix;
mod machine;
mod mail;
mod native;
mod print;
mod redis;
mod replicate;
mod rules;
mod secrets;
mod site;
mod wanted;
mod web;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use futures::future::{BoxFuture, join_all};
use shared_domain::{Settings, SystemClock};

use crate::args::Doctor;
use crate::serve::system_language;
use finding::{Finding, State};
use fix::Fixed;
use print::Report;
use secrets::Censor;
use site::Site;

/// The longest that one check may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Exit code when something has to be mended.
const FAILED: u8 = 1;

/// Checks of a deployment, in the order of their lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deploy {
    DebugOff,
    SecretKey,
    AllowedHosts,
    PublicUrl,
    Database,
    Redis,
    Mail,
    SecretsNotInFiles,
    Bucket,
    BucketPrivate,
    BucketCors,
    BucketLifecycle,
    BucketNotifications,
    Replicate,
    Clock,
    Ffmpeg,
    Cloudflare,
}

/// Checks of this machine, in the order of their lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Machine {
    Ffmpeg,
    Tesseract,
    Models,
    DataFolder,
    Database,
    Disk,
}

/// A check and what it has found.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) finding: Finding,
}

pub(crate) async fn doctor(settings: Settings, args: &Doctor) -> anyhow::Result<ExitCode> {
    let censor = Censor::new(&settings);
    let site = Site::new(settings, Arc::new(SystemClock), PathBuf::from("."));
    let (lines, fixed) = if args.deploy {
        deployment(&site, args).await
    } else {
        (
            examine(&site, Machine::value_variants(), Machine::check).await,
            Vec::new(),
        )
    };
    let code = code(&lines);
    let report = Report {
        lines,
        fixed,
        censor,
        lang: system_language(),
    };
    report.print(args.json)?;
    Ok(ExitCode::from(code))
}

async fn deployment(site: &Site, args: &Doctor) -> (Vec<Line>, Vec<Fixed>) {
    let named = |check: &Deploy| match args.names.is_empty() {
        // Who does not use Cloudflare need not hear of it.
        true => *check != Deploy::Cloudflare || web::has_cloudflare(site),
        false => args.names.contains(check),
    };
    let all = Deploy::value_variants().iter().copied();
    let checks: Vec<Deploy> = all.filter(named).collect();
    let fixed = match args.fix {
        true => fix::fix(site, &checks).await,
        false => Vec::new(),
    };
    (examine(site, &checks, Deploy::check).await, fixed)
}

/// All at once; a check that takes too long says so.
async fn examine<'a, C: ValueEnum + Copy>(
    site: &'a Site,
    checks: &[C],
    check: impl Fn(C, &'a Site) -> BoxFuture<'a, Finding>,
) -> Vec<Line> {
    let looking = checks.iter().map(|one| {
        let name = name(one);
        let finding = tokio::time::timeout(PATIENCE, check(*one, site));
        async move {
            let finding = finding.await.unwrap_or_else(|_| {
                Finding::not_checked(
                    "нет ответа за 10 с: повторите, проверьте выход в сеть",
                    "no answer in 10 s: try again, check the way out to the network",
                )
            });
            Line { name, finding }
        }
    });
    join_all(looking).await
}

/// The name on the line, as on the command line.
fn name(check: &impl ValueEnum) -> String {
    let value = check.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// 0 when nothing has to be mended, 1 when something has, 2 when something could not be looked at.
fn code(lines: &[Line]) -> u8 {
    let any = |state| lines.iter().any(|line| line.finding.state == state);
    match (any(State::Fail), any(State::NotChecked)) {
        (true, _) => FAILED,
        (false, true) => crate::COULD_NOT,
        (false, false) => 0,
    }
}

impl Deploy {
    fn check(self, site: &Site) -> BoxFuture<'_, Finding> {
        match self {
            Self::DebugOff => Box::pin(async move { web::debug_off(site) }),
            Self::SecretKey => Box::pin(async move { web::secret_key(site) }),
            Self::AllowedHosts => Box::pin(async move { web::allowed_hosts(site) }),
            Self::PublicUrl => Box::pin(async move { web::public_url(site) }),
            Self::Database => Box::pin(database::deployed(site)),
            Self::Redis => Box::pin(redis::redis(site)),
            Self::Mail => Box::pin(mail::mail(site)),
            Self::SecretsNotInFiles => Box::pin(async move { secrets::not_in_files(site) }),
            Self::Bucket => Box::pin(bucket::bucket(site)),
            Self::BucketPrivate => Box::pin(rules::private(site)),
            Self::BucketCors => Box::pin(rules::cors(site)),
            Self::BucketLifecycle => Box::pin(rules::lifecycle(site)),
            Self::BucketNotifications => Box::pin(rules::notifications(site)),
            Self::Replicate => Box::pin(replicate::replicate(site)),
            Self::Clock => Box::pin(clock::clock(site)),
            Self::Ffmpeg => Box::pin(ffmpeg::ffmpeg(site)),
            Self::Cloudflare => Box::pin(async move { web::cloudflare(site) }),
        }
    }
}

impl Machine {
    fn check(self, site: &Site) -> BoxFuture<'_, Finding> {
        match self {
            Self::Ffmpeg => Box::pin(ffmpeg::ffmpeg(site)),
            Self::Tesseract => Box::pin(machine::tesseract(site)),
            Self::Models => Box::pin(async move { machine::models(site) }),
            Self::DataFolder => Box::pin(async move { machine::data_folder(site) }),
            Self::Database => Box::pin(database::here(site)),
            Self::Disk => Box::pin(async move { machine::disk(site) }),
        }
    }
}

#[cfg(test)]
mod tests;
