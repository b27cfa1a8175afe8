use shared_domain::Settings;

use crate::{RedisConfig, SqsConfig};

fn read(pairs: &[(&str, &str)]) -> (Option<RedisConfig>, String) {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings: Settings = pairs.collect();
    let reader = settings.reader();
    let config = RedisConfig::read(&reader);
    let problems = reader.finish().err();
    (config, problems.map(|p| p.to_string()).unwrap_or_default())
}

#[test]
fn without_an_address_there_is_no_redis() {
    let (config, problems) = read(&[("REDIS_URL", " ")]);
    assert!(config.is_none());
    assert_eq!(problems, "");
}

#[test]
fn what_may_be_said_of_an_address_has_no_password() {
    let told = |url: &str| {
        let (config, problems) = read(&[("REDIS_URL", url)]);
        assert_eq!(problems, "", "{url}");
        let config = config.unwrap();
        assert!(!format!("{config:?}").contains("secret"), "{config:?}");
        config.place
    };
    assert_eq!(told("redis://h"), "redis://h:6379/0");
    assert_eq!(told("redis://u:secret@h:1/2"), "redis://h:1/2");
    assert_eq!(
        told("rediss://:secret@h.example:25061"),
        "rediss://h.example:25061/0"
    );
    assert_eq!(told("redis://:secret@[::1]:7/"), "redis://[::1]:7/0");
}

#[test]
fn a_malformed_address_is_told_without_its_secret() {
    for url in [
        "secret",
        "http://:secret@h:1",
        "redis://",
        "redis://:secret@h:port",
        "redis://:secret@h/first",
        "redis://:secret@h/-1",
        "rediss://:secret@h/#insecure",
        "redis://:secret@h/0?protocol=resp3",
        "unix:///secret",
    ] {
        let (config, problems) = read(&[("REDIS_URL", url)]);
        assert!(config.is_none(), "{url}");
        assert!(problems.contains("REDIS_URL"), "{url}: {problems}");
        assert!(!problems.contains("secret"), "{url}: {problems}");
    }
}

#[test]
fn an_authority_that_cannot_be_read_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let path = path.to_str().unwrap();
    let redis = ("REDIS_URL", "rediss://h");
    let (_, problems) = read(&[redis, ("REDIS_CA_FILE", path)]);
    assert!(problems.contains("REDIS_CA_FILE"), "{problems}");
    std::fs::write(
        path,
        "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    let (_, problems) = read(&[redis, ("REDIS_CA_FILE", path)]);
    assert!(problems.contains("REDIS_CA_FILE"), "{problems}");
}

#[test]
fn an_authority_may_be_the_text_of_the_setting_itself() {
    let server = shared_testing::Certificates::make().unwrap();
    let pem = std::fs::read_to_string(server.ca()).unwrap();
    let path = server.ca().display().to_string();
    for given in [&pem, &path] {
        let (config, problems) = read(&[("REDIS_URL", "rediss://h"), ("REDIS_CA_FILE", given)]);
        assert_eq!(problems, "");
        let read = config.unwrap().authority.unwrap();
        assert_eq!(read.trim_ascii(), pem.trim().as_bytes());
    }
}

fn read_sqs(pairs: &[(&str, &str)]) -> (Option<SqsConfig>, String) {
    let owned = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings: Settings = owned.collect();
    let reader = settings.reader();
    let config = SqsConfig::read(&reader);
    let problems = reader.finish().err();
    (config, problems.map(|p| p.to_string()).unwrap_or_default())
}

#[test]
fn sqs_wants_the_beginning_of_its_queues_and_the_keys_of_a_role() {
    let prefix = "https://sqs.eu-central-1.amazonaws.com/123456789012/stack-";
    let prefix = ("SQS_QUEUE_URL_PREFIX", prefix);
    let role = [
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "ASIA"),
        ("AWS_SECRET_ACCESS_KEY", "canary-key"),
        ("AWS_SESSION_TOKEN", "canary-session"),
    ];
    assert!(matches!(read_sqs(&role), (None, none) if none.is_empty()));
    let (config, problems) = read_sqs(&[&[prefix], &role[..]].concat());
    let told = format!("{:?}", config.unwrap());
    assert!(
        problems.is_empty() && !told.contains("canary"),
        "{problems} {told}"
    );
    let (_, problems) = read_sqs(&[prefix]);
    for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(problems.contains(name), "{problems}");
    }
    let redis = ("REDIS_URL", "redis://h");
    let (_, problems) = read_sqs(&[&[prefix, redis], &role[..]].concat());
    assert!(problems.contains("exclude each other"), "{problems}");
    for wrong in ["stack-", "http://sqs.example.com/1/stack-", "https://"] {
        let wrong = ("SQS_QUEUE_URL_PREFIX", wrong);
        let (_, problems) = read_sqs(&[&[wrong], &role[..]].concat());
        assert!(problems.contains("SQS_QUEUE_URL_PREFIX"), "{problems}");
    }
}
