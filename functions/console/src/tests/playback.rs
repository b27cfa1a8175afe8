//! Addresses for watching.

use shared_testing::get_signed;

use super::*;

const SECRET: &str = "correct-horse-battery-staple-0001";

impl Stage {
    /// A checked video whose copy for review is stored.
    async fn watchable(&self) -> Result<Video> {
        let video = self.world.uploaded(&self.project, "raw").await?;
        let (id, objects) = (video.video_id, self.world.objects());
        let list = "#EXTM3U\n#EXTINF:4.000000,\n00000.ts\n#EXTINF:1.000000,\nhttp://evil/a.ts\n";
        let kind = "application/vnd.apple.mpegurl";
        objects.put(&keys::playlist(id), list.into(), kind).await?;
        let segment = keys::segment(id, 0);
        objects.put(&segment, "first".into(), "video/mp2t").await?;
        Ok(video)
    }
}

fn signed_url(video: &Video) -> String {
    format!("/api/videos/{}/signed_url/", video.video_id)
}

#[tokio::test]
async fn a_copy_is_watched_through_cloudflare_under_a_path_that_expires() -> Result<()> {
    let stage = Stage::open().await?;
    let settings = [
        ("CLOUDFLARE_CDN_URL", "https://cdn.example.com"),
        ("PLAYBACK_SECRET", SECRET),
    ];
    let behind = doors(&stage.world, &settings).await?;
    let video = stage.watchable().await?;
    let call = Call::get(&signed_url(&video)).session(&stage.token);
    let answer = call.at(&behind).await?;
    let said = answer.json();
    assert_eq!((answer.code(), said["kind"].as_str()), (200, Some("hls")));
    let url = said["playback_url"].as_str().context("an address")?;
    assert!(url.starts_with("https://cdn.example.com/"), "{url}");
    assert!(url.ends_with(&keys::playlist(video.video_id)) && url.contains(".3."));
    assert!(said["expires_at"].is_string());
    let policy = answer.header("content-security-policy");
    let media = policy
        .split("; ")
        .find(|part| part.starts_with("media-src"));
    assert!(media.is_some_and(|part| part.ends_with(" https://cdn.example.com")));
    Ok(())
}

#[tokio::test]
async fn without_cloudflare_each_segment_has_a_signed_address_of_storage() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.watchable().await?;
    let said = stage.get(&signed_url(&video)).await?.json();
    assert_eq!(said["kind"], "hls");
    let url = said["playback_url"].as_str().context("an address")?;
    let list = stage.get(url).await?;
    let kind = list.header("content-type");
    assert_eq!(kind, "application/vnd.apple.mpegurl");
    let text = list.text();
    let mut lines = text.lines().skip(2);
    let segment = lines.next().context("a segment")?;
    assert!(segment.contains("X-Amz-Signature="), "{segment}");
    assert_eq!(get_signed(segment).await?, "first");
    let foreign = lines.nth(1);
    assert_eq!(
        foreign,
        Some("http://evil/a.ts"),
        "only our names are signed"
    );
    Ok(())
}

#[tokio::test]
async fn while_there_is_no_copy_the_upload_itself_is_shown() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.world.uploaded(&stage.project, "raw").await?;
    let said = stage.get(&signed_url(&video)).await?.json();
    let shown = (said["kind"].as_str(), said["content_type"].as_str());
    assert_eq!(shown, (Some("file"), Some("video/mp4")));
    let url = said["playback_url"].as_str().context("an address")?;
    assert_eq!(get_signed(url).await?, "raw");
    stage.world.objects().delete(&video.object_key).await?;
    assert_eq!(stage.get(&signed_url(&video)).await?.code(), 404);
    let awaited = stage.world.announced(&stage.project, "clip.mp4", 3).await?;
    assert_eq!(stage.get(&signed_url(&awaited)).await?.code(), 404);
    Ok(())
}

#[tokio::test]
async fn nobody_watches_the_video_of_another() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.watchable().await?;
    let stranger = stage.world.user(Role::Client);
    let stranger = stage.world.session(&stranger.await?).await?;
    let list = format!("/api/videos/{}/playlist.m3u8", video.video_id);
    for path in [signed_url(&video), list] {
        let call = Call::get(&path).session(&stranger);
        assert_eq!(call.at(&stage.doors).await?.code(), 404, "{path}");
        let call = Call::get(&path);
        assert_eq!(call.at(&stage.doors).await?.code(), 401, "{path}");
        assert_eq!(stage.get(&path).await?.code(), 200, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn half_of_cloudflares_settings_keeps_the_console_from_starting() -> Result<()> {
    let world = World::new().await;
    let half = [("CLOUDFLARE_CDN_URL", "https://cdn.example.com")];
    let error = doors(&world, &half).await.err().context("a fault")?;
    let told = error.to_string();
    assert!(told.contains("PLAYBACK_SECRET"), "{told}");
    Ok(())
}
