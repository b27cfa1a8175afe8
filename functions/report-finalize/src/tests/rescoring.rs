//! Which pack judges, and judging stored evidence again.

use std::time::Duration;

use shared_store::AddedPack;

use super::*;
use crate::Error;

/// A pack in which nothing but betting is a risk.
const LENIENT: &str = "pack: 1
id: lenient
version: '1'
effective: { from: 2026-01-01 }
title: { ru: x, en: x }
source: { ru: x, en: x }
disclaimer: { ru: x, en: x }
required: []
categories:
  - code: gambling
    clause: { ru: x, en: x }
    severity: low
rules:
  - id: betting
    category: gambling
    tasks: [speech]
    dictionaries: [gambling]
    verdict: review
    source: whisper_stopword
";

impl Stage {
    async fn add(&self, body: &str, pack_id: &str, version: &str) -> Result<()> {
        let new = AddedPack {
            pack_id: pack_id.into(),
            version: version.into(),
            body: body.into(),
        };
        assert!(self.world.store.add_pack(&new).await?);
        Ok(())
    }

    async fn function(&self) -> Result<ReportFinalize> {
        let function = ReportFinalize::connect(self.world.shared()).await;
        function.map_err(anyhow::Error::from_boxed)
    }

    async fn rescored(&self, other: Option<&str>) -> Result<Option<crate::Rescored>> {
        let function = self.function().await?;
        let packs = function.packs().await?;
        let video_id = self.run.video.video_id;
        Ok(function.rescore(video_id, &packs, other).await?)
    }
}

#[tokio::test]
async fn a_projects_pack_judges_and_tells_the_age_band() -> Result<()> {
    let stage = Stage::judged_by("ru-436-fz").await?;
    assert_eq!(stage.judge().await?, [Verdict::Done]);
    let report = stage.report().await?;
    assert_eq!(report.policy_id, "ru-436-fz");
    let band = &report.body["age_band"];
    assert_eq!(
        (&band["value"], &band["at_least"]),
        (&json!("18+"), &json!(true))
    );
    let reasons = band["reasons"].as_array().context("reasons")?;
    let risks = texts(&report.body["risks"], "id");
    assert_eq!(reasons.len(), 2, "nudity and profanity: {reasons:?}");
    assert!(
        reasons
            .iter()
            .all(|id| risks.contains(&id.as_str().unwrap_or_default()))
    );
    Ok(())
}

#[tokio::test]
async fn the_version_of_the_runs_day_judges() -> Result<()> {
    let stage = Stage::judged_by("lenient").await?;
    stage.add(LENIENT, "lenient", "1").await?;
    // The clock of these tests stands in March.
    let later = LENIENT
        .replace("version: '1'", "version: '2'")
        .replace("2026-01-01", "2026-04-01");
    stage.add(&later, "lenient", "2").await?;
    assert_eq!(stage.judge().await?, [Verdict::Done]);
    let report = stage.report().await?;
    assert_eq!(
        (report.policy_version.as_str(), report.verdict.as_str()),
        ("1", "pass")
    );
    Ok(())
}

#[tokio::test]
async fn a_stored_pack_that_cannot_be_read_leaves_the_old_one_in_force() -> Result<()> {
    let stage = Stage::judged_by("lenient").await?;
    stage.add(LENIENT, "lenient", "1").await?;
    stage.add("pack: 7", "lenient", "2").await?;
    assert_eq!(stage.judge().await?, [Verdict::Done]);
    assert_eq!(stage.report().await?.policy_version, "1");
    Ok(())
}

#[tokio::test]
async fn a_pack_that_nobody_has_rejects_the_run_and_says_so() -> Result<()> {
    let stage = Stage::judged_by("nowhere").await?;
    assert_eq!(stage.judge().await?, [Verdict::Reject]);
    let error = stage
        .rescored(Some("nowhere"))
        .await?
        .map(|rescored| rescored.after);
    assert_eq!(error, None, "there is no report to judge again");
    Ok(())
}

