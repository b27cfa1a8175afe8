use std::time::Duration;

use shared_domain::Settings;

use crate::ObjectsConfig;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut settings = Settings::default();
    settings.set(
        "BACKBLAZE_ENDPOINT_URL",
        "https://s3.us-west-004.backblazeb2.com",
    );
    settings.set("BACKBLAZE_APPLICATION_KEY_ID", "id");
    settings.set("BACKBLAZE_APPLICATION_KEY", "secret-canary");
    settings.set("BACKBLAZE_BUCKET_NAME", "bucket");
    for (name, value) in pairs {
        settings.set(name, *value);
    }
    settings
}

#[test]
fn region_is_the_label_of_the_endpoint() {
    let settings = settings(&[("B2_RETRY_BACKOFF", "0.5")]);
    let reader = settings.reader();
    let config = ObjectsConfig::read(&reader);
    reader.finish().expect("nothing is wrong");
    assert_eq!(config.region(), "us-west-004");
    assert_eq!(config.backoff, Duration::from_millis(500));
    assert_eq!(config.max_retries, 5);
    let local = ObjectsConfig {
        endpoint_url: "http://127.0.0.1:8001".into(),
        ..config
    };
    assert_eq!(local.region(), "us-east-1");
}

#[test]
fn everything_wrong_is_told_at_once_and_no_secret_with_it() {
    let settings = settings(&[
        (
            "BACKBLAZE_ENDPOINT_URL",
            "http://s3.us-west-004.backblazeb2.com",
        ),
        ("BACKBLAZE_BUCKET_NAME", " "),
        ("B2_MAX_RETRIES", "many"),
        ("B2_RETRY_BACKOFF", "-1"),
        ("B2_RETRY_BACKOFF_MAX", "inf"),
    ]);
    let reader = settings.reader();
    let config = ObjectsConfig::read(&reader);
    let problems = reader.finish().expect_err("much is wrong").0;
    let names: Vec<&str> = problems
        .iter()
        .map(|problem| problem.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "BACKBLAZE_ENDPOINT_URL",
            "BACKBLAZE_BUCKET_NAME",
            "B2_MAX_RETRIES",
            "B2_RETRY_BACKOFF",
            "B2_RETRY_BACKOFF_MAX"
        ]
    );
    assert!(!format!("{config:?} {problems:?}").contains("secret-canary"));
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for (url, fine) in [
        ("http://127.0.0.1:8001", true),
        ("http://[::1]:8001", true),
        ("http://localhost:8001", true),
        ("http://127.0.0.1.example.com", false),
        ("ftp://127.0.0.1", false),
        ("s3.us-west-004.backblazeb2.com", false),
    ] {
        let settings = settings(&[("BACKBLAZE_ENDPOINT_URL", url)]);
        let reader = settings.reader();
        ObjectsConfig::read(&reader);
        assert_eq!(reader.finish().is_ok(), fine, "{url}");
    }
}
