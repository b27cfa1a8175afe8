//! Watches a run in the record until it ends.

use std::time::Duration;

use shared_domain::{Refusal, Step, VideoId};
use shared_store::{Report, Store};

use super::bars::Bars;

/// How often the record is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Decoding is this part of a run's progress.
const DECODING: f32 = 30.0;

/// How a run ended.
pub(crate) enum Ending {
    /// With a report.
    Reported(Box<Report>),
    /// Without.
    Refused(Refusal),
}

/// Ends when the run does.
pub(crate) async fn follow(store: &Store, id: VideoId, bars: &Bars) -> anyhow::Result<Ending> {
    loop {
        let video = store.video(id).await?;
        match video.step {
            Step::Failed => return Ok(Ending::Refused(video.refusal.unwrap_or(Refusal::Internal))),
            Step::Verification | Step::Completed => {
                if let Some(run) = store.latest_execution(id).await? {
                    bars.answers(&store.task_counts(run.execution_id).await?);
                }
                bars.judging();
                let report = store.latest_report(id).await?;
                return report
                    .map(|report| Ending::Reported(Box::new(report)))
                    .ok_or_else(|| anyhow::anyhow!("the report of video {id} is gone"));
            }
            Step::Extracting => {
                if let Some(run) = store.live_execution(id).await? {
                    bars.extracting(run.progress / DECODING, run.eta_seconds);
                }
            }
            step @ (Step::Analysing | Step::Judging) => {
                if let Some(run) = store.live_execution(id).await? {
                    bars.answers(&store.task_counts(run.execution_id).await?);
                }
                if step == Step::Judging {
                    bars.judging();
                }
            }
            Step::AwaitingUpload | Step::Uploaded | Step::Expired => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}
