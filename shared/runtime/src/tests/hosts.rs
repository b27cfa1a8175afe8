//! What platforms send, what they are told, and how this process finds out where it is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};
use shared_domain::{EvidenceComplete, ExecutionId, OutboxId, Settings};
use shared_queue::LEASE;
use shared_testing::{TestDatabase, database};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio_util::sync::CancellationToken;

use crate::hosts::{Desk, EndMarker, Manners, converse, invoke};
use crate::log_line::CutLines;
use crate::place::{Host, Wish, check_lambda, is_writable};
use crate::{
    Classify, Event, FromEvent, Handler, Malformed, Response, Shared, Source, Verdict, boxed,
};

mod sqs;

/// Where nothing listens, a handler is told of its sender's trace as it came.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Tells what it was brought, in every kind of answer.
struct Echo(Arc<Mutex<Vec<Event>>>);

struct Anything;

impl FromEvent for Anything {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        match event.json::<Value>() {
            Ok(body) if body["unreadable"] == true => Err(Malformed("unreadable".into())),
            _ => Ok(Self),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the provider's secret address is down")]
    Busy,
    #[error("never")]
    Never,
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Busy => Verdict::RETRY,
            Self::Never => Verdict::Reject,
        }
    }
}

impl Handler for Echo {
    const NAME: &'static str = "report-finalize";
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Input = Anything;
    type Output = Response;
    type Error = Error;

    async fn handle(&self, event: &Event, _: Anything) -> Result<Response, Error> {
        self.0.lock().unwrap().push(event.clone());
        let body: Value = event.json().unwrap_or_default();
        match body["do"].as_str() {
            Some("busy") => return Err(Error::Busy),
            Some("never") => return Err(Error::Never),
            Some("panic") => panic!("out of luck"),
            Some("hang") => std::future::pending().await,
            _ => {}
        }
        Ok(match event.header("want") {
            Some("binary") => Response::typed(StatusCode::OK, "image/png", vec![0_u8, 255]),
            Some("cookies") => Response::json(StatusCode::OK, &json!({}))
                .with(http::header::SET_COOKIE, "a=1")
                .with(http::header::SET_COOKIE, "b=2")
                .with(http::header::VARY, "a")
                .with(http::header::VARY, "b"),
            Some("nothing") => Response::typed(StatusCode::NO_CONTENT, "application/json", ""),
            _ => Response::json(StatusCode::OK, &json!({ "got": body })),
        })
    }
}

struct Stage {
    desk: Desk,
    shared: Shared,
    seen: Arc<Mutex<Vec<Event>>>,
    _database: TestDatabase,
}

impl Stage {
    async fn open() -> Self {
        let database = database().await;
        let store = database.store().await;
        let shared = Shared {
            settings: Settings::default(),
            queue: shared_queue::Queue::new(store.clone()),
            store,
            stop: CancellationToken::new(),
        };
        let seen = Arc::default();
        let desk = Desk::of_handler(boxed(Echo(Arc::clone(&seen))), &shared);
        Self {
            desk,
            shared,
            seen,
            _database: database,
        }
    }

    fn last(&self) -> Event {
        self.seen.lock().unwrap().last().expect("an event").clone()
    }

    fn starts(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    async fn lambda(&self, payload: Value) -> Result<Value, Diagnostic> {
        self.lambda_until(payload, 0).await
    }

    async fn lambda_until(&self, payload: Value, deadline: u64) -> Result<Value, Diagnostic> {
        let mut context = lambda_runtime::Context::default();
        context.request_id = "request-1".into();
        context.deadline = deadline;
        invoke(&self.desk, payload, &context)
            .await
            .map_err(Into::into)
    }

    /// Milliseconds since the epoch, this much from now.
    fn epoch_ms(&self, from_now: Duration) -> u64 {
        let at = self.shared.store.now() + from_now;
        u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap()
    }

    /// Lines in, answers out.
    async fn looped(&self, manners: Manners, lines: &[u8]) -> Vec<String> {
        let (calls, mut caller) = tokio::io::duplex(1 << 20);
        let (answers, answered) = tokio::io::duplex(1 << 20);
        let speaking = async {
            caller.write_all(lines).await.unwrap();
            drop(caller);
        };
        let listening = async {
            let mut said = Vec::new();
            let mut lines = BufReader::new(answered).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                said.push(line);
            }
            said
        };
        let conversing = async {
            converse(&self.desk, manners, BufReader::new(calls), answers)
                .await
                .unwrap();
        };
        tokio::join!(speaking, listening, conversing).1
    }

