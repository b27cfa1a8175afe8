use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use shared_domain::Settings;
use shared_testing::{B2Mishap, FakeB2};

use crate::native::{Bucket, Native, NativeConfig, NativeError, Rules};

const BUCKET: &str = "videos-raw";

fn config(api_url: &str, (key_id, key): (&str, &str)) -> NativeConfig {
    NativeConfig {
        api_url: api_url.to_owned(),
        key_id: key_id.to_owned(),
        key: key.into(),
        timeout: Duration::from_secs(5),
    }
}

async fn stage() -> Result<(FakeB2, Native)> {
    let fake = FakeB2::start(BUCKET).await?;
    let native = Native::connect(config(fake.base_url(), FakeB2::KEY))?;
    Ok((fake, native))
}

async fn bucket(native: &Native) -> Result<Bucket> {
    native.bucket(BUCKET).await?.context("a bucket")
}

fn lifecycle(prefix: &str) -> Value {
    json!({
        "fileNamePrefix": prefix,
        "daysFromUploadingToHiding": null,
        "daysFromHidingToDeleting": 1,
        "daysFromStartingToCancelingUnfinishedLargeFiles": 2,
    })
}

fn cors(name: &str, age: u64) -> Value {
    json!({
        "corsRuleName": name,
        "allowedOrigins": ["https://compliance.example.com"],
        "allowedOperations": ["s3_put"],
        "allowedHeaders": ["content-type"],
        "exposeHeaders": ["etag"],
        "maxAgeSeconds": age,
    })
}

fn notification(name: &str, prefix: &str) -> Value {
    json!({
        "name": name,
        "eventTypes": ["b2:ObjectCreated:Upload"],
        "isEnabled": true,
        "objectNamePrefix": prefix,
        "targetConfiguration": { "targetType": "webhook", "url": "https://hooks.example.com/" },
    })
}

/// In which way it failed, as the text of the error.
fn told<T: std::fmt::Debug>(outcome: Result<T, NativeError>) -> String {
    outcome.map_or_else(|error| error.to_string(), |value| format!("{value:?}"))
}

#[tokio::test]
async fn rules_are_read_and_replaced_on_the_revision_that_was_read() -> Result<()> {
    let (fake, native) = stage().await?;
    assert_eq!(native.bucket("another").await?, None);
    let bare = bucket(&native).await?;
    assert!(bare.is_private);
    assert_eq!(bare.rules(Rules::Cors), Some(&[][..]));

    let rules = [lifecycle("")];
    let set = native.set_rules(&bare, Rules::Lifecycle, &rules).await?;
    assert_eq!(set.rules(Rules::Lifecycle), Some(&[lifecycle("")][..]));
    assert_eq!(fake.bucket()["lifecycleRules"], json!([lifecycle("")]));
    assert!(set.revision > bare.revision);

    let stale = native.set_rules(&bare, Rules::Lifecycle, &[]).await;
    assert!(matches!(stale, Err(NativeError::Conflict)), "{stale:?}");
    assert_eq!(fake.bucket()["lifecycleRules"], json!([lifecycle("")]));

    fake.change("bucketType", "allPublic".into());
    assert!(!bucket(&native).await?.is_private);
    // One authorization has done for all of it.
    let authorized = fake
        .calls()
        .into_iter()
        .filter(|call| call.contains("authorize"));
    assert_eq!(authorized.count(), 1);
    Ok(())
}

#[tokio::test]
async fn notifications_come_back_with_what_is_read_only() -> Result<()> {
    let (_fake, native) = stage().await?;
    let bucket = bucket(&native).await?;
    assert!(native.notification_rules(&bucket).await?.is_empty());
    let rules = [notification("uploads", "videos/")];
    let set = native.set_notification_rules(&bucket, &rules).await?;
    assert_eq!(set, native.notification_rules(&bucket).await?);
    assert_eq!(set[0]["isSuspended"], false);
    Ok(())
}

#[tokio::test]
async fn an_expired_token_is_renewed_once() -> Result<()> {
    let (fake, native) = stage().await?;
    bucket(&native).await?;
    fake.expect_mishaps([B2Mishap::Expired]);
    bucket(&native).await?;
    fake.expect_mishaps([B2Mishap::Expired, B2Mishap::Expired]);
    let twice = native.bucket(BUCKET).await;
    assert!(matches!(twice, Err(NativeError::Expired)), "{twice:?}");
    Ok(())
}

