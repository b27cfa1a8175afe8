//! The bucket, over the embedded server's S3 and a B2 on the wire.

use serde_json::{Value, json};
use shared_testing::{B2Mishap, FakeB2, NOTIFICATION_SECRET, World};

use super::*;

const PUBLIC: &str = "https://compliance.example.com";
const BUCKET: &str = "videos-world";
const ALL: [Deploy; 3] = [
    Deploy::BucketCors,
    Deploy::BucketLifecycle,
    Deploy::BucketNotifications,
];

/// A deployment whose bucket is at this B2.
fn settings(fake: &FakeB2) -> Settings {
    let pairs = [
        ("PUBLIC_URL", PUBLIC),
        ("BACKBLAZE_BUCKET_NAME", BUCKET),
        (
            "BACKBLAZE_ENDPOINT_URL",
            "https://s3.us-west-004.backblazeb2.com",
        ),
        ("BACKBLAZE_APPLICATION_KEY_ID", "005program"),
        ("BACKBLAZE_APPLICATION_KEY", "K005canary-of-the-program"),
        ("B2_API_URL", fake.base_url()),
        ("B2_ADMIN_KEY_ID", FakeB2::KEY.0),
        ("B2_ADMIN_KEY", FakeB2::KEY.1),
        ("B2_NOTIFICATION_SECRET", NOTIFICATION_SECRET),
    ];
    with(&Settings::default(), &pairs)
}

async fn stage() -> FakeB2 {
    FakeB2::start(BUCKET).await.unwrap()
}

async fn mend(fake: &FakeB2) -> Vec<Fixed> {
    fix::fix(&of(settings(fake)), &ALL).await
}

fn done(fixed: &[Fixed]) -> Vec<(Deploy, bool)> {
    fixed
        .iter()
        .map(|fixed| (fixed.check, fixed.done))
        .collect()
}

fn foreign(name: &str) -> Value {
    json!({
        "name": name,
        "eventTypes": ["b2:ObjectDeleted:*"],
        "isEnabled": true,
        "objectNamePrefix": "",
        "targetConfiguration": { "targetType": "webhook", "url": "https://hooks.example.com/" },
        "isSuspended": true,
        "suspensionReason": "too many failures",
    })
}

#[tokio::test]
async fn the_bucket_is_there_and_takes_the_key() {
    let world = World::new().await;
    let look =
        async |pairs: &[(&str, &str)]| found(Deploy::Bucket, with(&world.settings(), pairs)).await;
    expect(&look(&[]).await, State::Ok, "takes the key");
    let wrong = [("BACKBLAZE_APPLICATION_KEY", "canary")];
    expect(&look(&wrong).await, State::Fail, "does not take the key");
    let other = [("BACKBLAZE_BUCKET_NAME", "another-bucket")];
    expect(&look(&other).await, State::Fail, "no bucket another-bucket");
    let nobody = [("BACKBLAZE_ENDPOINT_URL", "http://127.0.0.1:1")];
    expect(&look(&nobody).await, State::NotChecked, "does not answer");
    let none = [("BACKBLAZE_APPLICATION_KEY", "")];
    expect(
        &look(&none).await,
        State::Fail,
        "BACKBLAZE_APPLICATION_KEY is not set",
    );
}

#[tokio::test]
async fn empty_rules_are_set_once() {
    let fake = stage().await;
    for check in ALL {
        let finding = found(check, settings(&fake)).await;
        expect(&finding, State::Fail, "compliance doctor --deploy --fix");
    }
    let fixed = mend(&fake).await;
    assert_eq!(done(&fixed), ALL.map(|check| (check, true)));
    for check in ALL {
        let finding = found(check, settings(&fake)).await;
        assert_eq!(finding.state, State::Ok, "{finding:?}");
    }
    let (bucket, rules) = (fake.bucket(), fake.notifications());
    assert_eq!(bucket["corsRules"][0]["allowedOrigins"], json!([PUBLIC]));
    assert_eq!(bucket["lifecycleRules"][0]["fileNamePrefix"], "");
    let target = &rules[0]["targetConfiguration"];
    assert_eq!(target["url"], format!("{PUBLIC}/functions/on-upload"));
    assert_eq!(target["hmacSha256SigningSecret"], NOTIFICATION_SECRET);

    assert_eq!(mend(&fake).await, []);
    assert_eq!((fake.bucket(), fake.notifications()), (bucket, rules));
}

#[tokio::test]
async fn only_what_is_named_is_set() {
    let fake = stage().await;
    let fixed = fix::fix(&of(settings(&fake)), &[Deploy::BucketCors, Deploy::Mail]).await;
    assert_eq!(done(&fixed), [(Deploy::BucketCors, true)]);
    assert_eq!(fake.bucket()["lifecycleRules"], json!([]));
    assert!(fake.notifications().is_empty());
}

