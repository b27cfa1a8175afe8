use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use shared_domain::{PauseReason, Settings};
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::{NewPrediction, Outcome, Replicate, ReplicateConfig, ReplicateError, Trace};

/// One exchange as the server saw it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Value,
}

impl Seen {
    pub(super) fn has(&self, header: &str) -> bool {
        self.headers.contains_key(header)
    }
}

/// What to answer, and what was asked.
#[derive(Debug, Clone, Default)]
struct Script(Arc<Mutex<(VecDeque<Answer>, Vec<Seen>)>>);

/// A server that gives prepared answers in order.
#[derive(Debug)]
pub(super) struct Api {
    base: String,
    script: Script,
    _server: JoinSet<()>,
}

pub(super) type Answer = Response;

pub(super) fn answer(status: u16, body: Value) -> Answer {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

pub(super) fn raw(
    status: u16,
    headers: &[(&'static str, &'static str)],
    body: &'static str,
) -> Answer {
    let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.parse().unwrap());
    }
    response
}

async fn play(
    State(script): State<Script>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let mut script = script.0.lock().unwrap();
    script.1.push(Seen {
        method,
        uri,
        headers,
        body,
    });
    let out_of_script = || answer(500, json!({ "detail": "out of script" }));
    script.0.pop_front().unwrap_or_else(out_of_script)
}

impl Api {
    pub(super) async fn start(answers: Vec<Answer>) -> Self {
        let script = Script(Arc::new(Mutex::new((answers.into(), Vec::new()))));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let router = axum::Router::new()
            .fallback(play)
            .with_state(script.clone());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            base,
            script,
            _server: server,
        }
    }

    pub(super) fn client(&self) -> Replicate {
        Replicate::connect(config(&self.base)).unwrap()
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.script.0.lock().unwrap().1.clone()
    }

    fn then(&self, answer: Answer) {
        self.script.0.lock().unwrap().0.push_back(answer);
    }
}

fn config(base: &str) -> ReplicateConfig {
    ReplicateConfig {
        base_url: base.to_owned(),
        token: "r8_test".into(),
        timeout: Duration::from_secs(5),
        output_hosts: vec!["replicate.delivery".to_owned()],
    }
}

fn question() -> NewPrediction<'static> {
    let input = Map::from_iter([("image".to_owned(), json!("http://objects/k.jpg"))]);
    NewPrediction {
        version: "abc",
        input,
        webhook: Some("https://us/hook?key=K1"),
        cancel_after: Some(Duration::from_mins(10)),
    }
}

async fn create_error(response: Answer) -> ReplicateError {
    let api = Api::start(vec![response]).await;
    let error = api.client().create(&question()).await.unwrap_err();
    assert_eq!(api.seen().len(), 1, "a create is never repeated");
    error
}

#[tokio::test]
async fn create_sends_what_the_contract_asks_for() {
    let api = Api::start(vec![answer(
        201,
        json!({ "id": "p1", "status": "starting" }),
    )])
    .await;
    let made = api.client().create(&question()).await.unwrap();
    assert_eq!((made.id.as_str(), made.outcome()), ("p1", Outcome::Pending));
    let seen = &api.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.uri.path()),
        ("POST", "/v1/predictions")
    );
    assert_eq!(seen.headers["authorization"], "Bearer r8_test");
    assert_eq!(seen.headers["cancel-after"], "600s");
    assert_eq!(
        seen.body,
        json!({ "version": "abc", "input": { "image": "http://objects/k.jpg" },
                "webhook": "https://us/hook?key=K1", "webhook_events_filter": ["completed"] })
    );
}

#[tokio::test]
async fn throttled_create_tells_how_long_to_wait() {
    let after = |error: ReplicateError| match error {
        ReplicateError::Transient { retry_after, .. } => retry_after.map(|d| d.as_secs()),
        other => panic!("{other:?}"),
    };
    let problem = json!({ "detail": "Too many. Resets in ~30s", "status": 429, "retry_after": 7 });
    assert_eq!(after(create_error(answer(429, problem)).await), Some(7));
    assert_eq!(
        after(create_error(raw(429, &[("retry-after", "9")], "{}")).await),
        Some(9)
    );
    let date = [
        ("retry-after", "Wed, 21 Oct 2015 07:28:12 GMT"),
        ("date", "Wed, 21 Oct 2015 07:28:00 GMT"),
    ];
    assert_eq!(
        after(create_error(raw(429, &date, "slow down")).await),
        Some(12)
    );
    let words = json!({ "detail": "Your rate limit resets in ~30s." });
    assert_eq!(after(create_error(answer(429, words)).await), Some(30));
    assert_eq!(after(create_error(raw(429, &[], "later")).await), Some(10));
    let endless = json!({ "detail": "x", "retry_after": 1e12 });
    assert_eq!(after(create_error(answer(429, endless)).await), Some(600));
}