    async fn call(&self, value: &Value) -> Value {
        let line = format!(
            "{}\n",
            json!({ "value": value, "activation_id": "activation-1" })
        );
        let said = self.looped(Manners::default(), line.as_bytes()).await;
        assert_eq!(said.len(), 1, "one line in, one line out: {said:?}");
        serde_json::from_str(&said[0]).unwrap()
    }

    /// Puts a message into the outbox.
    async fn sent(&self) -> OutboxId {
        let mut tx = self.shared.store.transaction().await.unwrap();
        let message = EvidenceComplete::new(self.shared.store.fresh::<ExecutionId>());
        let id = tx.send(&message).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn letters(&self) -> Vec<(String, String)> {
        let letters = self.shared.store.dead_letters(10).await.unwrap();
        letters
            .into_iter()
            .map(|letter| (letter.event_id, letter.error))
            .collect()
    }
}

fn request(method: &str, path: &str, headers: Value, body: &str) -> Value {
    let mut event = json!({ "version": "2.0", "rawPath": path, "rawQueryString": "a=1&a=2",
        "cookies": ["session=t", "theme=dark"], "body": body, "isBase64Encoded": false,
        "requestContext": { "stage": "$default", "http": { "method": method } } });
    event["headers"] = headers;
    event
}

fn path_of(event: &Event) -> (String, String, String) {
    match &event.source {
        Source::Request {
            method,
            path,
            query,
        } => (method.to_string(), path.clone(), query.clone()),
        other => panic!("no request: {other:?}"),
    }
}

#[tokio::test]
async fn lambda_brings_requests_as_the_http_host_does() {
    let stage = Stage::open().await;
    let paths = [
        ("/", ""),
        ("/functions/report-finalize", ""),
        ("/functions/report-finalize/x/parts", "/x/parts"),
        ("/x/parts", "/x/parts"),
        // Another function's name begins alike.
        (
            "/functions/report-finalize-2",
            "/functions/report-finalize-2",
        ),
    ];
    for (raw, below) in paths {
        let answer = stage
            .lambda(request("PUT", raw, json!({}), "{}"))
            .await
            .unwrap();
        assert_eq!(answer["statusCode"], 200, "{raw}");
        let expected = ("PUT".to_owned(), below.to_owned(), "a=1&a=2".to_owned());
        assert_eq!(path_of(&stage.last()), expected, "{raw}");
    }
    let headers = json!({ "webhook-id": "msg_1", "traceparent": TRACE, "bad name": "x" });
    stage
        .lambda(request("POST", "/", headers, "{\"n\":1}"))
        .await
        .unwrap();
    let event = stage.last();
    assert_eq!(
        (event.id.as_str(), event.trace.as_deref()),
        ("msg_1", Some(TRACE))
    );
    assert_eq!(event.header("cookie"), Some("session=t; theme=dark"));
    assert_eq!(&event.body[..], b"{\"n\":1}");
}

#[tokio::test]
async fn fields_that_an_emulator_leaves_null_are_empty() {
    let stage = Stage::open().await;
    let mut event = request("GET", "/x", json!({}), "");
    for name in [
        "rawQueryString",
        "headers",
        "cookies",
        "body",
        "isBase64Encoded",
    ] {
        event[name] = Value::Null;
    }
    assert_eq!(stage.lambda(event).await.unwrap()["statusCode"], 200);
    let expected = ("GET".to_owned(), "/x".to_owned(), String::new());
    assert_eq!(path_of(&stage.last()), expected);
    let mut nothing = record(&json!("m1"), "");
    nothing["attributes"] = Value::Null;
    let answer = stage.lambda(json!({ "Records": [nothing] })).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]), "a dead letter");
}