#[tokio::test]
async fn rules_of_others_stay_and_ours_is_replaced_by_its_name() {
    let fake = stage().await;
    let others = json!([
        { "corsRuleName": "browser-upload-and-playback", "allowedOrigins": ["https://old.example"],
          "allowedOperations": ["s3_put"], "maxAgeSeconds": 60 },
        { "corsRuleName": "of-another-house", "allowedOrigins": ["https://other.example"],
          "allowedOperations": ["s3_get"], "maxAgeSeconds": 60 },
    ]);
    fake.change("corsRules", others.clone());
    let logs = json!({ "fileNamePrefix": "logs/", "daysFromHidingToDeleting": 30 });
    fake.change("lifecycleRules", json!([logs]));
    fake.set_notifications(&[foreign("of-another-house")]);
    assert_eq!(mend(&fake).await.len(), 3);

    let bucket = fake.bucket();
    assert_eq!(bucket["corsRules"][1], others[1]);
    assert_eq!(bucket["corsRules"][0]["allowedOrigins"], json!([PUBLIC]));
    assert_eq!(bucket["corsRules"].as_array().unwrap().len(), 2);
    assert_eq!(bucket["lifecycleRules"][0], logs);
    // Prefixes must not overlap: ours is the part that is ours.
    assert_eq!(bucket["lifecycleRules"][1]["fileNamePrefix"], "videos/");
    let names: Vec<Value> = fake
        .notifications()
        .iter()
        .map(|rule| rule["name"].clone())
        .collect();
    assert_eq!(names, ["of-another-house", "uploads-to-on-upload"]);
    assert_eq!(mend(&fake).await, []);
}

#[tokio::test]
async fn what_cannot_be_set_is_told_with_the_reason() {
    let fake = stage().await;
    fake.set_notifications(&[{
        let mut rule = foreign("of-another-house");
        rule["eventTypes"] = json!(["b2:ObjectCreated:*"]);
        rule
    }]);
    let fixed = mend(&fake).await;
    assert_eq!(
        (fixed[2].check, fixed[2].done),
        (Deploy::BucketNotifications, false)
    );
    assert!(fixed[2].said.en.contains("same events"), "{fixed:?}");

    let fake = stage().await;
    let program = ("005program", "K005canary-of-the-program");
    fake.allow(program, &["listBuckets"]);
    let admin = [("B2_ADMIN_KEY_ID", ""), ("B2_ADMIN_KEY", "")];
    let poor = with(&settings(&fake), &admin);
    let fixed = fix::fix(&of(poor.clone()), &ALL).await;
    assert_eq!(done(&fixed), ALL.map(|check| (check, false)));
    assert!(fixed[0].said.en.contains("writeBuckets"), "{fixed:?}");
    // The rules of the bucket show to a key that lists it, those of notifications do not.
    let cors = found(Deploy::BucketCors, poor.clone()).await;
    expect(&cors, State::Fail, "CORS");
    let notifications = found(Deploy::BucketNotifications, poor).await;
    expect(&notifications, State::NotChecked, "readBucketNotifications");
}

#[tokio::test]
async fn a_change_of_somebody_else_is_not_lost() {
    let fake = stage().await;
    fake.expect_mishaps([B2Mishap::Race]);
    let fixed = mend(&fake).await;
    assert_eq!(done(&fixed), ALL.map(|check| (check, true)), "{fixed:?}");
    let fake = stage().await;
    fake.expect_mishaps([B2Mishap::Race; 3]);
    let fixed = mend(&fake).await;
    assert!(
        !fixed[0].done && fixed[0].said.en.contains("somebody else"),
        "{fixed:?}"
    );
}

#[tokio::test]
async fn a_public_bucket_is_left_to_a_person() {
    let fake = stage().await;
    let private = async || found(Deploy::BucketPrivate, settings(&fake)).await;
    expect(&private().await, State::Ok, "private");
    fake.change("bucketType", "allPublic".into());
    expect(&private().await, State::Fail, "leaves that to a person");
    mend(&fake).await;
    assert_eq!(fake.bucket()["bucketType"], "allPublic");
}

