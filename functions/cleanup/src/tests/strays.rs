//! The bucket against the record.

use shared_domain::{ProjectId, VideoId};
use shared_objects::keys;

use super::*;

/// From one walk over the bucket to the next.
const AN_HOUR: Duration = Duration::from_hours(1);

impl Stage {
    /// An upload of which the record knows nothing.
    async fn orphan(&self, project: ProjectId) -> Result<(VideoId, String)> {
        let id: VideoId = self.world.store.fresh();
        let key = keys::raw(project, id, "mp4");
        let objects = self.world.objects();
        objects.put(&key, "clip".into(), "video/mp4").await?;
        Ok((id, key))
    }

    /// Objects bear the machine's own time.
    fn later(&self) {
        self.world.catch_up();
        self.world.clock.advance(LATER);
    }
}

#[tokio::test]
async fn a_file_that_a_restored_database_has_forgotten_is_checked_anew() -> Result<()> {
    let stage = Stage::open().await?;
    let (id, key) = stage.orphan(stage.project.project_id).await?;
    stage.world.catch_up();
    stage.sweep().await?;
    assert_eq!(stage.world.store.find_video(id).await?, None, "it is young");
    stage.world.clock.advance(AN_HOUR);
    stage.sweep().await?;
    let video = stage.world.store.video(id).await?;
    assert_eq!(
        (video.step, &video.object_key),
        (Step::AwaitingUpload, &key)
    );
    assert_eq!(
        (video.size_bytes, video.content_type.as_str()),
        (4, "video/mp4")
    );
    let found = stage.world.messages::<UploadCompleted>().await?;
    assert_eq!(
        found,
        [UploadCompleted::new(id)],
        "once, however often it is swept"
    );
    Ok(())
}

#[tokio::test]
async fn what_is_not_ours_or_not_there_is_left_alone() -> Result<()> {
    let stage = Stage::open().await?;
    let (foreign, key) = stage.orphan(stage.world.store.fresh()).await?;
    let (gone, hidden) = stage.orphan(stage.project.project_id).await?;
    stage.world.objects().delete(&hidden).await?;
    let objects = stage.world.objects();
    objects
        .put("videos/raw/notes.txt", "x".into(), "text/plain")
        .await?;
    stage.later();
    stage.sweep().await?;
    for id in [foreign, gone] {
        assert_eq!(stage.world.store.find_video(id).await?, None);
    }
    assert_eq!(stage.world.messages::<UploadCompleted>().await?, []);
    assert!(objects.head(&key).await.is_ok() && objects.head("videos/raw/notes.txt").await.is_ok());
    Ok(())
}

#[tokio::test]
async fn bytes_that_come_after_the_upload_was_given_up_are_deleted() -> Result<()> {
    let stage = Stage::open().await?;
    let late = stage.world.announced(&stage.project, "late.mp4", 4).await?;
    let kept = stage.world.uploaded(&stage.project, "clip").await?;
    stage.world.lead(&late, &[Step::Expired]).await?;
    stage.sweep().await?;
    stage.world.upload(&late, "clip").await?;
    stage.later();
    stage.world.clock.advance(AN_HOUR);
    stage.sweep().await?;
    assert!(!is_stored(&stage, &late.object_key).await?);
    assert!(is_stored(&stage, &kept.object_key).await?);
    Ok(())
}

#[tokio::test]
async fn a_large_bucket_is_walked_over_several_ticks_and_then_left_alone() -> Result<()> {
    let stage = Stage::open().await?;
    let objects = stage.world.objects();
    // Three pages of a thousand are one tick; these come after them.
    for number in 0..3001 {
        let key = format!("{}0{number:05}", keys::RAW_PREFIX);
        objects.put(&key, "x".into(), "text/plain").await?;
    }
    let (id, key) = stage.orphan(stage.project.project_id).await?;
    assert!(key.as_str() > "videos/raw/003000");
    stage.later();
    let tick = async || stage.world.tick(stage.handler.as_ref()).await;
    tick().await?;
    assert_eq!(stage.world.store.find_video(id).await?, None);
    let walk = stage.world.store.walk("strays").await?;
    assert_eq!(walk.after.as_deref(), Some("videos/raw/002999"));
    tick().await?;
    assert!(stage.world.store.find_video(id).await?.is_some());
    let walk = stage.world.store.walk("strays").await?;
    assert_eq!(
        (walk.after, walk.due_at),
        (None, stage.world.store.now() + AN_HOUR)
    );
    Ok(())
}

#[tokio::test]
async fn a_long_row_of_awaited_uploads_is_looked_through_over_several_ticks() -> Result<()> {
    let stage = Stage::open().await?;
    let pages = 10;
    let there = stage.upload_behind(pages * crate::handler::BATCH).await?;
    let tick = async || stage.world.tick(stage.handler.as_ref()).await;
    tick().await?;
    assert_eq!(stage.world.messages::<UploadCompleted>().await?, []);
    tick().await?;
    let found = stage.world.messages::<UploadCompleted>().await?;
    assert_eq!(found, [UploadCompleted::new(there.video_id)]);
    Ok(())
}
