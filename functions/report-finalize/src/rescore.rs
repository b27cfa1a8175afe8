//! The stored evidence of a video judged anew: no model is asked, nobody is written to.
//!
//! The surprise: the report keeps its id, so that links and mails lead to what holds now; its files are
//! new ones, since nothing that was sealed is overwritten.

use shared_domain::{ReportId, VideoId};
use shared_policy::{Pack, Packs};
use shared_runtime::about;
use shared_store::{Execution, Report as Stored, ReportStage, Video};
use tracing::info;

use crate::frames::pictures;
use crate::handler::{new_report, new_triggers};
use crate::packs::in_force;
use crate::{Error, ReportFinalize};

/// What judging again came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescored {
    /// The verdict before.
    pub before: String,
    /// The verdict now.
    pub after: String,
    /// How often a provider was asked for this run in the meantime, by the record.
    pub provider_calls: i64,
}

/// What a pack makes of a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The client's file name.
    pub name: String,
    /// `pass`, `review` or `fail`.
    pub verdict: &'static str,
    /// Where the pack's scale puts it, if the pack has one.
    pub band: Option<String>,
    /// How many risks.
    pub risks: usize,
}

/// A judgement that may be made again: the report, its video and its run.
struct Case {
    report: Stored,
    video: Video,
    run: Execution,
}

impl ReportFinalize {
    /// Judges a video by the version of its pack (or of another, which it then keeps) that is in force
    /// today. `None` where there is nothing to judge, or where people have decided.
    pub async fn rescore(
        &self,
        video_id: VideoId,
        packs: &Packs,
        other: Option<&str>,
    ) -> Result<Option<Rescored>, Error> {
        about(video_id);
        let Some(case) = self.case(video_id).await? else {
            return Ok(None);
        };
        let run_id = case.run.execution_id;
        let policy_id = other.unwrap_or(&case.video.policy_id);
        let pack = in_force(packs, policy_id, self.store.now().date())?;
        let asked = self.store.provider_calls(run_id).await?;
        let after = self.judge_again(&case, pack).await?;
        let asked = self.store.provider_calls(run_id).await? - asked;
        info!(video.id = %video_id, before = case.report.verdict, after, "video {video_id} is judged again: {after}");
        Ok(Some(Rescored {
            before: case.report.verdict,
            after,
            provider_calls: asked,
        }))
    }

    /// What a pack would make of a video; nothing is written.
    pub async fn judgement_by(
        &self,
        video_id: VideoId,
        pack: &Pack,
    ) -> Result<Option<Judgement>, Error> {
        let Some(case) = self.case(video_id).await? else {
            return Ok(None);
        };
        let (evaluation, _) = self.judge(&case.video, &case.run, pack).await?;
        Ok(Some(Judgement {
            name: case.video.original_name,
            verdict: evaluation.verdict.as_str(),
            band: evaluation.rating.map(|rating| rating.band),
            risks: evaluation.triggers.len(),
        }))
    }

    async fn case(&self, video_id: VideoId) -> Result<Option<Case>, Error> {
        let report = self.store.latest_report(video_id).await?;
        let Some(report) = report.filter(|report| report.stage == ReportStage::Ai) else {
            return Ok(None);
        };
        Ok(Some(Case {
            video: self.store.video(video_id).await?,
            run: self.store.execution(report.execution_id).await?,
            report,
        }))
    }

    async fn judge_again(&self, case: &Case, pack: &Pack) -> Result<String, Error> {
        let (video, run) = (&case.video, &case.run);
        let (evaluation, mut report) = self.judge(video, run, pack).await?;
        let versions = self.compare(&mut report, run.execution_id).await?;
        let pictures = pictures(&self.objects, &evaluation).await;
        let files: ReportId = self.store.fresh();
        let written = self.write(files, video, &report, &pictures).await?;
        let new = new_report(case.report.report_id, run, &report, written)?;
        let verdict = new.verdict.clone();

        let mut tx = self.store.transaction().await?;
        let triggers = new_triggers(&evaluation, &report);
        tx.replace_triggers(run.execution_id, video.video_id, triggers)
            .await?;
        versions.keep(&mut tx, video.video_id).await?;
        tx.replace_report(new).await?;
        tx.set_video_policy(video.video_id, &pack.id).await?;
        tx.commit().await?;
        Ok(verdict)
    }
}
