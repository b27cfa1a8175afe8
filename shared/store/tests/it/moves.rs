//! Videos and runs: announced, moved, refused, retried.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use shared_domain::{Refusal, Step};
use shared_store::{ExecutionStatus, StoreError};

use crate::world::World;

#[tokio::test]
async fn a_repeated_request_finds_the_first_video() -> Result<()> {
    let world = World::new().await;
    let project = world.project().await?;
    let announce = async || -> Result<_> {
        let mut new = world.announced(project.project_id);
        new.client_key = Some("key-1".into());
        let mut tx = world.store.transaction().await?;
        let answer = tx.insert_video(new).await?;
        tx.commit().await?;
        Ok(answer)
    };
    let (first, created) = announce().await?;
    let (second, created_again) = announce().await?;
    assert!(created && !created_again);
    assert_eq!(first, second);
    assert_eq!(first.step, Step::AwaitingUpload);
    assert_eq!(first.size_bytes, 2_147_483_648);
    assert_eq!(first.part_size, Some(8 << 20));
    assert_eq!(first.original_name, "отпуск \"1\".mp4");
    assert_eq!(first.created_at, world.store.now());
    Ok(())
}

#[tokio::test]
async fn videos_are_found_by_key_and_by_checksum() -> Result<()> {
    let world = World::new().await;
    let video = world.video().await?;
    let store = &world.store;
    assert_eq!(
        store.video_by_key(&video.object_key).await?,
        Some(video.clone())
    );
    assert_eq!(store.video_by_key("videos/raw/other").await?, None);
    let found = store
        .video_by_checksum(video.project_id, &"ab".repeat(32))
        .await?;
    assert_eq!(found, Some(video.clone()));
    let missing = store.video(store.fresh()).await;
    assert!(matches!(
        missing,
        Err(StoreError::NotFound { what: "video", .. })
    ));

    let mut tx = store.transaction().await?;
    tx.refuse(video.video_id, &Refusal::Empty).await?;
    tx.commit().await?;
    assert_eq!(
        store
            .video_by_checksum(video.project_id, &"ab".repeat(32))
            .await?,
        None
    );
    Ok(())
}

#[tokio::test]
async fn facts_of_the_stored_object_and_the_container_are_kept() -> Result<()> {
    let world = World::new().await;
    let video = world.video().await?;
    let mut tx = world.store.transaction().await?;
    tx.set_stored(video.video_id, 77, Some("\"etag\"")).await?;
    tx.set_probe(video.video_id, 12_345, &json!({"codec": "h264"}))
        .await?;
    tx.forget_upload_id(video.video_id).await?;
    tx.commit().await?;
    let video = world.store.video(video.video_id).await?;
    assert_eq!(
        (video.size_bytes, video.etag.as_deref()),
        (77, Some("\"etag\""))
    );
    assert_eq!((video.duration_ms, video.upload_id), (Some(12_345), None));
    assert_eq!(video.probe, Some(json!({"codec": "h264"})));
    Ok(())
}

#[tokio::test]
async fn a_second_move_is_stale_and_a_wrong_one_illegal() -> Result<()> {
    let world = World::new().await;
    let video_id = world.video_at(Step::Uploaded).await?.video_id;

    let mut tx = world.store.transaction().await?;
    let again = tx
        .advance(video_id, Step::AwaitingUpload, Step::Uploaded)
        .await;
    assert!(
        matches!(
            again,
            Err(StoreError::Stale {
                at: Step::Uploaded,
                ..
            })
        ),
        "{again:?}"
    );
    let early = tx.advance(video_id, Step::Analysing, Step::Judging).await;
    assert!(
        matches!(early, Err(StoreError::IllegalMove(_))),
        "{early:?}"
    );
    let never = tx.advance(video_id, Step::Uploaded, Step::Judging).await;
    assert!(
        matches!(never, Err(StoreError::IllegalMove(_))),
        "{never:?}"
    );
    let nobody = tx
        .advance(world.store.fresh(), Step::Uploaded, Step::Extracting)
        .await;
    assert!(
        matches!(nobody, Err(StoreError::NotFound { .. })),
        "{nobody:?}"
    );
    tx.commit().await?;
    assert_eq!(world.store.video(video_id).await?.step, Step::Uploaded);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_move_a_video_one_wins() -> Result<()> {
    let world = World::new().await;
    let video_id = world.video_at(Step::Uploaded).await?.video_id;
    let mut movers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let store = world.store.clone();
        movers.spawn(async move {
            let mut tx = store.transaction().await?;
            tx.advance(video_id, Step::Uploaded, Step::Extracting)
                .await?;
            tx.commit().await
        });
    }
    let results = movers.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let stale = |result: &&Result<(), StoreError>| matches!(result, Err(StoreError::Stale { .. }));
    assert_eq!(results.iter().filter(stale).count(), 7);
    Ok(())
}