#[tokio::test]
async fn judging_again_asks_no_model_and_writes_to_nobody() -> Result<()> {
    let stage = Stage::open().await?;
    stage.judge().await?;
    let before = stage.report().await?;
    let sent = stage.world.messages::<ReportReady>().await?.len();
    stage.world.clock.advance(Duration::from_hours(24));
    stage.add(LENIENT, "lenient", "1").await?;

    let rescored = stage.rescored(Some("lenient")).await?.context("judged")?;
    assert_eq!(
        (rescored.before.as_str(), rescored.provider_calls),
        ("fail", 0)
    );
    assert_eq!(
        rescored.after, "pass",
        "it asks for nothing that was missed"
    );
    let after = stage.report().await?;
    assert_eq!(after.report_id, before.report_id, "links stay");
    assert_eq!(
        (after.policy_id.as_str(), after.verdict.as_str()),
        ("lenient", rescored.after.as_str())
    );
    assert_eq!(after.body["total_triggers"], 0);
    assert_eq!(stage.world.count("triggers", "true").await?, 0);
    assert_eq!(stage.world.messages::<ReportReady>().await?.len(), sent);
    let run = |report: &Report| report.body["run"]["completed_at"].clone();
    assert_eq!(run(&after), run(&before), "the run took no longer");

    // What was sealed is as it was; what holds now is sealed too.
    for report in [&before, &after] {
        let json = stage.stored(&report.json_key).await?;
        assert_eq!(hex::encode(Sha256::digest(&json)), report.seal);
    }
    for page in ["ru", "en"] {
        let key = keys::page_in(&after.html_key, page.parse()?);
        let page = String::from_utf8(stage.stored(&key).await?)?;
        assert!(page.contains("lenient"), "{key}");
    }
    let video = stage.world.store.video(stage.run.video.video_id).await?;
    assert_eq!(video.policy_id, "lenient", "the next time too");
    Ok(())
}

#[tokio::test]
async fn judging_again_by_the_same_pack_changes_no_verdict() -> Result<()> {
    let stage = Stage::open().await?;
    stage.judge().await?;
    let first = stage.report().await?;
    let rescored = stage.rescored(None).await?.context("judged")?;
    assert_eq!(rescored.before, rescored.after);
    let second = stage.report().await?;
    assert_eq!(first.body["coverage"], second.body["coverage"]);
    assert_eq!(
        texts(&first.body["risks"], "code"),
        texts(&second.body["risks"], "code")
    );
    // A trigger has the id of its risk again.
    for id in texts(&second.body["risks"], "id") {
        let stored = format!("cast(trigger_id as text) = '{id}'");
        assert_eq!(stage.world.count("triggers", &stored).await?, 1, "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_judged_or_has_no_pack_is_left_alone() -> Result<()> {
    let stage = Stage::open().await?;
    assert_eq!(stage.rescored(None).await?, None, "there is no report yet");
    stage.judge().await?;
    let first = stage.report().await?;
    let function = stage.function().await?;
    let packs = function.packs().await?;
    let refused = function
        .rescore(stage.run.video.video_id, &packs, Some("nowhere"))
        .await;
    assert!(matches!(refused, Err(Error::NoPack { .. })), "{refused:?}");
    assert_eq!(stage.report().await?, first);
    Ok(())
}

#[tokio::test]
async fn a_pack_is_tried_without_a_trace() -> Result<()> {
    let stage = Stage::open().await?;
    stage.judge().await?;
    let first = stage.report().await?;
    let function = stage.function().await?;
    let packs = function.packs().await?;
    let day = stage.world.store.now().date();
    let pack = packs.in_force("ru-436-fz", day).context("a pack")?;
    let judged = function
        .judgement_by(stage.run.video.video_id, pack)
        .await?
        .context("a judgement")?;
    assert_eq!(
        (judged.verdict, judged.band.as_deref(), judged.risks),
        ("review", Some("18+"), 2)
    );
    assert_eq!(stage.report().await?, first);
    Ok(())
}
