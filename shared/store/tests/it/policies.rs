//! Added packs, definitions of risks, and judging again.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use shared_store::{AddedPack, NewReport, ReportStage, RiskDefinition, StoreError};

use crate::world::World;

fn pack(version: &str, body: &str) -> AddedPack {
    AddedPack {
        pack_id: "studio".into(),
        version: version.into(),
        body: body.into(),
    }
}

fn definition(code: &str, ordinal: i64) -> RiskDefinition {
    RiskDefinition {
        code: code.into(),
        area: "language".into(),
        category: "profanity".into(),
        ordinal,
        name: json!({ "ru": "Мат", "en": "Profanity" }),
        description: json!({ "ru": "x", "en": "x" }),
        clause: json!({ "ru": "x", "en": "x" }),
        level: "high".into(),
        labels: vec![code.into(), "ok_false".into()],
    }
}

#[tokio::test]
async fn a_version_of_a_pack_is_kept_once_and_never_changed() -> Result<()> {
    let world = World::new().await;
    assert!(world.store.add_pack(&pack("1", "first")).await?);
    assert!(!world.store.add_pack(&pack("1", "other")).await?);
    world.clock.advance(Duration::from_secs(1));
    assert!(world.store.add_pack(&pack("0", "later")).await?);
    let kept = world.store.added_packs().await?;
    assert_eq!(kept, [pack("1", "first"), pack("0", "later")]);
    Ok(())
}

#[tokio::test]
async fn definitions_are_brought_to_the_release_and_unknown_ones_stay() -> Result<()> {
    let world = World::new().await;
    let (old, mut known) = (definition("older_release", 9), definition("mat_speech", 0));
    let mut tx = world.store.transaction().await?;
    tx.seed_risk_definitions(&[old.clone(), known.clone()])
        .await?;
    tx.commit().await?;
    known.level = "medium".into();
    known.labels.push("insult".into());
    let mut tx = world.store.transaction().await?;
    tx.seed_risk_definitions(std::slice::from_ref(&known))
        .await?;
    tx.commit().await?;
    assert_eq!(world.store.risk_definitions().await?, [known, old]);
    Ok(())
}

#[tokio::test]
async fn a_folder_and_a_video_change_their_pack() -> Result<()> {
    let world = World::new().await;
    let run = world.execution().await?;
    let video = world.store.video(run.video_id).await?;
    world
        .store
        .set_project_policy(video.project_id, "ru-436-fz")
        .await?;
    let project = world.store.find_project(video.project_id).await?;
    assert_eq!(project.context("the project")?.policy_id, "ru-436-fz");
    let other = world
        .store
        .set_project_policy(world.store.fresh(), "x")
        .await;
    assert!(matches!(other, Err(StoreError::NotFound { .. })));

    let mut tx = world.store.transaction().await?;
    tx.set_video_policy(run.video_id, "ru-436-fz").await?;
    tx.commit().await?;
    let video = world.store.video(run.video_id).await?;
    assert_eq!(video.policy_id, "ru-436-fz");
    Ok(())
}

#[tokio::test]
async fn a_report_that_is_judged_again_keeps_its_id() -> Result<()> {
    let world = World::new().await;
    let run = world.execution().await?;
    let first = world.report(&run, ReportStage::Ai);
    let mut tx = world.store.transaction().await?;
    tx.add_report(first.clone()).await?;
    tx.commit().await?;
    let second = NewReport {
        verdict: "fail".into(),
        policy_id: "ru-436-fz".into(),
        json_key: "reports/2.json".into(),
        ..first.clone()
    };
    let mut tx = world.store.transaction().await?;
    tx.replace_report(second).await?;
    let strange = world.report(&run, ReportStage::Ai);
    let error = tx.replace_report(strange).await;
    assert!(matches!(error, Err(StoreError::NotFound { .. })));
    tx.commit().await?;
    let kept = world.store.report(first.report_id).await?;
    assert_eq!(
        (kept.verdict.as_str(), kept.policy_id.as_str()),
        ("fail", "ru-436-fz")
    );
    assert_eq!(kept.json_key, "reports/2.json");
    Ok(())
}

#[tokio::test]
async fn what_people_decided_is_not_judged_again() -> Result<()> {
    let world = World::new().await;
    let run = world.execution().await?;
    assert!(world.store.judged_videos().await?.is_empty());
    let mut tx = world.store.transaction().await?;
    tx.add_report(world.report(&run, ReportStage::Ai)).await?;
    tx.commit().await?;
    assert_eq!(world.store.judged_videos().await?, [run.video_id]);
    let mut tx = world.store.transaction().await?;
    tx.add_report(world.report(&run, ReportStage::Final))
        .await?;
    tx.commit().await?;
    assert!(world.store.judged_videos().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn calls_to_a_provider_are_counted_by_the_questions_begun() -> Result<()> {
    let world = World::new().await;
    let (run, plan) = world.planned(2).await?;
    assert_eq!(world.store.provider_calls(run.execution_id).await?, 0);
    for _ in 0..2 {
        let mut tx = world.store.transaction().await?;
        tx.begin_submission(plan.predictions[0].prediction_id)
            .await?;
        tx.commit().await?;
    }
    assert_eq!(world.store.provider_calls(run.execution_id).await?, 2);
    let none = world.store.provider_calls(world.store.fresh()).await?;
    assert_eq!(none, 0);
    Ok(())
}