#[tokio::test]
async fn every_step_that_may_fail_can_be_refused() -> Result<()> {
    let world = World::new().await;
    for step in Step::ALL
        .into_iter()
        .filter(|step| step.next().contains(&Step::Failed))
    {
        let video = world.video_at(step).await?;
        assert_eq!(video.step, step);
        let mut tx = world.store.transaction().await?;
        tx.refuse(video.video_id, &Refusal::Damaged).await?;
        let again = tx.refuse(video.video_id, &Refusal::Empty).await;
        assert!(matches!(again, Err(StoreError::Stale { .. })), "{again:?}");
        tx.commit().await?;
        let video = world.store.video(video.video_id).await?;
        assert_eq!(
            (video.step, video.refusal),
            (Step::Failed, Some(Refusal::Damaged))
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_refusal_fails_the_live_run_and_a_retry_starts_another() -> Result<()> {
    let world = World::new().await;
    let first = world.execution().await?;
    let video_id = first.video_id;

    let mut tx = world.store.transaction().await?;
    tx.refuse(
        video_id,
        &Refusal::TooLong {
            seconds: 9000,
            limit: 7200,
        },
    )
    .await?;
    tx.commit().await?;
    let failed = world.store.execution(first.execution_id).await?;
    assert_eq!(failed.status, ExecutionStatus::Failed);
    assert!(failed.error_trace.is_some() && failed.completed_at.is_some());
    assert_eq!(world.store.live_execution(video_id).await?, None);

    world.clock.advance(Duration::from_secs(1));
    let mut tx = world.store.transaction().await?;
    tx.retry(video_id).await?;
    let again = tx.retry(video_id).await;
    assert!(matches!(again, Err(StoreError::Stale { .. })), "{again:?}");
    let second = tx.start_execution(video_id).await?;
    tx.commit().await?;
    let video = world.store.video(video_id).await?;
    assert_eq!((video.step, video.refusal), (Step::Uploaded, None));
    assert_eq!(second.retry_count, 1);
    assert_eq!(world.store.latest_execution(video_id).await?, Some(second));
    Ok(())
}

#[tokio::test]
async fn a_video_has_one_live_run_whose_progress_never_falls() -> Result<()> {
    let world = World::new().await;
    let run = world.execution().await?;
    assert_eq!(run.status, ExecutionStatus::Pending);
    let mut tx = world.store.transaction().await?;
    assert_eq!(tx.start_execution(run.video_id).await?, run);
    tx.advance(run.video_id, Step::Extracting, Step::Analysing)
        .await?;
    tx.commit().await?;

    world
        .store
        .report_progress(run.execution_id, "frames", 40.0, Some(30))
        .await?;
    world
        .store
        .report_progress(run.execution_id, "speech", 20.0, None)
        .await?;
    let live = world
        .store
        .live_execution(run.video_id)
        .await?
        .expect("it is live");
    assert_eq!(live.status, ExecutionStatus::Running);
    assert_eq!(
        (live.current_task.as_str(), live.eta_seconds),
        ("speech", None)
    );
    assert!((live.progress - 40.0).abs() < f32::EPSILON);
    assert_eq!(live.last_step, "analysing");
    assert_eq!(live.started_at, Some(world.store.now()));

    let mut tx = world.store.transaction().await?;
    tx.complete_execution(run.execution_id).await?;
    tx.fail_execution(run.execution_id, "too late").await?;
    tx.commit().await?;
    world
        .store
        .report_progress(run.execution_id, "late", 50.0, None)
        .await?;
    let ended = world.store.execution(run.execution_id).await?;
    assert_eq!(
        (ended.status, ended.error_trace),
        (ExecutionStatus::Completed, None)
    );
    assert_eq!(ended.current_task, "speech");
    Ok(())
}

#[tokio::test]
async fn sweeps_find_uploads_that_wait_too_long() -> Result<()> {
    let world = World::new().await;
    let store = &world.store;
    let waiting = world.video().await?.video_id;
    let extracting = world.video_at(Step::Extracting).await?.video_id;
    let minutes = Duration::from_mins;
    assert_eq!(store.awaiting_upload_older_than(minutes(5), 10).await?, []);

    world.clock.advance(minutes(6));
    let found = store.awaiting_upload_older_than(minutes(5), 10).await?;
    assert_eq!(
        found.iter().map(|v| v.video_id).collect::<Vec<_>>(),
        [waiting]
    );
    let found = store.standing_at(Step::Extracting, minutes(5), 10).await?;
    assert_eq!(
        found.iter().map(|v| v.video_id).collect::<Vec<_>>(),
        [extracting]
    );
    assert_eq!(store.expired_uploads(10).await?, []);
    world.clock.advance(minutes(10));
    let found = store.expired_uploads(10).await?;
    assert_eq!(
        found.iter().map(|v| v.video_id).collect::<Vec<_>>(),
        [waiting]
    );
    Ok(())
}