#[tokio::test]
async fn faults_are_told_apart_and_without_the_key() -> Result<()> {
    let (fake, native) = stage().await?;
    let there = bucket(&native).await?;
    fake.expect_mishaps([B2Mishap::Cap, B2Mishap::Busy, B2Mishap::Race]);
    let cap = told(native.bucket(BUCKET).await);
    assert!(cap.contains("transaction_cap_exceeded"), "{cap}");
    let busy = native.bucket(BUCKET).await;
    assert!(matches!(busy, Err(NativeError::Busy(503))), "{busy:?}");
    let race = native.set_rules(&there, Rules::Cors, &[]).await;
    assert!(matches!(race, Err(NativeError::Conflict)), "{race:?}");

    fake.allow(("005poor", "K005canary"), &["listBuckets"]);
    let poor = Native::connect(config(fake.base_url(), ("005poor", "K005canary")))?;
    let there = bucket(&poor).await?;
    let lacks = told(poor.set_rules(&there, Rules::Cors, &[]).await);
    assert!(lacks.contains("writeBuckets"), "{lacks}");
    let lacks = told(poor.notification_rules(&there).await);
    assert!(lacks.contains("readBucketNotifications"), "{lacks}");

    let wrong = Native::connect(config(fake.base_url(), (FakeB2::KEY.0, "canary-wrong")))?;
    let bad = wrong.bucket(BUCKET).await;
    assert!(matches!(bad, Err(NativeError::BadKey)), "{bad:?}");
    let said = format!("{wrong:?} {} {native:?}", told(bad));
    assert!(!said.contains("canary"), "{said}");

    let nobody = Native::connect(config("http://127.0.0.1:1", FakeB2::KEY))?;
    let nobody = nobody.bucket(BUCKET).await;
    assert!(
        matches!(nobody, Err(NativeError::Unreachable(_))),
        "{nobody:?}"
    );

    fake.disable_notifications();
    let error = native.notification_rules(&there).await.unwrap_err();
    assert!(error.is_not_enabled(), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_token_is_taken_nowhere_in_clear_text() -> Result<()> {
    let (fake, native) = stage().await?;
    fake.send_to("http://api004.backblazeb2.com");
    let elsewhere = native.bucket(BUCKET).await;
    assert!(
        matches!(elsewhere, Err(NativeError::Address)),
        "{elsewhere:?}"
    );
    let nonsense = Native::connect(config("api.backblazeb2.com", FakeB2::KEY));
    assert!(matches!(nonsense, Err(NativeError::Address)));
    Ok(())
}

#[tokio::test]
async fn b2_refuses_rules_that_it_would_not_keep() -> Result<()> {
    let (_fake, native) = stage().await?;
    let there = bucket(&native).await?;
    let cases = [
        (Rules::Cors, vec![cors("uploads", 90_000)], "maxAgeSeconds"),
        (Rules::Cors, vec![cors("up", 60)], "corsRuleName"),
        (
            Rules::Cors,
            vec![cors("uploads", 60), cors("uploads", 61)],
            "twice",
        ),
        (
            Rules::Cors,
            vec![json!({ "corsRuleName": "uploads" })],
            "allowedOrigins",
        ),
        (
            Rules::Lifecycle,
            vec![lifecycle(""), lifecycle("logs/")],
            "overlap",
        ),
        (
            Rules::Lifecycle,
            vec![json!({ "fileNamePrefix": "" })],
            "does something",
        ),
    ];
    for (which, rules, why) in cases {
        let refused = told(native.set_rules(&there, which, &rules).await);
        assert!(refused.contains(why), "{refused}");
    }
    let mut short = notification("uploads", "");
    short["targetConfiguration"]["hmacSha256SigningSecret"] = "short".into();
    let mut plain = notification("uploads", "");
    plain["targetConfiguration"]["url"] = "http://hooks.example.com/".into();
    let mut twofold = notification("uploads", "");
    twofold["eventTypes"] = json!(["b2:ObjectCreated:*", "b2:ObjectCreated:Copy"]);
    let cases = [
        (vec![short], "32 letters"),
        (vec![plain], "https"),
        (vec![twofold], "overlap"),
        (vec![notification("b2-own-rule", "")], "letters, digits"),
        (
            vec![notification("uploads", ""), notification("uploads", "x/")],
            "twice",
        ),
        (
            vec![notification("uploads", ""), notification("others", "x/")],
            "same events",
        ),
    ];
    for (rules, why) in cases {
        let refused = told(native.set_notification_rules(&there, &rules).await);
        assert!(refused.contains(why), "{refused}");
    }
    Ok(())
}

#[test]
fn the_api_is_asked_where_backblaze_is_and_an_administrators_key_comes_first() {
    let read = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings: Settings = owned.collect();
        let reader = settings.reader();
        let config = NativeConfig::read(&reader);
        let told = reader.finish().err().map(|error| error.to_string());
        (config, told.unwrap_or_default())
    };
    let b2 = (
        "BACKBLAZE_ENDPOINT_URL",
        "https://s3.us-west-004.backblazeb2.com",
    );
    let id = ("BACKBLAZE_APPLICATION_KEY_ID", "id");
    let key = ("BACKBLAZE_APPLICATION_KEY", "canary");
    let admin_id = ("B2_ADMIN_KEY_ID", "admin");

    let (config, told) = read(&[b2, id, key]);
    assert_eq!(told, "");
    let config = config.unwrap();
    assert_eq!(
        (config.api_url.as_str(), config.key_id.as_str()),
        ("https://api.backblazeb2.com", "id")
    );
    let (config, told) = read(&[b2, id, key, admin_id, ("B2_ADMIN_KEY", "canary")]);
    assert_eq!(
        (config.unwrap().key_id.as_str(), told.as_str()),
        ("admin", "")
    );

    let other = ("BACKBLAZE_ENDPOINT_URL", "https://s3.example.com");
    let evil = (
        "BACKBLAZE_ENDPOINT_URL",
        "https://backblazeb2.com.example.com",
    );
    for elsewhere in [other, evil] {
        assert!(read(&[elsewhere, id, key]).0.is_none());
    }
    let told = read(&[b2, id, key, admin_id]).1;
    assert!(told.contains("B2_ADMIN_KEY: is not set"), "{told}");
    let told = read(&[other, id, key, ("B2_API_URL", "http://api.example.com")]).1;
    assert!(
        told.contains("B2_API_URL") && !told.contains("canary"),
        "{told}"
    );
}
