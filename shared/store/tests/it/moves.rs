//! Videos and runs: announced, moved, refused, retried.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use shared_domain::{Message, Refusal, Step, VideoId, VideoUploaded};
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
    let failed = store
        .video_by_checksum(video.project_id, &"ab".repeat(32))
        .await?;
    assert_eq!(
        failed.and_then(|video| video.refusal),
        Some(Refusal::Empty),
        "why these bytes failed is known"
    );
    let newer = world.video().await?;
    let mut tx = store.transaction().await?;
    tx.advance(newer.video_id, Step::AwaitingUpload, Step::Expired)
        .await?;
    tx.commit().await?;
    let found = store
        .video_by_checksum(video.project_id, &"ab".repeat(32))
        .await?;
    assert_eq!(
        found.map(|found| found.video_id),
        Some(video.video_id),
        "what never came says nothing"
    );
    Ok(())
}

#[tokio::test]
async fn a_video_that_failed_or_never_came_gives_its_key_up() -> Result<()> {
    let world = World::new().await;
    let project = world.project().await?;
    let announce = async || {
        let mut new = world.announced(project.project_id);
        new.client_key = Some("key-1".into());
        let mut tx = world.store.transaction().await?;
        let (video, created) = tx.insert_video(new).await?;
        tx.commit().await?;
        anyhow::Ok((video.video_id, created))
    };
    let (first, _) = announce().await?;
    let mut tx = world.store.transaction().await?;
    tx.refuse(first, &Refusal::Damaged).await?;
    tx.commit().await?;
    let (second, created) = announce().await?;
    assert!(created && second != first);
    let mut tx = world.store.transaction().await?;
    tx.advance(second, Step::AwaitingUpload, Step::Expired)
        .await?;
    tx.commit().await?;
    let (third, created) = announce().await?;
    assert!(created && third != second);
    assert_eq!(announce().await?, (third, false));
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
async fn sweeps_find_uploads_that_wait_too_long_page_by_page() -> Result<()> {
    let world = World::new().await;
    let store = &world.store;
    let mut waiting = Vec::new();
    for _ in 0..5 {
        waiting.push(world.video().await?.video_id);
    }
    world.video_at(Step::Extracting).await?;
    let age = Duration::from_mins(5);
    let early = store.awaiting_upload_older_than(age, None, 10).await?;
    assert_eq!(early, []);

    world.clock.advance(Duration::from_mins(6));
    let (mut found, mut last) = (Vec::new(), None);
    loop {
        let page = store.awaiting_upload_older_than(age, last, 2).await?;
        assert!(page.len() <= 2);
        found.extend(page.iter().map(|video| video.video_id));
        last = page.last().map(|video| video.video_id);
        if last.is_none() {
            break;
        }
    }
    assert_eq!(found, waiting);
    Ok(())
}

#[tokio::test]
async fn a_video_is_stranded_when_no_message_will_lead_it_on() -> Result<()> {
    let world = World::new().await;
    let video_id = world.video_at(Step::Extracting).await?.video_id;
    let age = Duration::from_mins(15);
    let stranded = async || -> Result<Vec<VideoId>> {
        let steps = (Step::Uploaded, Step::Extracting);
        let kind = VideoUploaded::KIND;
        let found = world.store.stranded(kind, steps, age, 10).await?;
        Ok(found.into_iter().map(|video| video.video_id).collect())
    };
    assert_eq!(stranded().await?, []);
    world.clock.advance(age);
    assert_eq!(stranded().await?, [video_id]);
    let mut tx = world.store.transaction().await?;
    tx.send(&VideoUploaded::new(video_id)).await?;
    tx.commit().await?;
    assert_eq!(stranded().await?, [], "a message waits");
    let claimed = world.claim("a").await?.expect("it waits");
    assert_eq!(stranded().await?, [], "somebody works on it");
    let done = shared_store::Outcome::Done;
    world
        .store
        .finish(claimed.event_id, claimed.epoch, done)
        .await?;
    assert_eq!(stranded().await?, [video_id]);
    Ok(())
}

#[tokio::test]
async fn what_a_failure_leaves_is_erased_once_and_ours_later() -> Result<()> {
    let world = World::new().await;
    let (theirs, ours) = (world.video().await?.video_id, world.video().await?.video_id);
    let day = Duration::from_hours(24);
    let erasable = async || -> Result<Vec<VideoId>> {
        let found = world.store.erasable(day, 10).await?;
        Ok(found.into_iter().map(|video| video.video_id).collect())
    };
    assert_eq!(erasable().await?, []);
    let mut tx = world.store.transaction().await?;
    tx.refuse(theirs, &Refusal::Damaged).await?;
    tx.refuse(ours, &Refusal::Internal).await?;
    tx.commit().await?;
    assert_eq!(erasable().await?, [theirs]);
    world.store.mark_erased(theirs).await?;
    assert_eq!(erasable().await?, []);
    world.clock.advance(day);
    assert_eq!(erasable().await?, [ours]);
    world.store.mark_erased(ours).await?;

    let mut tx = world.store.transaction().await?;
    let gone = tx.retry(theirs).await;
    assert!(matches!(gone, Err(StoreError::Stale { .. })), "{gone:?}");
    tx.retry(ours).await?;
    tx.refuse(ours, &Refusal::Internal).await?;
    tx.commit().await?;
    world.clock.advance(day);
    assert_eq!(erasable().await?, [ours], "the second failure left more");
    Ok(())
}

#[tokio::test]
async fn sign_ins_that_are_over_are_pruned() -> Result<()> {
    let world = World::new().await;
    let user = world.project().await?.owner_id;
    let hour = world.store.now() + Duration::from_hours(1);
    for token in ["one", "two", "three"] {
        let until = hour + Duration::from_mins(if token == "three" { 60 } else { 0 });
        world.store.open_session(user, token, until).await?;
    }
    world.store.revoke_session("one").await?;
    assert_eq!(world.store.prune_sessions(10).await?, 1);
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(world.store.prune_sessions(10).await?, 1);
    assert!(world.store.user_by_session("three").await?.is_some());
    Ok(())
}
