use std::time::Duration;

use anyhow::{Context, Result};
use shared_domain::Settings;
use shared_testing::{CloudflareMishap, FakeCloudflare};

use crate::purge::{AT_ONCE, Purge, PurgeConfig, PurgeError};

fn read(pairs: &[(&str, &str)]) -> (Option<PurgeConfig>, Vec<String>) {
    let mut settings = Settings::default();
    for (name, value) in pairs {
        settings.set(name, *value);
    }
    let reader = settings.reader();
    let config = PurgeConfig::read(&reader);
    let problems = reader.finish().err().map(|error| error.0);
    let names = problems.unwrap_or_default().into_iter().map(|p| p.name);
    (config, names.collect())
}

fn purge(settings: &[(&str, &str)]) -> Result<Purge> {
    let config = read(settings).0.context("Cloudflare is configured")?;
    let objects = super::support::config("https://s3.eu-central-003.backblazeb2.com/", "key");
    Ok(Purge::connect(&config, &objects)?)
}

#[tokio::test]
async fn the_address_that_the_cache_knows_is_storages_own() -> Result<()> {
    let cloudflare = FakeCloudflare::start().await?;
    let purge = purge(&cloudflare.settings())?;
    purge.forget(["videos/a/hls/00000.ts"]).await?;
    let bucket = super::support::BUCKET;
    let address =
        format!("https://s3.eu-central-003.backblazeb2.com/{bucket}/videos/a/hls/00000.ts");
    assert_eq!(cloudflare.purged(), [[address]]);
    Ok(())
}

#[tokio::test]
async fn a_call_takes_a_hundred_addresses_and_no_more() -> Result<()> {
    let cloudflare = FakeCloudflare::start().await?;
    let purge = purge(&cloudflare.settings())?;
    let most = usize::from(AT_ONCE);
    let keys: Vec<_> = (0..=most).map(|i| format!("videos/a/{i}")).collect();
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    purge.forget(keys[..most].iter().copied()).await?;
    let error = purge.forget(keys).await.err().context("too many")?;
    assert!(matches!(error, PurgeError::Refused { status: 400, .. }) && !error.is_transient());
    Ok(())
}

#[tokio::test]
async fn failures_are_told_apart_and_hold_no_token() -> Result<()> {
    let cloudflare = FakeCloudflare::start().await?;
    let purge = purge(&cloudflare.settings())?;
    cloudflare.expect_mishaps([
        CloudflareMishap::Throttled,
        CloudflareMishap::Away,
        CloudflareMishap::Unsure,
    ]);
    let mut errors = Vec::new();
    for _ in 0..3 {
        errors.push(
            purge
                .forget(["videos/a/b"])
                .await
                .err()
                .context("an error")?,
        );
    }
    assert!(errors.iter().all(PurgeError::is_transient), "{errors:?}");
    assert_eq!(errors[0].retry_after(), Some(Duration::from_secs(7)));
    assert!(matches!(errors[1], PurgeError::Busy { status: 502, .. }));
    assert!(matches!(errors[2], PurgeError::Denied { code: 10000, .. }));
    purge.forget(["videos/a/b"]).await?;

    let [api, zone, _] = cloudflare.settings();
    let strange = self::purge(&[api, zone, ("CLOUDFLARE_API_TOKEN", "canary-of-a-stranger")])?;
    let error = strange.forget(["a/b"]).await.err().context("denied")?;
    let told = format!("{error} {error:?} {strange:?} {purge:?} {errors:?}");
    assert!(!told.contains("canary"), "{told}");
    Ok(())
}

#[test]
fn half_of_the_settings_is_a_fault() {
    let zone = ("CLOUDFLARE_ZONE_ID", FakeCloudflare::ZONE);
    let token = ("CLOUDFLARE_API_TOKEN", FakeCloudflare::TOKEN);
    for (pairs, faulty, used) in [
        (vec![], vec![], false),
        (vec![zone, token], vec![], true),
        (vec![zone], vec!["CLOUDFLARE_API_TOKEN"], false),
        (vec![token], vec!["CLOUDFLARE_ZONE_ID"], false),
        (
            vec![
                token,
                ("CLOUDFLARE_ZONE_ID", "example.com"),
                ("CLOUDFLARE_API_URL", "http://api.example.com"),
            ],
            vec!["CLOUDFLARE_API_URL", "CLOUDFLARE_ZONE_ID"],
            true,
        ),
    ] {
        let (config, names) = read(&pairs);
        assert_eq!(
            (names, config.is_some()),
            (faulty.iter().map(|s| (*s).to_owned()).collect(), used)
        );
    }
    assert!(!format!("{:?}", read(&[zone, token]).0).contains("canary"));
}
