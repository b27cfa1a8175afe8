//! The copy for review.

use shared_domain::PlaybackDue;

use super::*;
use crate::Error;

/// A minute that has to be encoded anew, which takes a while.
const LONG: &str = "-f lavfi -i testsrc2=size=640x360:rate=25:duration=60 -c:v mpeg4 -q:v 4";

impl Stage {
    /// A clip that is being checked, its copy not made yet.
    async fn checked(&self, name: &str, args: &str) -> Result<Video> {
        let clip = self.clip(name, args)?;
        let video = self.world.uploaded(&self.project, clip).await?;
        let way = [Step::Extracting, Step::Analysing];
        self.world.lead(&video, &way).await
    }

    async fn copy(&self, video: &Video) -> Result<Verdict> {
        let event = self.world.event(&PlaybackDue::new(video.video_id))?;
        let function = self.function().await?;
        Ok(self.world.bring(function.as_ref(), &event).await.verdict)
    }

    async fn connected(&self) -> Result<FrameExtract> {
        let function = FrameExtract::connect(self.world.shared()).await;
        function.map_err(anyhow::Error::from_boxed)
    }

    async fn stored(&self, video: &Video) -> Result<Vec<String>> {
        let prefix = keys::segments_prefix(video.video_id);
        let listed = self.world.objects().list(&prefix).await?;
        Ok(listed.into_iter().map(|object| object.key).collect())
    }

    /// Waits until the first segment of a copy is stored.
    async fn begun(&self, video: &Video) -> Result<()> {
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while self.stored(video).await?.is_empty() {
            ensure!(std::time::Instant::now() < deadline, "no segment in time");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_checked_video_gets_a_copy_to_watch_and_only_once() -> Result<()> {
    let stage = Stage::open().await?;
    let clip = stage.clip("clip.mp4", CLIP)?;
    let video = stage.world.uploaded(&stage.project, clip).await?;
    assert_eq!(stage.extract(&video).await?, Verdict::Done);
    let due = stage.world.messages::<PlaybackDue>().await?;
    assert_eq!(due, [PlaybackDue::new(video.video_id)]);
    assert_eq!(
        stage.stored(&video).await?,
        [""; 0],
        "the check comes first"
    );

    assert_eq!(stage.copy(&video).await?, Verdict::Done);
    let (id, objects) = (video.video_id, stage.world.objects());
    let (segment, list) = (keys::segment(id, 0), keys::playlist(id));
    assert_eq!(stage.stored(&video).await?, [segment.clone(), list.clone()]);
    let text = objects.get(&list, 1000).await?;
    let text = String::from_utf8(text.to_vec())?;
    assert!(text.contains("\n00000.ts\n#EXT-X-ENDLIST"), "{text}");
    let head = objects.head(&segment).await?;
    assert_eq!(head.content_type.as_deref(), Some("video/mp2t"));

    objects.put(&segment, "kept".into(), "video/mp2t").await?;
    assert_eq!(stage.copy(&video).await?, Verdict::Done);
    assert_eq!(objects.get(&segment, 1000).await?, "kept");
    Ok(())
}

#[tokio::test]
async fn questions_and_other_videos_go_before_a_copy() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.checked("clip.mp4", CLIP).await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.send(&PlaybackDue::new(video.video_id)).await?;
    tx.send(&VideoUploaded::new(stage.world.store.fresh()))
        .await?;
    tx.send(&PredictionDue::new(stage.world.store.fresh()))
        .await?;
    tx.commit().await?;
    let mut kinds = Vec::new();
    let lease = Duration::from_mins(1);
    while let Some(next) = stage
        .world
        .store
        .claim("frame-extract", "test", lease, 5)
        .await?
    {
        kinds.push(next.kind);
    }
    assert_eq!(kinds, ["PredictionDue", "VideoUploaded", "PlaybackDue"]);

    let function = stage.connected().await?;
    let decoding = function.decoding.try_acquire()?;
    let went = function.playback(video.video_id).await;
    assert!(matches!(went, Err(Error::GivesWay)));
    drop(decoding);
    function.playback(video.video_id).await?;
    assert_eq!(stage.stored(&video).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_copy_under_way_gives_way_to_the_next_video() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.checked("long.avi", LONG).await?;
    let clip = stage.clip("clip.mp4", CLIP)?;
    let other = stage.world.uploaded(&stage.project, clip).await?;
    let function = stage.connected().await?;
    let delivery = stage.world.event(&VideoUploaded::new(other.video_id))?;
    let delivery = delivery.delivery("frame-extract");
    let (went, checked) = tokio::join!(function.playback(video.video_id), async {
        stage.begun(&video).await?;
        Ok::<_, anyhow::Error>(function.extract(&delivery, other.video_id).await?)
    });
    checked?;
    assert!(matches!(went, Err(Error::GivesWay)), "{went:?}");
    assert!(
        !stage
            .stored(&video)
            .await?
            .contains(&keys::playlist(video.video_id))
    );
    Ok(())
}

#[tokio::test]
async fn a_copy_that_cannot_be_made_leaves_the_check_alone() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.checked("clip.mp4", CLIP).await?;
    stage.world.upload(&video, "no video at all").await?;
    assert_eq!(stage.copy(&video).await?, Verdict::Reject);
    stage.world.objects().delete(&video.object_key).await?;
    assert_eq!(stage.copy(&video).await?, Verdict::RETRY);
    let still = stage.world.store.video(video.video_id).await?;
    assert_eq!((still.step, still.refusal), (Step::Analysing, None));
    assert_eq!(stage.world.messages::<RunFailed>().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_video_that_fails_meanwhile_leaves_no_copy_behind() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.checked("long.avi", LONG).await?;
    let fail = async {
        stage.begun(&video).await?;
        let mut tx = stage.world.store.transaction().await?;
        tx.refuse(video.video_id, &Refusal::Internal).await?;
        Ok::<_, anyhow::Error>(tx.commit().await?)
    };
    let (verdict, failed) = tokio::join!(stage.copy(&video), fail);
    failed?;
    assert_eq!(verdict?, Verdict::Done);
    assert_eq!(stage.stored(&video).await?, [""; 0]);
    assert_eq!(stage.copy(&video).await?, Verdict::Done);
    assert_eq!(stage.stored(&video).await?, [""; 0], "no late copy either");
    Ok(())
}