#[tokio::test]
async fn refusals_are_sorted_by_what_to_do() {
    for (status, detail) in [
        (401, "Invalid token"),
        (402, "You have insufficient credit"),
        (403, "no"),
        (
            429,
            "Request was throttled: you have less than $5.0 in credit",
        ),
        (404, "The requested resource could not be found"),
    ] {
        let error = create_error(answer(status, json!({ "detail": detail }))).await;
        assert!(
            matches!(&error, ReplicateError::Operator { detail: d, .. } if d == detail),
            "{error:?}"
        );
        let pause = match status {
            402 => Some(PauseReason::NoCredit),
            429 => Some(PauseReason::LowCredit),
            _ => Some(PauseReason::Refused),
        };
        // One model is missing: the others can be asked.
        let is_about_model = status == 404;
        let told = (error.pause(), error.is_about_model());
        assert_eq!(told, (pause, is_about_model));
    }
    let version = json!({ "title": "Invalid version or not permitted", "detail": "The specified version does not exist", "status": 422 });
    let gone = create_error(answer(422, version)).await;
    assert!(matches!(gone, ReplicateError::Operator { status: 422, .. }));
    let told = (gone.pause(), gone.is_about_model());
    assert_eq!(told, (Some(PauseReason::Refused), true));

    let invalid = json!({ "title": "Input validation failed", "detail": "- input.seed: wrong", "status": 422,
        "invalid_fields": [{ "type": "invalid_type", "field": "input.seed", "description": "Expected integer" }] });
    match create_error(answer(422, invalid)).await {
        ReplicateError::Permanent {
            status: 422,
            fields,
            detail,
        } => {
            assert_eq!(
                (fields[0].field.as_str(), fields[0].description.as_str()),
                ("input.seed", "Expected integer")
            );
            assert_eq!(detail, "- input.seed: wrong");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn create_without_a_usable_answer_is_ambiguous() {
    for response in [
        raw(
            502,
            &[("content-type", "text/html")],
            "<html>Bad gateway</html>",
        ),
        raw(201, &[], "not json"),
        answer(201, json!({ "status": "starting" })),
    ] {
        assert!(matches!(
            create_error(response).await,
            ReplicateError::Ambiguous { .. }
        ));
    }
    // The request arrives, the connection is cut before an answer.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let client = Replicate::connect(config(&base)).unwrap();
    let question = question();
    let (error, ()) = tokio::join!(client.create(&question), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        tokio::io::AsyncReadExt::read(&mut stream, &mut buffer)
            .await
            .unwrap();
        drop((stream, listener));
    });
    assert!(matches!(
        error.unwrap_err(),
        ReplicateError::Ambiguous { .. }
    ));
    // Nobody listens any more: nothing can have been created.
    let error = client.create(&question).await.unwrap_err();
    assert!(
        matches!(error, ReplicateError::Transient { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn reads_may_be_repeated_or_are_lost() {
    let api = Api::start(vec![
        answer(503, json!({})),
        answer(404, json!({ "detail": "gone" })),
        answer(200, json!({ "id": "p/1", "status": "canceled" })),
        raw(200, &[], "<html>"),
    ])
    .await;
    let client = api.client();
    assert!(matches!(
        client.prediction("p1").await,
        Err(ReplicateError::Transient { .. })
    ));
    assert!(matches!(
        client.prediction("p1").await,
        Err(ReplicateError::Lost { .. })
    ));
    assert_eq!(
        client.cancel("../p1?x").await.unwrap().outcome(),
        Outcome::Stopped
    );
    assert_eq!(api.seen()[2].uri.path(), "/v1/predictions/p1x/cancel");
    assert!(matches!(
        client.prediction("p1").await,
        Err(ReplicateError::Permanent { .. })
    ));
}

fn made(id: &str, webhook: Option<&str>, image: &str) -> Value {
    json!({ "id": id, "status": "starting", "version": "v", "webhook": webhook, "input": { "image": image } })
}

#[tokio::test]
async fn lost_create_is_found_by_our_key_on_a_later_page() {
    let api = Api::start(vec![]).await;
    let next = format!("{}/predictions?cursor=2", api.base);
    let first =
        json!({ "results": [made("a", Some("https://us/hook?key=K2"), "k.jpg"), 7], "next": next });
    let second =
        json!({ "results": [made("b", Some("https://us/hook?key=K1"), "z.jpg")], "next": null });
    api.then(answer(200, first));
    api.then(answer(200, second));
    let found = api.client().adopt(&trace()).await.unwrap();
    assert_eq!(found.unwrap().id, "b");
    assert!(
        api.seen()[0]
            .uri
            .query()
            .unwrap()
            .contains("created_after=1970-01-01T00%3A00%3A00Z")
    );
}

fn trace() -> Trace<'static> {
    Trace {
        key: "K1",
        version: "v",
        object_key: "k.jpg",
        since: OffsetDateTime::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn lost_create_is_found_by_its_object_when_webhooks_are_not_echoed() {
    let page = json!({ "results": [made("a", None, "http://o/z.jpg"), made("b", None, "http://o/k.jpg?sig=1")] });
    let api = Api::start(vec![
        answer(200, page),
        answer(200, json!({ "results": [] })),
    ])
    .await;
    assert_eq!(api.client().adopt(&trace()).await.unwrap().unwrap().id, "b");
    assert_eq!(api.client().adopt(&trace()).await.unwrap(), None);
}

#[tokio::test]
async fn what_ended_without_an_answer_is_not_found_again() {
    let hook = Some("https://us/hook?key=K1");
    let ended = |id: &str, status: &str, more: Value| {
        let mut prediction = made(id, hook, "k.jpg");
        prediction["status"] = status.into();
        prediction["error"] = more["error"].clone();
        prediction["data_removed"] = more["data_removed"].clone();
        prediction["output"] = more["output"].clone();
        prediction
    };
    let dead = [
        ended("failed", "failed", json!({ "error": "E1000" })),
        ended("canceled", "canceled", json!({})),
        ended("aborted", "aborted", json!({})),
        ended("lost", "succeeded", json!({ "data_removed": true })),
    ];
    let whole = dead.iter().cloned().chain([ended(
        "answered",
        "succeeded",
        json!({ "output": "normal" }),
    )]);
    let api = Api::start(vec![
        answer(200, json!({ "results": dead })),
        answer(200, json!({ "results": whole.collect::<Vec<_>>() })),
    ])
    .await;
    assert_eq!(api.client().adopt(&trace()).await.unwrap(), None);
    let found = api.client().adopt(&trace()).await.unwrap();
    assert_eq!(found.unwrap().id, "answered");
}

#[tokio::test]
async fn token_is_never_sent_to_another_host() {
    let stranger = Api::start(vec![]).await;
    let next = format!("{}/predictions?cursor=2", stranger.base);
    let page = json!({ "results": [made("a", None, "x")], "next": next });
    let api = Api::start(vec![answer(200, page)]).await;
    assert_eq!(
        api.client()
            .list(OffsetDateTime::UNIX_EPOCH)
            .await
            .unwrap()
            .len(),
        1
    );
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn account_and_secret_are_read() {
    let api = Api::start(vec![
        answer(200, json!({ "type": "user", "username": "me" })),
        answer(200, json!({ "key": "whsec_AAAA" })),
        answer(200, json!({})),
    ])
    .await;
    let client = api.client();
    assert_eq!(client.account().await.unwrap().username, "me");
    assert_eq!(
        client.webhook_secret().await.unwrap().expose_secret(),
        "whsec_AAAA"
    );
    assert!(client.webhook_secret().await.is_err());
}

#[test]
fn settings_are_read_with_their_defaults_and_problems() {
    let mut settings = Settings::default();
    settings.set("REPLICATE_API_TOKEN", "r8_x");
    let reader = settings.reader();
    let config = ReplicateConfig::read(&reader);
    reader.finish().unwrap();
    assert_eq!(config.base_url, "https://api.replicate.com/v1");
    assert!(!format!("{config:?}").contains("r8_x"));
    assert!(Replicate::connect(config).unwrap().is_hosted());

    let mut settings = Settings::default();
    settings.set("REPLICATE_API_BASE_URL", "ftp://x");
    let reader = settings.reader();
    ReplicateConfig::read(&reader);
    let problems = reader.finish().unwrap_err().0;
    assert_eq!(problems.len(), 2, "{problems:?}");
}