#[tokio::test]
async fn every_page_that_uploads_is_let_in() {
    let fake = stage().await;
    mend(&fake).await;
    let other = [(
        "CORS_ALLOWED_ORIGINS",
        "https://app.example.com/, https://compliance.example.com",
    )];
    let wider = with(&settings(&fake), &other);
    let finding = found(Deploy::BucketCors, wider.clone()).await;
    expect(&finding, State::Fail, "lets https://app.example.com in");
    assert_eq!(fix::fix(&of(wider.clone()), &ALL).await.len(), 1);
    let finding = found(Deploy::BucketCors, wider).await;
    expect(&finding, State::Ok, "may upload");
    let origins = fake.bucket()["corsRules"][0]["allowedOrigins"].clone();
    assert_eq!(origins, json!([PUBLIC, "https://app.example.com"]));

    for (field, value) in [
        ("allowedOperations", json!(["s3_get"])),
        ("allowedHeaders", json!(null)),
        ("exposeHeaders", json!([])),
    ] {
        let mut rules = fake.bucket()["corsRules"].clone();
        rules[0][field] = value;
        fake.change("corsRules", rules.clone());
        let finding = found(Deploy::BucketCors, settings(&fake)).await;
        expect(&finding, State::Fail, PUBLIC);
        mend(&fake).await;
    }
    let open = json!([{ "corsRuleName": "anybody", "allowedOrigins": ["*"],
        "allowedOperations": ["s3_put", "s3_get", "s3_head"], "allowedHeaders": ["*"],
        "exposeHeaders": ["ETag", "Content-Length", "Content-Range", "Accept-Ranges"],
        "maxAgeSeconds": 60 }]);
    fake.change("corsRules", open);
    let finding = found(Deploy::BucketCors, settings(&fake)).await;
    expect(&finding, State::Ok, "may upload");
    let unnamed = with(
        &settings(&fake),
        &[("PUBLIC_URL", "http://compliance.example.com")],
    );
    let finding = found(Deploy::BucketCors, unnamed).await;
    expect(&finding, State::NotChecked, "see public-url");
}

#[tokio::test]
async fn what_is_stored_goes_when_it_should() {
    let days = |hide: Option<u64>, delete: Option<u64>, cancel: Option<u64>| {
        json!({
            "fileNamePrefix": "",
            "daysFromUploadingToHiding": hide,
            "daysFromHidingToDeleting": delete,
            "daysFromStartingToCancelingUnfinishedLargeFiles": cancel,
        })
    };
    let elsewhere = json!({ "fileNamePrefix": "logs/", "daysFromUploadingToHiding": 7 });
    let cases = [
        (vec![days(None, Some(1), Some(2))], State::Ok, "goes away"),
        (
            vec![days(None, Some(30), Some(7)), elsewhere.clone()],
            State::Ok,
            "goes away",
        ),
        (
            vec![days(None, Some(1), Some(1))],
            State::Fail,
            "two are needed",
        ),
        (vec![days(None, None, Some(2))], State::Fail, "leaves"),
        (vec![days(None, Some(1), None)], State::Fail, "leaves"),
        (
            vec![days(Some(90), Some(1), Some(2))],
            State::Fail,
            "vanish",
        ),
        (vec![elsewhere], State::Fail, "no lifecycle rule"),
    ];
    for (rules, state, says) in cases {
        expect(&rules::lifecycle_of(&rules), state, says);
    }
}

#[tokio::test]
async fn notifications_reach_us_signed() {
    let fake = stage().await;
    mend(&fake).await;
    let good = fake.notifications();
    let look = async || found(Deploy::BucketNotifications, settings(&fake)).await;
    let target = "/targetConfiguration";
    let secret = "hmacSha256SigningSecret";
    let cases = [
        ("/isEnabled", json!(false), "switched off"),
        (
            "/isSuspended",
            json!(true),
            "suspended the notifications (too slow)",
        ),
        (
            target,
            json!({ "url": "https://elsewhere.example" }),
            "leads elsewhere",
        ),
        (
            target,
            json!({ "url": good[0]["targetConfiguration"]["url"] }),
            "does not sign",
        ),
        (
            target,
            json!({ "url": good[0]["targetConfiguration"]["url"], secret: "canary" }),
            "another secret",
        ),
        ("/objectNamePrefix", json!("videos/raw/a"), "not cover all"),
        (
            "/eventTypes",
            json!(["b2:ObjectCreated:Upload"]),
            "not cover all",
        ),
    ];
    for (pointer, value, says) in cases {
        let mut rules = good.clone();
        *rules[0].pointer_mut(pointer).unwrap() = value;
        rules[0]["suspensionReason"] = "too slow".into();
        fake.set_notifications(&rules);
        expect(&look().await, State::Fail, says);
        assert_eq!(
            done(&mend(&fake).await),
            [(Deploy::BucketNotifications, true)]
        );
        expect(&look().await, State::Ok, "our signature");
    }
}

