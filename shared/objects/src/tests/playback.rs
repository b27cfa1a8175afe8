use std::time::Duration;

use anyhow::{Context, Result};
use shared_domain::{Clock, Settings, SystemClock};

use super::support::Place;
use crate::playback::{Playback, PlaybackConfig, path};

const HOUR: Duration = Duration::from_hours(1);
const SECRET: &str = "correct-horse-battery-staple-0001";
const PLAYLIST: &str = "videos/0195c2f0-7b1a-7c3e-9a56-0b1c2d3e4f50/hls/index.m3u8";

fn read(pairs: &[(&str, &str)]) -> (PlaybackConfig, Vec<String>) {
    let mut settings = Settings::default();
    for (name, value) in pairs {
        settings.set(name, *value);
    }
    let reader = settings.reader();
    let config = PlaybackConfig::read(&reader);
    let problems = reader.finish().err().map(|error| error.0);
    let names = problems.unwrap_or_default().into_iter().map(|p| p.name);
    (config, names.collect())
}

fn behind_cloudflare() -> PlaybackConfig {
    let (config, problems) = read(&[
        ("CLOUDFLARE_CDN_URL", "https://cdn.example.com/"),
        ("PLAYBACK_SECRET", SECRET),
    ]);
    assert_eq!(problems, [""; 0]);
    config
}

/// The answer stands in the README of `infra/cloudflare`, whose Worker is tested on it, too.
#[test]
fn a_path_is_signed_as_the_worker_checks_it() {
    let (readme, until) = (
        include_str!("../../../../infra/cloudflare/README.md"),
        1_700_000_000,
    );
    let known = "1e8483a35efb0c2ead3ec0afa0d27af382fb0d607d1ee5c0cca83a75b6b3f5ea";
    assert!(readme.contains(known) && readme.contains(SECRET));
    let secret = SECRET.into();
    assert_eq!(
        path(&secret, PLAYLIST, 3, until),
        format!("/{until}.3.{known}/{PLAYLIST}")
    );
    let alone = path(&secret, PLAYLIST, 0, until);
    assert!(alone.starts_with("/1700000000.0.") && !alone.contains(known));
}

#[tokio::test]
async fn what_is_shown_goes_through_the_worker_and_an_upload_never_does() -> Result<()> {
    let place = Place::open().await?;
    let playback = Playback::new(place.objects.clone(), behind_cloudflare());
    let now = SystemClock.now().unix_timestamp();

    let folder = playback.folder_url(PLAYLIST, HOUR).context("an address")?;
    let rest = folder.strip_prefix("https://cdn.example.com/");
    let (token, key) = rest
        .and_then(|rest| rest.split_once('/'))
        .context("a path")?;
    assert_eq!(key, PLAYLIST);
    let (until, depth) = token.split_once('.').context("a token")?;
    let left = until.parse::<i64>()? - now;
    assert!((3600..3700).contains(&left) && depth.starts_with("3."));

    let one = playback.url(PLAYLIST, HOUR).await?;
    assert!(one.starts_with("https://cdn.example.com/") && one.contains(".0."));
    let raw = "videos/raw/a/b.mp4";
    assert!(playback.url(raw, HOUR).await?.starts_with(&place.url));
    Ok(())
}

#[tokio::test]
async fn without_cloudflare_storage_itself_answers_for_a_while() -> Result<()> {
    let place = Place::open().await?;
    let playback = Playback::new(place.objects.clone(), PlaybackConfig::default());
    place
        .objects
        .put(PLAYLIST, "#EXTM3U".into(), "text/plain")
        .await?;
    let url = playback.url(PLAYLIST, HOUR).await?;
    let answer = super::support::http()?.get(&url).send().await?;
    assert_eq!(answer.text().await?, "#EXTM3U");
    assert!(url.contains("X-Amz-Expires=3600"));
    assert_eq!(playback.folder_url(PLAYLIST, HOUR), None);
    Ok(())
}

#[test]
fn half_of_the_settings_is_a_fault_and_no_secret_is_told() {
    let url = ("CLOUDFLARE_CDN_URL", "https://cdn.example.com");
    let secret = ("PLAYBACK_SECRET", SECRET);
    for (pairs, faulty) in [
        (vec![], vec![]),
        (vec![url, secret], vec![]),
        (vec![url], vec!["PLAYBACK_SECRET"]),
        (vec![secret], vec!["CLOUDFLARE_CDN_URL"]),
        (
            vec![
                ("PLAYBACK_SECRET", "short-canary"),
                ("CLOUDFLARE_CDN_URL", "https://cdn.example.com/a"),
            ],
            vec!["PLAYBACK_SECRET", "CLOUDFLARE_CDN_URL"],
        ),
        (
            vec![secret, ("CLOUDFLARE_CDN_URL", "http://cdn.example.com")],
            vec!["CLOUDFLARE_CDN_URL"],
        ),
    ] {
        assert_eq!(read(&pairs).1, faulty, "{pairs:?}");
    }
    let shown = format!("{:?}", behind_cloudflare());
    assert!(shown.contains("cdn.example.com") && !shown.contains("horse"));
}
