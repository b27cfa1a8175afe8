//! The database crashes and Redis forgets everything, again and again, under fifty videos in work.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use shared_testing::{Certificates, PostgresServer, TestRedis, count, redis};
use tokio::task::JoinSet;

use crate::site::{Shape, Site};

const VIDEOS: usize = 50;
/// Between a crash and the next.
const PAUSE: Duration = Duration::from_secs(5);
/// Fifty short videos, all models, two cores, and a database that is often away.
const RUN: Duration = Duration::from_mins(13);

/// Short silent clips, each with a picture of its own: nobody has been asked about it before.
fn clips(folder: &Path) -> Result<Vec<PathBuf>> {
    let clip = |number: usize| {
        let path = folder.join(format!("clip-{number}.mp4"));
        let picture = format!(
            "testsrc2=size=320x180:rate=10:duration=1,hue=h={}",
            number * 7
        );
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-loglevel", "error", "-f", "lavfi", "-i", &picture]);
        ffmpeg.args(["-pix_fmt", "yuv420p"]).arg(&path);
        let made = ffmpeg.status().context("ffmpeg is missing")?;
        ensure!(made.success(), "ffmpeg: {made}");
        Ok(path)
    };
    (0..VIDEOS).map(clip).collect()
}

/// Until it is broken off.
async fn trouble(
    server: Arc<PostgresServer>,
    redis: TestRedis,
    crashes: Arc<AtomicUsize>,
) -> Result<Infallible> {
    loop {
        tokio::time::sleep(PAUSE).await;
        redis.flush_all()?;
        server.crash().await?;
        crashes.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_videos_finish_once_while_the_database_crashes_and_redis_forgets() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let clips = clips(folder.path())?;
    let server = Arc::new(PostgresServer::start(&Certificates::make()?).await?);
    let redis = redis();
    let (url, redis_url) = (server.url("postgres", "sslmode=require"), redis.url());
    let settings = [
        ("DATABASE_URL", url.as_str()),
        ("DATABASE_MAX_CONNECTIONS", "3"),
        ("REDIS_URL", redis_url.as_str()),
        ("ARRIVAL_AFTER", "5"),
        ("POLL_AFTER", "5"),
    ];
    let mut site = Site::prepare(&settings).await?;
    site.start(Shape::ProcessPerFunction).await?;
    let client = site.sign_in().await?;

    let (crashes, mut troubles) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    troubles.spawn(trouble(server.clone(), redis, crashes.clone()));

    let started = Instant::now();
    let mut videos = Vec::new();
    for clip in &clips {
        videos.push(client.upload(clip).await?);
    }
    let deadline = started + RUN;
    for video in &videos {
        site.checked(&client, video, deadline).await?;
    }
    let (crashes, took) = (crashes.load(Ordering::Relaxed), started.elapsed());
    if let Some(ended) = troubles.try_join_next() {
        let Err(error) = ended?;
        return Err(error.context("no more trouble was made"));
    }
    troubles.shutdown().await;
    server.crash().await?;
    site.quiet(deadline).await?;
    println!("{VIDEOS} videos in {took:?}, {crashes} crashes");
    ensure!(crashes >= 5, "only {crashes} crashes in {took:?}");

    ensure_once(&server, &site).await
}

/// Each video has one run, one report and one mail.
async fn ensure_once(server: &PostgresServer, site: &Site) -> Result<()> {
    let expected = i64::try_from(VIDEOS)?;
    let socket = server.socket_url("postgres");
    for (table, condition) in [
        ("reports", "1 = 1"),
        ("executions", "1 = 1"),
        ("mails", "sent_at is not null"),
        ("mails", "1 = 1"),
    ] {
        let rows = count(&socket, table, condition).await?;
        ensure!(rows == expected, "{rows} {table} where {condition}");
    }
    ensure!(site.mails()? == VIDEOS, "{} mails", site.mails()?);
    Ok(())
}