#[tokio::test]
async fn another_rule_that_does_the_same_is_fine_and_none_is_needed_where_none_can_be() {
    let fake = stage().await;
    mend(&fake).await;
    let look = async || found(Deploy::BucketNotifications, settings(&fake)).await;
    let mut wide = fake.notifications();
    wide[0]["name"] = "by-another-name".into();
    wide[0]["eventTypes"] = json!(["b2:ObjectCreated:*"]);
    wide[0]["objectNamePrefix"] = "".into();
    fake.set_notifications(&wide);
    expect(&look().await, State::Ok, "our signature");

    let short = with(&settings(&fake), &[("B2_NOTIFICATION_SECRET", "canary")]);
    let short = found(Deploy::BucketNotifications, short).await;
    expect(&short, State::Fail, "exactly 32");
    fake.disable_notifications();
    expect(&look().await, State::Warn, "ask Backblaze's support");
    assert_eq!(
        mend(&fake).await,
        [],
        "nothing can be set, and the line tells why"
    );
}

#[tokio::test]
async fn the_native_api_is_told_apart_from_its_faults() {
    let fake = stage().await;
    let look = async |pairs: &[(&str, &str)]| {
        found(Deploy::BucketPrivate, with(&settings(&fake), pairs)).await
    };
    let elsewhere = [
        ("B2_API_URL", ""),
        ("BACKBLAZE_ENDPOINT_URL", "https://s3.example.com"),
    ];
    expect(
        &look(&elsewhere).await,
        State::NotChecked,
        "another house's",
    );
    let wrong = [("B2_ADMIN_KEY", "canary-wrong")];
    expect(
        &look(&wrong).await,
        State::Fail,
        "does not know this application key",
    );
    let half = [("B2_ADMIN_KEY", "")];
    expect(&look(&half).await, State::Fail, "B2_ADMIN_KEY is not set");
    let nobody = [("B2_API_URL", "http://127.0.0.1:1")];
    expect(&look(&nobody).await, State::NotChecked, "cannot be reached");
    let other = [("BACKBLAZE_BUCKET_NAME", "another-bucket")];
    expect(
        &look(&other).await,
        State::Fail,
        "shows no bucket another-bucket",
    );
    fake.expect_mishaps([B2Mishap::Cap]);
    expect(&look(&[]).await, State::NotChecked, "Caps & Alerts");
    fake.expect_mishaps([B2Mishap::Busy]);
    expect(&look(&[]).await, State::NotChecked, "does not answer now");
    fake.allow(("006blind", "K006canary"), &["readFiles"]);
    let blind = [
        ("B2_ADMIN_KEY_ID", "006blind"),
        ("B2_ADMIN_KEY", "K006canary"),
    ];
    expect(&look(&blind).await, State::NotChecked, "listBuckets");
    fake.send_to("http://api004.backblazeb2.com");
    expect(&look(&[]).await, State::Fail, "not https");
}

#[tokio::test]
async fn all_checks_of_the_bucket_ask_for_it_once() {
    let fake = stage().await;
    let site = of(settings(&fake));
    let checks = [Deploy::BucketPrivate, ALL[0], ALL[1], ALL[2]];
    examine(&site, &checks, Deploy::check).await;
    let calls = fake.calls();
    let count = |name| calls.iter().filter(|call| *call == name).count();
    assert_eq!(count("b2_authorize_account"), 1, "{calls:?}");
    assert_eq!(count("b2_list_buckets"), 1, "{calls:?}");
}

#[test]
fn names_cannot_break_out_of_the_rules() {
    let evil = "https://compliance.example.com\",\"*";
    let settings = with(
        &Settings::default(),
        &[
            ("PUBLIC_URL", PUBLIC),
            ("CORS_ALLOWED_ORIGINS", "https://a.example\"\\"),
        ],
    );
    let rules = wanted::cors(&of(settings)).unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(
        rules[0]["allowedOrigins"],
        json!([PUBLIC, "https://a.example\"\\"])
    );
    let broken = with(&Settings::default(), &[("PUBLIC_URL", evil)]);
    if let Ok(rules) = wanted::cors(&of(broken)) {
        assert_eq!(rules[0]["allowedOrigins"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn every_file_of_rules_is_filled_whole() {
    let settings = with(
        &Settings::default(),
        &[
            ("PUBLIC_URL", PUBLIC),
            ("B2_NOTIFICATION_SECRET", NOTIFICATION_SECRET),
        ],
    );
    let site = of(settings);
    let rules = [
        wanted::cors(&site).unwrap(),
        wanted::lifecycle(&[]),
        wanted::notifications(&site).unwrap(),
    ];
    for rules in rules {
        assert_eq!(rules.len(), 1);
        assert!(!json!(rules).to_string().contains("${"), "{rules:?}");
    }
}
