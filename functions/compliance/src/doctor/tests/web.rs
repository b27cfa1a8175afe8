use super::*;

const KEY: &str = "canary-9sGmQvXo2Lr7Tz4BdKfWj1Hn8PcYe5UaRi0VxQwEtMb6Zl3";

async fn says(check: Deploy, pairs: &[(&str, &str)], state: State, says: &str) {
    expect(&check.check(&site(pairs)).await, state, says);
}

#[tokio::test]
async fn debugging_is_off() {
    let check = Deploy::DebugOff;
    says(check, &[], State::Ok, "off").await;
    says(check, &[("DEBUG", "0")], State::Ok, "off").await;
    says(check, &[("DEBUG", "True")], State::Fail, "DEBUG=false").await;
    says(check, &[("DEBUG", "perhaps")], State::Fail, "DEBUG").await;
}

#[tokio::test]
async fn the_secret_key_is_long_and_nobody_elses() {
    let check = Deploy::SecretKey;
    says(check, &[("SECRET_KEY", KEY)], State::Ok, "long").await;
    says(check, &[], State::Fail, "not set").await;
    says(check, &[("SECRET_KEY", &KEY[..40])], State::Fail, "shorter").await;
    let monotonous = "anna".repeat(15);
    says(
        check,
        &[("SECRET_KEY", &monotonous)],
        State::Fail,
        "few characters",
    )
    .await;
    for placeholder in ["django-insecure-", "Change-Me-", "your-secret-key"] {
        let value = format!("{placeholder}{KEY}");
        let set = [("SECRET_KEY", value.as_str())];
        says(check, &set, State::Fail, "placeholder").await;
    }
}

#[tokio::test]
async fn allowed_hosts_are_our_own() {
    let check = Deploy::AllowedHosts;
    let public = ("PUBLIC_URL", "https://compliance.example.com");
    let hosts = |hosts| [public, ("ALLOWED_HOSTS", hosts)];
    says(
        check,
        &hosts("Compliance.example.com,other"),
        State::Ok,
        "has",
    )
    .await;
    says(check, &hosts("*"), State::Fail, "any name").await;
    says(check, &hosts("other.example.com"), State::Fail, "add it").await;
    says(check, &[public], State::Fail, "add it").await;
    let url = "https://compliance.example.com";
    says(check, &hosts(url), State::Fail, "no host name").await;
    let port = "compliance.example.com:443";
    says(check, &hosts(port), State::Fail, "no host name").await;
    let alone = [("ALLOWED_HOSTS", "compliance.example.com")];
    says(check, &alone, State::NotChecked, "PUBLIC_URL").await;
}

#[tokio::test]
async fn the_public_address_is_one_that_providers_reach() {
    let check = Deploy::PublicUrl;
    let cases = [
        ("https://compliance.example.com", State::Ok, "https://"),
        ("https://compliance.example.com/", State::Ok, "https://"),
        ("https://compliance.example.com:8443", State::Ok, ":8443"),
        (
            "http://compliance.example.com",
            State::Fail,
            "begin with https",
        ),
        ("https://203.0.113.7", State::Fail, "no public host name"),
        ("https://[2001:db8::1]", State::Fail, "no public host name"),
        ("https://localhost", State::Fail, "no public host name"),
        ("https://box.local", State::Fail, "no public host name"),
        (
            "https://compliance.example.com/app",
            State::Fail,
            "too much",
        ),
        (
            "https://compliance.example.com?a=b",
            State::Fail,
            "too much",
        ),
        (
            "https://a:canary@compliance.example.com",
            State::Fail,
            "too much",
        ),
        ("compliance.example.com", State::Fail, "no address"),
        ("", State::Fail, "not set"),
    ];
    for (url, state, what) in cases {
        says(check, &[("PUBLIC_URL", url)], state, what).await;
    }
}

#[tokio::test]
async fn secrets_lie_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let look = |text: Option<&str>| {
        let file = folder.path().join(".env");
        match text {
            Some(text) => std::fs::write(file, text).unwrap(),
            None => drop(std::fs::remove_file(file)),
        }
        let path = folder.path().to_path_buf();
        let site = Site::new(Settings::default(), Arc::new(SystemClock), path);
        secrets::not_in_files(&site)
    };
    expect(&look(None), State::Ok, "no .env");
    let harmless = "DEBUG=false\nDATABASE_URL=postgres://user@db/name\nSECRET_KEY=\n";
    expect(&look(Some(harmless)), State::Ok, "no .env");
    let secret = "SECRET_KEY=canary\nREDIS_URL=rediss://:canary@cache:6379/0\nDEBUG=false\n";
    let finding = look(Some(secret));
    expect(&finding, State::Fail, "(SECRET_KEY, REDIS_URL)");
    let broken = "DEBUG=false\nSECRET_KEY canary\n";
    expect(&look(Some(broken)), State::NotChecked, "after DEBUG");
}

#[tokio::test]
async fn cloudflare_is_looked_at_where_it_is_used() {
    let check = Deploy::Cloudflare;
    let url = ("CLOUDFLARE_CDN_URL", "https://video.example.com");
    let token = ("CLOUDFLARE_API_TOKEN", "canary-token");
    let zone = ("CLOUDFLARE_ZONE_ID", "0123456789abcdef0123456789abcdef");
    let secret = ("PLAYBACK_SECRET", "canary-secret");
    says(check, &[], State::Ok, "not used").await;
    says(check, &[url, secret, token, zone], State::Ok, "are set").await;
    says(check, &[token, zone], State::Warn, "CLOUDFLARE_CDN_URL").await;
    says(check, &[secret], State::Warn, "CLOUDFLARE_CDN_URL").await;
    says(check, &[url, token, zone], State::Fail, "PLAYBACK_SECRET").await;
    says(check, &[url, secret], State::Warn, "not purged").await;
    says(
        check,
        &[url, secret, token],
        State::Fail,
        "CLOUDFLARE_ZONE_ID",
    )
    .await;
    says(
        check,
        &[url, secret, zone],
        State::Fail,
        "CLOUDFLARE_API_TOKEN",
    )
    .await;
    let name = ("CLOUDFLARE_ZONE_ID", "example.com");
    says(
        check,
        &[url, secret, token, name],
        State::Fail,
        "32 hexadecimal",
    )
    .await;
    let plain = ("CLOUDFLARE_CDN_URL", "http://video.example.com");
    says(check, &[plain, token, zone], State::Fail, "https://").await;
    assert!(crate::doctor::web::has_cloudflare(&site(&[token])));
    assert!(!crate::doctor::web::has_cloudflare(&site(&[])));
}