#[tokio::test]
async fn a_stage_is_no_part_of_the_path() {
    let stage = Stage::open().await;
    for (raw, name, below) in [
        ("/live/x", "live", "/x"),
        ("/live", "live", ""),
        ("/lively/x", "live", "/lively/x"),
        ("/x", "$default", "/x"),
    ] {
        let mut event = request("GET", raw, json!({}), "");
        event["requestContext"]["stage"] = name.into();
        stage.lambda(event).await.unwrap();
        assert_eq!(path_of(&stage.last()).1, below, "{raw} at {name}");
    }
}

#[tokio::test]
async fn bytes_come_and_go_in_base64() {
    let stage = Stage::open().await;
    let mut event = request("POST", "/", json!({ "want": "binary" }), "");
    event["body"] = STANDARD.encode([0, 1, 255]).into();
    event["isBase64Encoded"] = true.into();
    let answer = stage.lambda(event.clone()).await.unwrap();
    assert_eq!(&stage.last().body[..], [0, 1, 255]);
    assert_eq!(answer["isBase64Encoded"], true);
    assert_eq!(answer["body"], STANDARD.encode([0, 255]));
    event["body"] = "no base64!".into();
    assert_eq!(stage.lambda(event).await.unwrap()["statusCode"], 400);
}

#[tokio::test]
async fn answers_have_the_full_shape_and_cookies_apart() {
    let stage = Stage::open().await;
    let event = request("GET", "/", json!({ "want": "cookies" }), "");
    let answer = stage.lambda(event).await.unwrap();
    assert_eq!(answer["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(answer["headers"]["vary"], "a, b");
    assert!(answer["headers"].get("set-cookie").is_none());
    let empty = request("GET", "/", json!({ "want": "nothing" }), "");
    let empty = stage.lambda(empty).await.unwrap();
    for name in [
        "statusCode",
        "headers",
        "cookies",
        "body",
        "isBase64Encoded",
    ] {
        assert!(empty.get(name).is_some(), "{name}: {empty}");
    }
    assert_eq!(
        (&empty["statusCode"], &empty["body"]),
        (&json!(204), &json!(""))
    );
}

#[tokio::test]
async fn requests_that_fail_are_answered_with_a_status_and_no_inside() {
    let stage = Stage::open().await;
    for (what, status) in [("busy", 503), ("panic", 503), ("never", 400)] {
        let body = json!({ "do": what }).to_string();
        let answer = stage
            .lambda(request("POST", "/", json!({}), &body))
            .await
            .unwrap();
        assert_eq!(answer["statusCode"], status, "{what}");
        assert_eq!(
            answer["headers"]["content-type"],
            "application/problem+json"
        );
        assert!(!answer.to_string().contains("secret"), "{answer}");
        assert!(!answer.to_string().contains("luck"), "{answer}");
    }
    let large = request("POST", "/", json!({}), &"x".repeat(2 << 20));
    assert_eq!(stage.lambda(large).await.unwrap()["statusCode"], 413);
    let odd = request("GET", "/a b", json!({}), "");
    assert_eq!(stage.lambda(odd).await.unwrap()["statusCode"], 400);
}

#[tokio::test]
async fn the_time_of_the_platform_is_kept_only_where_it_can_be_believed() {
    let stage = Stage::open().await;
    let soon = stage.epoch_ms(Duration::from_millis(700));
    let hang = json!({ "do": "hang" });
    let answer = stage
        .lambda_until(request("POST", "/", json!({}), &hang.to_string()), soon)
        .await
        .unwrap();
    assert_eq!(answer["statusCode"], 503);
    let soon = stage.epoch_ms(Duration::from_millis(700));
    let message = json!({ "kind": "EvidenceComplete", "id": "x", "body": hang });
    let failed = stage.lambda_until(message, soon).await.unwrap_err();
    assert_eq!(failed.error_type, "Compliance.BrokeOff");
    // An emulator's number, a moment that is past, one that no platform grants: no word about time.
    for odd in [600_000, stage.epoch_ms(Duration::ZERO) - 5000, u64::MAX] {
        let answer = stage
            .lambda_until(request("GET", "/", json!({}), ""), odd)
            .await;
        assert_eq!(answer.unwrap()["statusCode"], 200, "{odd}");
    }
}

fn record(id: &Value, body: impl Into<String>) -> Value {
    json!({ "messageId": id, "receiptHandle": "r", "body": body.into(), "attributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:1:q" })
}

fn letter(id: &str, what: &str) -> String {
    json!({ "kind": "EvidenceComplete", "id": id, "body": { "do": what }, "trace": TRACE })
        .to_string()
}

#[tokio::test]
async fn of_a_batch_only_what_failed_comes_again() {
    let stage = Stage::open().await;
    let records = [
        record(&json!("m1"), letter("e1", "well")),
        record(&json!("m2"), letter("e2", "busy")),
        record(&json!("m3"), letter("e3", "never")),
        record(&json!("m4"), "no message"),
        record(&json!("m5"), letter("e5", "panic")),
    ];
    let answer = stage.lambda(json!({ "Records": records })).await.unwrap();
    let failed = json!([{ "itemIdentifier": "m2" }, { "itemIdentifier": "m5" }]);
    assert_eq!(answer, json!({ "batchItemFailures": failed }));
    let mut letters = stage.letters().await;
    letters.sort();
    let ids: Vec<&str> = letters.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["e3", "m4"], "what can never work leaves a trace");
    let first = stage.seen.lock().unwrap()[0].clone();
    assert_eq!(
        (first.id.as_str(), first.trace.as_deref()),
        ("e1", Some(TRACE))
    );
}

#[tokio::test]
async fn a_batch_with_a_failure_that_has_no_name_fails_whole() {
    let stage = Stage::open().await;
    for nameless in [json!(""), Value::Null] {
        let records = [record(&nameless, letter("e1", "busy"))];
        let failed = stage
            .lambda(json!({ "Records": records }))
            .await
            .unwrap_err();
        assert_eq!(failed.error_type, "Compliance.UnnamedRecord");
    }
}

#[tokio::test]
async fn an_ordered_queue_stops_at_its_first_failure() {
    let stage = Stage::open().await;
    let mut records = [
        record(&json!("m1"), letter("e1", "well")),
        record(&json!("m2"), letter("e2", "busy")),
        record(&json!("m3"), letter("e3", "well")),
    ];
    for record in &mut records {
        record["attributes"]["MessageGroupId"] = "videos".into();
    }
    let answer = stage.lambda(json!({ "Records": records })).await.unwrap();
    let failed = json!([{ "itemIdentifier": "m2" }, { "itemIdentifier": "m3" }]);
    assert_eq!(answer["batchItemFailures"], failed);
    assert_eq!(stage.starts(), 2);
}

#[tokio::test]
async fn a_message_whose_row_exists_is_worked_on_under_its_lease() {
    let stage = Stage::open().await;
    let id = stage.sent().await;
    let body = letter(&id.to_string(), "never");
    let batch = json!({ "Records": [record(&json!("m1"), body)] });
    let answer = stage.lambda(batch.clone()).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    let event = stage.last();
    assert_eq!(event.lease.map(|(row, _)| row), Some(id));
    // The row's own body counts, not what the transport carried.
    assert!(event.json::<Value>().unwrap().get("execution_id").is_some());
    let due = stage
        .shared
        .store
        .next_due("report-finalize")
        .await
        .unwrap();
    assert!(due.is_none(), "the row is finished");

    let again = stage.lambda(batch).await.unwrap();
    assert_eq!(again["batchItemFailures"], json!([]), "finished is done");
    assert_eq!(stage.starts(), 1);
}

#[tokio::test]
async fn a_message_that_somebody_works_on_comes_again() {
    let stage = Stage::open().await;
    let id = stage.sent().await;
    let claimed = stage
        .shared
        .store
        .claim("report-finalize", "other", LEASE, 5);
    assert!(claimed.await.unwrap().is_some());
    let batch = json!({ "Records": [record(&json!("m1"), letter(&id.to_string(), "well"))] });
    let answer = stage.lambda(batch).await.unwrap();
    assert_eq!(
        answer["batchItemFailures"],
        json!([{ "itemIdentifier": "m1" }])
    );
    assert_eq!(stage.starts(), 0);
}

#[tokio::test]
async fn a_message_is_given_back_at_the_stop() {
    let stage = Stage::open().await;
    let id = stage.sent().await;
    let hanging = Desk::of_handler(boxed(Hanging(stage.shared.stop.clone())), &stage.shared);
    let message = json!({ "kind": "EvidenceComplete", "id": id.to_string(), "body": {} });
    let context = lambda_runtime::Context::default();
    let failed = invoke(&hanging, message, &context)
        .await
        .map_err(Diagnostic::from);
    assert_eq!(failed.unwrap_err().error_type, "Compliance.Retry");
    let next = stage.shared.store.claim("report-finalize", "b", LEASE, 1);
    let next = next.await.unwrap().expect("it waits for nobody");
    assert_eq!((next.attempt, next.strikes), (1, 0));
}

/// Begins, has the process stopped, and never ends.
struct Hanging(CancellationToken);

impl Handler for Hanging {
    const NAME: &'static str = "report-finalize";
    const TIMEOUT: Duration = Duration::from_mins(5);
    type Input = Anything;
    type Output = ();
    type Error = Error;

    async fn handle(&self, _: &Event, _: Anything) -> Result<(), Error> {
        self.0.cancel();
        std::future::pending().await
    }
}

#[tokio::test]
async fn schedules_and_empty_calls_are_ticks() {
    let stage = Stage::open().await;
    let rule = json!({ "version": "0", "id": "e", "detail-type": "Scheduled Event",
        "source": "aws.events", "time": "2026-11-22T10:00:00Z", "resources": ["arn:rule"],
        "detail": {} });
    stage.lambda(rule).await.unwrap();
    assert_eq!(stage.last().id, "arn:rule@2026-11-22T10:00:00Z");
    for ours in [json!({}), Value::Null, json!({ "kind": "Tick" })] {
        let answer = stage.lambda(ours).await.unwrap();
        assert_eq!(answer["statusCode"], 200);
        assert_eq!(
            stage.last().id,
            "request-1",
            "a repeated call is the same tick"
        );
        assert!(matches!(stage.last().source, Source::Tick));
    }
}

#[tokio::test]
async fn direct_calls_are_messages_or_nothing() {
    let stage = Stage::open().await;
    let call = |what: &str| json!({ "kind": "EvidenceComplete", "body": { "do": what } });
    assert_eq!(stage.lambda(call("well")).await.unwrap()["statusCode"], 200);
    let event = stage.last();
    let Source::Message { kind } = &event.source else {
        panic!("no message: {event:?}");
    };
    assert_eq!(
        (kind.as_str(), event.id.as_str()),
        ("EvidenceComplete", "request-1")
    );
    assert_eq!(
        stage.lambda(call("never")).await.unwrap()["statusCode"],
        400
    );
    let busy = stage.lambda(call("busy")).await.unwrap_err();
    assert_eq!(busy.error_type, "Compliance.Retry");
    assert!(!busy.error_message.contains("secret"), "{busy:?}");
    let broke = stage.lambda(call("panic")).await.unwrap_err();
    assert_eq!(broke.error_type, "Compliance.BrokeOff");
    for odd in [
        json!({ "video": 1 }),
        json!([1]),
        json!("text"),
        json!({ "Records": [] }),
    ] {
        let answer = stage.lambda(odd.clone()).await.unwrap();
        assert_eq!(answer["statusCode"], 400, "{odd}");
    }
    let cut = json!({ "Records": [{ "eventSource": "aws:sqs", "body": 1 }] });
    let failed = stage.lambda(cut).await.unwrap_err();
    assert_eq!(failed.error_type, "Compliance.Unreadable");
}

#[tokio::test]
async fn the_loop_acknowledges_only_when_asked() {
    let stage = Stage::open().await;
    let line = b"{\"value\":{}}\n";
    let silent = stage.looped(Manners::default(), line).await;
    assert_eq!(silent.len(), 1);
    let asked = Manners {
        acknowledges: true,
        marks_the_end: false,
    };
    let spoken = stage.looped(asked, line).await;
    assert_eq!((spoken.len(), spoken[0].as_str()), (2, "{\"ok\":true}"));
}

#[tokio::test]
async fn every_line_is_answered_with_one_object() {
    let stage = Stage::open().await;
    let long = json!({ "value": { "http": { "method": "POST", "path": "",
        "headers": { "content-type": "text/plain" }, "body": "x".repeat(3 << 20) } } });
    let lines = format!("\nno json\n[]\n{long}\n{}", json!({ "value": {} }));
    let said = stage.looped(Manners::default(), lines.as_bytes()).await;
    assert_eq!(said.len(), 5, "the last line needs no end");
    let said: Vec<Value> = said
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(said.iter().all(Value::is_object), "{said:?}");
    for bad in &said[..3] {
        assert!(bad["error"].is_string(), "{bad}");
    }
    assert_eq!(
        (&said[3]["statusCode"], &said[4]["statusCode"]),
        (&json!(413), &json!(200))
    );
}

#[tokio::test]
async fn both_dialects_bring_the_same_request() {
    let stage = Stage::open().await;
    let body = "{\"n\": 1,  \"text\":\"привет\"}";
    let headers = json!({ "content-type": "application/json", "webhook-id": "msg_1" });
    let calls = [
        json!({ "http": { "method": "POST", "path": "/x/parts", "queryString": "a=1", "headers": headers,
                          "body": body, "isBase64Encoded": false } }),
        json!({ "http": { "method": "POST", "path": "/x/parts", "queryString": "a=1", "headers": headers,
                          "body": STANDARD.encode(body), "isBase64Encoded": true } }),
        json!({ "__ow_method": "post", "__ow_path": "/x/parts", "__ow_query": "a=1",
                "__ow_headers": headers, "__ow_body": STANDARD.encode(body) }),
        json!({ "__ow_method": "post", "__ow_path": "/x/parts", "__ow_query": "a=1",
                "__ow_headers": headers, "__ow_body": body, "__ow_isBase64Encoded": false }),
        json!({ "__ow_method": "post", "__ow_path": "/x/parts", "__ow_query": "a=1",
                "__ow_headers": headers, "__ow_body": body }),
    ];
    for call in calls {
        let answer = stage.call(&call).await;
        assert_eq!(answer["body"]["got"]["n"], 1, "{call}: {answer}");
        let event = stage.last();
        let expected = ("POST".to_owned(), "/x/parts".to_owned(), "a=1".to_owned());
        assert_eq!(path_of(&event), expected, "{call}");
        assert_eq!(
            (event.id.as_str(), &event.body[..]),
            ("msg_1", body.as_bytes()),
            "{call}"
        );
    }
}

#[tokio::test]
async fn a_web_call_is_never_taken_for_a_message_of_ours() {
    let stage = Stage::open().await;
    let ours = json!({ "kind": "EvidenceComplete", "id": "x", "body": {} });
    for mark in [
        json!({ "http": "text" }),
        json!({ "http": {} }),
        json!({ "__ow_path": "" }),
        json!({ "http": { "method": "" } }),
    ] {
        let mut call = ours.clone();
        call.as_object_mut()
            .unwrap()
            .extend(mark.as_object().unwrap().clone());
        assert_eq!(stage.call(&call).await["statusCode"], 400, "{call}");
    }
    let bad = json!({ "http": { "method": "POST", "body": "!", "isBase64Encoded": true } });
    assert_eq!(stage.call(&bad).await["statusCode"], 400);
    assert_eq!(stage.starts(), 0);
}

#[tokio::test]
async fn answers_of_the_loop_fit_web_actions() {
    let stage = Stage::open().await;
    let want = |what: &str| json!({ "http": { "method": "GET", "path": "", "headers": { "want": what } } });
    let binary = stage.call(&want("binary")).await;
    assert_eq!(binary["body"], STANDARD.encode([0, 255]));
    let cookies = stage.call(&want("cookies")).await;
    assert_eq!(cookies["headers"]["set-cookie"], json!(["a=1", "b=2"]));
    let nothing = stage.call(&want("nothing")).await;
    assert_eq!(
        (&nothing["statusCode"], &nothing["body"]),
        (&json!(204), &json!(""))
    );
    let body = json!({ "do": "panic" }).to_string();
    let panic = json!({ "http": { "method": "POST", "path": "", "body": body } });
    assert_eq!(stage.call(&panic).await["statusCode"], 503);
}

#[tokio::test]
async fn calls_that_are_no_requests_end_as_the_platform_counts() {
    let stage = Stage::open().await;
    assert_eq!(stage.call(&json!({})).await["statusCode"], 200);
    assert_eq!(stage.last().id, "activation-1");
    let call =
        |what: &str| json!({ "kind": "EvidenceComplete", "id": "x", "body": { "do": what } });
    for what in ["busy", "panic"] {
        let said = stage.call(&call(what)).await;
        assert!(said["error"].is_string(), "{what}: {said}");
        assert!(!said.to_string().contains("secret"), "{said}");
    }
    assert_eq!(stage.call(&call("never")).await["statusCode"], 400);
    assert_eq!(stage.letters().await.len(), 1);
}

#[tokio::test]
async fn the_loop_reads_deadlines_as_numbers_and_as_text() {
    let stage = Stage::open().await;
    let at = || stage.epoch_ms(Duration::from_millis(700));
    let hang = json!({ "http": { "method": "POST", "path": "", "body": "{\"do\":\"hang\"}" } });
    for text in [false, true] {
        let deadline = if text {
            json!(at().to_string())
        } else {
            json!(at())
        };
        let line = json!({ "value": hang, "deadline": deadline, "api_key": "k" });
        let said = stage
            .looped(Manners::default(), line.to_string().as_bytes())
            .await;
        assert!(said[0].contains("\"statusCode\":503"), "{said:?}");
    }
}

#[tokio::test]
async fn a_panic_outside_every_handler_is_an_error() {
    let stage = Stage::open().await;
    let broken = axum::Router::new().fallback(async || -> &'static str { panic!("no luck") });
    let desk = Desk::of_router(broken, &stage.shared);
    let (answers, answered) = tokio::io::duplex(1 << 16);
    let call = json!({ "value": { "http": { "method": "GET", "path": "/" } } });
    let line = format!("{call}\n");
    converse(&desk, Manners::default(), line.as_bytes(), answers)
        .await
        .unwrap();
    let said = BufReader::new(answered).lines().next_line().await.unwrap();
    assert_eq!(said.unwrap(), "{\"error\":\"the call broke off\"}");
}

fn settings(names: &[&str]) -> Settings {
    names
        .iter()
        .map(|name| ((*name).to_owned(), "1".to_owned()))
        .collect()
}

#[test]
fn the_first_sign_of_a_platform_counts() {
    let auto = |names: &[&str], pipe: bool| Wish::Auto.host(&settings(names), || pipe);
    let (lambda, proxy) = ("AWS_LAMBDA_RUNTIME_API", "__OW_PROXY_VERSION");
    assert_eq!(auto(&[lambda, proxy, "PORT"], true), Host::Lambda);
    assert_eq!(auto(&[proxy, "PORT"], true), Host::ActionLoop);
    assert_eq!(auto(&[proxy, "PORT"], false), Host::Http);
    assert_eq!(auto(&["PORT"], true), Host::Http);
    assert_eq!(auto(&[], true), Host::Once);
    let said: Wish = "worker".parse().unwrap();
    assert_eq!(
        said.host(&settings(&[lambda, "PORT"]), || true),
        Host::Worker
    );
    for (name, host) in [
        ("lambda", Host::Lambda),
        ("actionloop", Host::ActionLoop),
        ("http", Host::Http),
        ("once", Host::Once),
    ] {
        assert_eq!(name.parse::<Wish>(), Ok(Wish::Host(host)));
    }
    assert!("Lambda".parse::<Wish>().unwrap_err().contains("actionloop"));
}

#[test]
fn what_lambdas_client_would_panic_over_is_said_at_once() {
    let problems = |pairs: &[(&str, &str)]| {
        let settings: Settings = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let reader = settings.reader();
        check_lambda(&reader);
        reader
            .finish()
            .err()
            .map_or_else(String::new, |error| error.to_string())
    };
    let text = problems(&[("AWS_LAMBDA_RUNTIME_API", "/no host")]);
    for name in [
        "RUNTIME_API",
        "FUNCTION_NAME",
        "FUNCTION_VERSION",
        "MEMORY_SIZE",
    ] {
        assert!(text.contains(name), "{name}: {text}");
    }
    for address in ["127.0.0.1:9001", "http://127.0.0.1:9000/.rt"] {
        let good = [
            ("AWS_LAMBDA_RUNTIME_API", address),
            ("AWS_LAMBDA_FUNCTION_NAME", "f"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ];
        assert_eq!(problems(&good), "");
    }
}

#[test]
fn the_end_is_marked_where_the_proxy_does_not() {
    let marks = |names: &[&str], marker| Manners::read(&settings(names), marker).marks_the_end;
    let (apache, forwards) = ("__OW_PROXY_VERSION", "LOG_DESTINATIONS");
    assert!(!marks(&[apache], EndMarker::Auto));
    assert!(marks(&[apache, "PATH"], EndMarker::Auto));
    assert!(marks(&[apache, forwards], EndMarker::Auto));
    assert!(!marks(&["PATH"], EndMarker::Auto));
    assert!(marks(&[apache], EndMarker::Always));
    assert!(!marks(&[apache, "PATH", forwards], EndMarker::Never));
    assert!(Manners::read(&settings(&["__OW_WAIT_FOR_ACK"]), EndMarker::Auto).acknowledges);
    assert!(!Manners::read(&settings(&[apache]), EndMarker::Auto).acknowledges);
    assert!("sometimes".parse::<EndMarker>().is_err());
}

#[test]
fn a_descriptor_that_can_only_be_read_is_no_result_pipe() {
    assert!(is_writable("pos:\t0\nflags:\t0100001\nmnt_id:\t15\n"));
    assert!(is_writable("flags:\t02\n"));
    assert!(!is_writable("pos:\t0\nflags:\t0100000\n"));
}

#[test]
fn log_lines_stay_below_what_the_proxy_reads() {
    use std::io::Write;
    let mut cut = CutLines(Vec::new());
    cut.write_all("x".repeat(100_000).as_bytes()).unwrap();
    cut.write_all(b"short\n").unwrap();
    let lines: Vec<&[u8]> = cut.0.split(|byte| *byte == b'\n').collect();
    assert!(lines[0].len() < 64 * 1024);
    assert_eq!(lines[1], b"short");
}
