//! `compliance rescore`: stored evidence under the packs of today. No model is asked, and what the record
//! says of that is printed.

use std::process::ExitCode;

use indicatif::ProgressBar;
use shared_domain::{Settings, VideoId};

use crate::args::Rescore;
use crate::judge::Judge;

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    judged: usize,
    changed: usize,
    /// Without a report of a machine: not judged yet, or decided by people.
    left_alone: usize,
    provider_calls: i64,
    complaints: Vec<String>,
}

pub(crate) async fn rescore(settings: Settings, args: &Rescore) -> anyhow::Result<ExitCode> {
    let judge = Judge::open(settings).await?;
    let tally = every(&judge, args).await;
    judge.store.close().await;
    let tally = tally?;
    say(&tally);
    Ok(match tally.complaints.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(crate::COULD_NOT),
    })
}

async fn every(judge: &Judge, args: &Rescore) -> anyhow::Result<Tally> {
    let packs = judge.function.packs().await?;
    let videos: Vec<VideoId> = match args.all {
        true => judge.store.judged_videos().await?,
        false => args.videos.iter().copied().map(VideoId::from).collect(),
    };
    let bar = ProgressBar::new(u64::try_from(videos.len()).unwrap_or(u64::MAX));
    let mut tally = Tally::default();
    for video_id in videos {
        let policy = args.policy.as_deref();
        match judge.function.rescore(video_id, &packs, policy).await {
            Ok(Some(rescored)) => {
                tally.judged += 1;
                tally.changed += usize::from(rescored.before != rescored.after);
                tally.provider_calls += rescored.provider_calls;
            }
            Ok(None) => tally.left_alone += 1,
            // One that cannot be judged does not keep the others from it.
            Err(error) => {
                let error = anyhow::Error::from(error);
                tally.complaints.push(format!("{video_id}: {error:#}"));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(tally)
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line answers its user"
)]
fn say(tally: &Tally) {
    println!("{}", told(tally));
    for complaint in &tally.complaints {
        eprintln!("compliance: {complaint}");
    }
}

fn told(tally: &Tally) -> String {
    format!(
        "videos judged: {}\nverdicts changed: {}\nleft alone: {}\nnot judged: {}\nprovider calls: {}",
        tally.judged,
        tally.changed,
        tally.left_alone,
        tally.complaints.len(),
        tally.provider_calls
    )
}
