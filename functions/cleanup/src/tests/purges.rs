//! The cache in front of storage.

use shared_objects::keys;
use shared_store::Video;
use shared_testing::{CloudflareMishap, FakeCloudflare};

use super::*;

/// A cleanup behind Cloudflare, and a refused video with a copy for review.
async fn stage() -> Result<(Stage, FakeCloudflare, Video)> {
    let cloudflare = FakeCloudflare::start().await?;
    let mut stage = Stage::open().await?;
    let function = Cleanup::connect(stage.world.shared_with(&cloudflare.settings())).await;
    stage.handler = boxed(function.map_err(anyhow::Error::from_boxed)?);
    let video = stage.refused(3).await?;
    Ok((stage, cloudflare, video))
}

impl Stage {
    async fn refused(&self, segments: u32) -> Result<Video> {
        let video = self.world.uploaded(&self.project, "clip").await?;
        let objects = self.world.objects();
        for index in 0..segments {
            let key = keys::segment(video.video_id, index);
            objects.put(&key, "ts".into(), "video/mp2t").await?;
        }
        let list = keys::playlist(video.video_id);
        objects.put(&list, "list".into(), "text/plain").await?;
        let mut tx = self.world.store.transaction().await?;
        tx.refuse(video.video_id, &Refusal::NoPicture).await?;
        tx.commit().await?;
        Ok(video)
    }

    async fn left(&self, video: &Video) -> Result<usize> {
        let prefix = keys::video_prefix(video.video_id);
        Ok(self.world.objects().list(&prefix).await?.len())
    }

    async fn swept(&self) -> Result<Verdict> {
        Ok(self.world.tick(self.handler.as_ref()).await?.verdict)
    }
}

#[tokio::test]
async fn the_cache_forgets_what_was_deleted_under_the_address_that_it_knows() -> Result<()> {
    let (stage, cloudflare, video) = stage().await?;
    stage.sweep().await?;
    assert_eq!(stage.left(&video).await?, 0);
    let settings = stage.world.settings();
    let endpoint = settings.find("BACKBLAZE_ENDPOINT_URL").context("storage")?;
    let bucket = settings.find("BACKBLAZE_BUCKET_NAME").context("a bucket")?;
    let id = video.video_id;
    let mut wanted: Vec<_> = (0..3).map(|index| keys::segment(id, index)).collect();
    wanted.push(keys::playlist(id));
    let wanted: Vec<_> = wanted
        .iter()
        .map(|key| format!("{endpoint}/{bucket}/{key}"))
        .collect();
    assert_eq!(cloudflare.purged(), [wanted], "and only once");
    Ok(())
}

#[tokio::test]
async fn a_cache_that_is_away_holds_no_deletion_up_and_is_told_later() -> Result<()> {
    let (stage, cloudflare, video) = stage().await?;
    let troubles = [
        CloudflareMishap::Away,
        CloudflareMishap::Throttled,
        CloudflareMishap::Unsure,
    ];
    cloudflare.expect_mishaps(troubles);
    for wait in [None, Some(Duration::from_secs(7)), None] {
        assert_eq!(stage.swept().await?, Verdict::Retry { after: wait });
        assert_eq!(stage.left(&video).await?, 0, "the files are gone already");
    }
    assert_eq!((cloudflare.calls(), cloudflare.purged().len()), (3, 0));
    stage.sweep().await?;
    assert_eq!((cloudflare.calls(), cloudflare.purged().len()), (4, 1));
    Ok(())
}

#[tokio::test]
async fn many_files_go_in_calls_of_a_hundred() -> Result<()> {
    let (stage, cloudflare, _) = stage().await?;
    stage.refused(120).await?;
    stage.sweep().await?;
    let sizes: Vec<_> = cloudflare.purged().iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 25]);
    Ok(())
}

#[tokio::test]
async fn without_cloudflare_nobody_is_called_and_nothing_is_kept_to_tell() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.refused(2).await?;
    stage.sweep().await?;
    assert_eq!(stage.left(&video).await?, 0);
    assert_eq!(stage.world.count("purges", "true").await?, 0);
    Ok(())
}
