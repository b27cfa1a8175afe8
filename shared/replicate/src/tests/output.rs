use serde_json::{Value, json};

use crate::tests::client::{Answer, Api, answer, raw};
use crate::{Replicate, ReplicateError};

/// The client, and the answers that its own host gives to `/out`.
async fn host(answers: Vec<Answer>) -> (Api, Replicate, String) {
    let api = Api::start(answers).await;
    let client = api.client();
    let url = format!("{}/out", api.base().trim_end_matches("/v1"));
    (api, client, url)
}

fn is_refused(read: &Result<Value, ReplicateError>, why: &str) -> bool {
    matches!(read, Err(ReplicateError::Permanent { detail, .. }) if detail.contains(why))
}

#[tokio::test]
async fn a_file_on_our_providers_host_is_read_without_the_token() {
    let found = json!({ "nsfw": 0.9 });
    let (api, client, url) = host(vec![
        answer(200, found.clone()),
        raw(200, &[], "plain words"),
    ])
    .await;
    assert_eq!(client.file_in(&json!(url)), Some(url.as_str()));
    assert_eq!(client.file(&url).await.unwrap(), found);
    assert_eq!(client.file(&url).await.unwrap(), json!("plain words"));
    assert!(api.seen().iter().all(|seen| !seen.has("authorization")));
}

#[tokio::test]
async fn the_token_is_shown_when_the_host_asks_for_it() {
    let (api, client, url) = host(vec![raw(401, &[], ""), answer(200, json!([1]))]).await;
    assert_eq!(client.file(&url).await.unwrap(), json!([1]));
    let with_token: Vec<bool> = api.seen().iter().map(|s| s.has("authorization")).collect();
    assert_eq!(with_token, [false, true]);
}

#[tokio::test]
async fn only_the_delivery_hosts_are_asked() {
    let (stranger, _, foreign) = host(vec![]).await;
    let (api, client, own) = host(vec![]).await;
    for url in [
        foreign.as_str(),
        "https://replicate.delivery.evil.example/x",
        "https://evilreplicate.delivery/x",
        "http://replicate.delivery/x",
        "https://replicate.delivery:8443/x",
        "https://user:word@replicate.delivery/x",
        "https://replicate.delivery@127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "file:///etc/passwd",
        "ftp://replicate.delivery/x",
        "no url",
    ] {
        assert_eq!(client.file_in(&json!(url)), None, "{url}");
        let read = client.file(url).await;
        let said = is_refused(&read, "foreign host") || is_refused(&read, "no URL");
        assert!(said, "{url}: {read:?}");
    }
    for url in [
        "https://replicate.delivery/x.json",
        "https://pbxt.replicate.delivery/a/b",
        own.as_str(),
        "data:application/json;base64,e30=",
    ] {
        assert_eq!(client.file_in(&json!(url)), Some(url), "{url}");
    }
    let sentence = json!("https://replicate.delivery/x and more");
    assert_eq!(client.file_in(&sentence), None);
    assert_eq!(client.file_in(&json!({ "url": own })), None);
    assert!(stranger.seen().is_empty() && api.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (stranger, _, foreign) = host(vec![answer(200, json!({}))]).await;
    let (_api, client, url) = host(vec![location(&foreign)]).await;
    assert!(is_refused(&client.file(&url).await, "302"));
    assert!(stranger.seen().is_empty());
}

fn location(to: &str) -> Answer {
    let mut response = raw(302, &[], "");
    response
        .headers_mut()
        .insert("location", to.parse().unwrap());
    response
}

#[tokio::test]
async fn what_is_gone_is_lost_and_what_is_endless_is_broken_off() {
    let (_api, client, url) = host(vec![
        raw(404, &[], ""),
        raw(503, &[], ""),
        endless(),
        raw(200, &[], "\u{1}"),
    ])
    .await;
    let lost = client.file(&url).await;
    assert!(matches!(lost, Err(ReplicateError::Lost { .. })), "{lost:?}");
    let later = client.file(&url).await;
    assert!(matches!(later, Err(ReplicateError::Transient { .. })));
    assert!(is_refused(&client.file(&url).await, "larger than 32 MiB"));
    assert_eq!(client.file(&url).await.unwrap(), json!("\u{1}"));
}

fn endless() -> Answer {
    let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
    let chunks = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
    Answer::new(axum::body::Body::from_stream(chunks))
}

#[tokio::test]
async fn an_output_within_the_answer_is_read_too() {
    let (_api, client, _) = host(vec![]).await;
    let read = client
        .file("data:application/json;base64,eyJhIjogMX0=")
        .await;
    assert_eq!(read.unwrap(), json!({ "a": 1 }));
    for (data, why) in [
        ("data:text/plain,words", "without base64"),
        ("data:text/plain;base64,???", "broken base64"),
        ("data:image/png;base64,/9j/4A==", "no text"),
    ] {
        assert!(is_refused(&client.file(data).await, why), "{data}");
    }
}
