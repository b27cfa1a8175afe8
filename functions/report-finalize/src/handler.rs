//! One run: judge the evidence, write the files, then everything in one transaction.

use std::time::Duration;

use serde_json::json;
use shared_domain::{Detection, EvidenceComplete, ReportId, ReportReady, Step, TriggerId};
use shared_policy::{
    Evaluation, Judged, Pack, ProjectWords, Report, ReportInput, Stage, Trigger, evaluate,
};
use shared_runtime::{Event, Handler, about};
use shared_store::{Execution, NewReport, NewTrigger, ReportStage, Video};
use tracing::info;

use crate::coverage::{Run, coverage};
use crate::frames::{addresses, pictures};
use crate::packs::in_force;
use crate::write::Written;
use crate::{Error, ReportFinalize, input};

impl Handler for ReportFinalize {
    const NAME: &'static str = "report-finalize";
    const TIMEOUT: Duration = Duration::from_mins(10);
    type Input = EvidenceComplete;
    type Output = ();
    type Error = Error;

    async fn handle(&self, event: &Event, input: EvidenceComplete) -> Result<(), Error> {
        let run = self.store.execution(input.execution_id).await?;
        about(run.video_id);
        let video = self.store.video(run.video_id).await?;
        if video.step.is_at_or_past(Step::Verification) {
            return Ok(());
        }
        let packs = self.packs().await?;
        let day = run.started_at.unwrap_or_else(|| self.store.now()).date();
        let pack = in_force(&packs, &video.policy_id, day)?;
        let (evaluation, mut report) = self.judge(&video, &run, pack).await?;
        let versions = self.compare(&mut report, run.execution_id).await?;
        // Two starts of one run write different files: neither may overwrite what the other sealed.
        let report_id: ReportId = self.store.fresh();
        let pictures = pictures(&self.objects, &evaluation).await;
        let written = self.write(report_id, &video, &report, &pictures).await?;

        let mut tx = self.store.begin(&event.delivery(Self::NAME)).await?;
        let triggers = new_triggers(&evaluation, &report);
        tx.replace_triggers(run.execution_id, video.video_id, triggers)
            .await?;
        versions.keep(&mut tx, video.video_id).await?;
        let new = new_report(report_id, &run, &report, written)?;
        let report_id = tx.add_report(new).await?;
        tx.open_verification_task(video.video_id).await?;
        tx.complete_execution(run.execution_id).await?;
        tx.advance(video.video_id, Step::Judging, Step::Verification)
            .await?;
        tx.send(&ReportReady::new(video.video_id, report_id))
            .await?;
        tx.commit().await?;
        let (verdict, risks) = (report.verdict.as_str(), report.total_triggers);
        info!(video.id = %video.video_id, verdict, risks, "report on video {} is ready: {verdict}", video.video_id);
        Ok(())
    }
}

impl ReportFinalize {
    pub(crate) async fn judge(
        &self,
        video: &Video,
        run: &Execution,
        pack: &Pack,
    ) -> Result<(Evaluation, Report), Error> {
        let found = self.store.detections(run.execution_id).await?;
        let (undecided, detections): (Vec<_>, Vec<_>) =
            found.into_iter().partition(Detection::is_undecided);
        let rows = self.store.evidence_rows(run.execution_id).await?;
        let nothing = serde_json::Value::Null;
        let probe = video.probe.as_ref().unwrap_or(&nothing);
        let coverage = coverage(&Run {
            rows: &rows,
            undecided: &undecided,
            models: run.models.as_ref().unwrap_or(&nothing),
            extraction: run.extraction.as_ref().unwrap_or(&nothing),
            has_audio: probe["has_audio"].as_bool().unwrap_or(true),
        });
        let own = self.store.project_words(video.project_id).await?;
        let own = ProjectWords::parse(&own.allowed, &own.denied)?;
        let (pack, dictionaries) = own.over(pack, &self.dictionaries);
        let evaluation = evaluate(&detections, &coverage, &pack, &dictionaries);
        let judged = |trigger| Judged {
            id: self.store.fresh::<TriggerId>(),
            trigger,
            decision: None,
        };
        let report = Report::build(ReportInput {
            video: input::video(video, &detections),
            run: input::run(run, &coverage, self.store.now()),
            stage: Stage::Ai,
            pack: &pack,
            evaluation: &evaluation,
            risks: evaluation.triggers.iter().map(judged).collect(),
            frame_urls: &addresses(video.video_id, &evaluation),
        })
        .with_transcript(&detections);
        Ok((evaluation, report))
    }
}

pub(crate) fn new_report(
    report_id: ReportId,
    run: &Execution,
    report: &Report,
    written: Written,
) -> Result<NewReport, Error> {
    Ok(NewReport {
        report_id,
        video_id: run.video_id,
        execution_id: run.execution_id,
        stage: ReportStage::Ai,
        policy_id: report.run.policy.id.clone(),
        policy_version: report.run.policy.version.clone(),
        verdict: report.verdict.as_str().to_owned(),
        body: serde_json::to_value(report).map_err(|error| Error::Write(error.into()))?,
        json_key: written.json_key,
        html_key: written.html_key,
        seal: written.seal,
    })
}

pub(crate) fn new_triggers(evaluation: &Evaluation, report: &Report) -> Vec<NewTrigger> {
    let new = |(trigger, risk): (&Trigger, &shared_policy::Risk)| NewTrigger {
        trigger_id: risk.id,
        rule: trigger.rule.clone(),
        category: trigger.category.clone(),
        risk_code: trigger.risk_code.clone(),
        source: trigger.source.clone(),
        start_ms: trigger.start_ms,
        end_ms: trigger.end_ms,
        confidence: f64::from(trigger.confidence),
        body: json!(risk),
    };
    evaluation
        .triggers
        .iter()
        .zip(&report.risks)
        .map(new)
        .collect()
}
