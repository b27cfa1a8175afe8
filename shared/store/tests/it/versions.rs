//! Versions of one video and the decisions about them.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use shared_domain::{Step, TriggerId, VideoId};
use shared_store::{NewLabel, NewTrigger, Role, StoreError, Video};

use crate::world::World;

/// A video of this name that has its report.
async fn reported(world: &World, name: &str) -> Result<Video> {
    world.clock.advance(Duration::from_secs(1));
    let project = world.project().await?;
    let mut new = world.announced(project.project_id);
    new.original_name = name.into();
    let mut tx = world.store.transaction().await?;
    let (video, _) = tx.insert_video(new).await?;
    let way = [
        Step::AwaitingUpload,
        Step::Uploaded,
        Step::Extracting,
        Step::Analysing,
        Step::Judging,
        Step::Verification,
    ];
    for step in way.windows(2) {
        tx.advance(video.video_id, step[0], step[1]).await?;
    }
    tx.commit().await?;
    Ok(video)
}

async fn previous(world: &World, video: &Video) -> Result<Option<VideoId>> {
    Ok(world.store.previous_version(video.video_id).await?)
}

/// A risk of a video that lies where `at_ms` says.
async fn risk(world: &World, video: &Video, at_ms: i64) -> Result<TriggerId> {
    let mut tx = world.store.transaction().await?;
    let run = tx.start_execution(video.video_id).await?;
    let trigger_id = world.store.fresh();
    let new = NewTrigger {
        trigger_id,
        rule: "profanity-speech".into(),
        category: "profanity".into(),
        risk_code: "mat_speech".into(),
        source: "whisper_profanity".into(),
        start_ms: at_ms,
        end_ms: at_ms + 400,
        confidence: 0.9,
        body: json!({}),
    };
    tx.replace_triggers(run.execution_id, video.video_id, vec![new])
        .await?;
    tx.commit().await?;
    Ok(trigger_id)
}

#[tokio::test]
async fn the_version_before_is_the_named_one_or_the_newest_of_its_name() -> Result<()> {
    let world = World::new().await;
    let first = reported(&world, "film.mp4").await?;
    let other = reported(&world, "other.mp4").await?;
    let second = reported(&world, "film.mp4").await?;
    assert_eq!(previous(&world, &first).await?, None);
    assert_eq!(previous(&world, &other).await?, None);
    assert_eq!(previous(&world, &second).await?, Some(first.video_id));

    let third = reported(&world, "film.mp4").await?;
    assert_eq!(previous(&world, &third).await?, Some(second.video_id));
    let mut tx = world.store.transaction().await?;
    for named in [&other, &first] {
        tx.set_previous_video(third.video_id, named.video_id)
            .await?;
    }
    tx.commit().await?;
    let named = previous(&world, &third).await?;
    assert_eq!(named, Some(other.video_id), "what was named first stays");

    let unknown = world.store.previous_version(world.store.fresh()).await;
    assert!(
        matches!(unknown, Err(StoreError::NotFound { .. })),
        "{unknown:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_version_without_a_report_or_of_another_project_is_none() -> Result<()> {
    let world = World::new().await;
    let waits = world.video().await?;
    let strangers = reported(&world, &waits.original_name).await?;
    let owner = world.user("another@example.org", Role::Client).await?;
    let project = world.store.ensure_project(owner.user_id, "Cuts").await?;
    let mut tx = world.store.transaction().await?;
    let mut new = world.announced(project.project_id);
    new.original_name.clone_from(&waits.original_name);
    let (video, _) = tx.insert_video(new).await?;
    tx.commit().await?;
    assert_eq!(previous(&world, &video).await?, None);
    assert_eq!(previous(&world, &strangers).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_decision_is_carried_once_to_the_new_place_and_names_its_source() -> Result<()> {
    let world = World::new().await;
    let operator = world.user("operator@example.org", Role::Operator).await?;
    let mut versions = Vec::new();
    for at_ms in [1_000, 3_000, 7_000] {
        let video = reported(&world, "film.mp4").await?;
        versions.push((risk(&world, &video, at_ms).await?, video.video_id));
    }
    let [(first, source), (second, _), (third, last)] = versions[..] else {
        anyhow::bail!("three versions");
    };
    let decide = |final_label: &str| NewLabel {
        trigger_id: first,
        operator_id: operator.user_id,
        final_label: final_label.into(),
        comment: Some("актёр".into()),
    };
    let mut tx = world.store.transaction().await?;
    tx.decide(decide("ok_false")).await?;
    tx.decide(decide("mat_speech")).await?;
    tx.commit().await?;
    let decided_at = world.store.labels(source).await?[0].decided_at;

    world.clock.advance(Duration::from_hours(1));
    for (from, to) in [(source, second), (versions[1].1, third)] {
        let label = world.store.labels(from).await?.remove(0);
        for _ in 0..2 {
            let mut tx = world.store.transaction().await?;
            tx.carry_label(label.label_id, to).await?;
            tx.commit().await?;
        }
    }
    let carried = world.store.labels(last).await?;
    assert_eq!(carried.len(), 1, "{carried:?}");
    let label = &carried[0];
    assert_eq!((label.trigger_id, label.decided_on), (third, source));
    assert_eq!(
        (label.final_label.as_str(), label.decided_at),
        ("ok_false", decided_at)
    );
    assert_eq!(label.comment.as_deref(), Some("актёр"));

    // Judged anew, the video has another risk; what was decided is kept, and decides nothing.
    let anew = world.store.video(last).await?;
    risk(&world, &anew, 7_000).await?;
    assert_eq!(world.store.labels(last).await?, []);
    let mut tx = world.store.transaction().await?;
    let gone = tx.carry_label(label.label_id, third).await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
    Ok(())
}
