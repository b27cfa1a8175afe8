use shared_domain::Settings;

use crate::RedisConfig;

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
