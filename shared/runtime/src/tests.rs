mod hosts;
mod metrics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;
use shared_domain::Clock;
use shared_domain::{EvidenceComplete, ExecutionId, Lang};
use shared_queue::{LEASE, Queue};
use shared_testing::{ManualClock, TestDatabase, database};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::hosts::{Lane, doors, event_of, once, serve_http, settle, work};
use crate::telemetry::filter;
use crate::{
    Classify, Event, Handler, Problem, Source, Verdict, boxed, dispatch, env_file, hash_token,
    same_origin,
};

mod redis;
mod traces;

/// Behaves as its `mood` says, and counts its starts.
struct Moody {
    mood: Mood,
    starts: Arc<AtomicU32>,
    stop: CancellationToken,
}

#[derive(Clone, Copy)]
enum Mood {
    Well,
    Busy,
    Hopeless,
    Panicking,
    Slow,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the provider is busy")]
    Busy(#[source] std::io::Error),
    #[error("it can never work")]
    Hopeless,
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Busy(_) => Verdict::Retry {
                after: Some(Duration::from_millis(1)),
            },
            Self::Hopeless => Verdict::Reject,
        }
    }
}

impl Handler for Moody {
    const NAME: &'static str = "report-finalize";
    const TIMEOUT: Duration = Duration::from_millis(200);
    type Input = EvidenceComplete;
    type Output = ();
    type Error = Error;

    async fn handle(&self, _: &Event, _: EvidenceComplete) -> Result<(), Error> {
        let start = self.starts.fetch_add(1, Ordering::SeqCst) + 1;
        if start > shared_queue::MAX_STRIKES || !matches!(self.mood, Mood::Busy) {
            self.stop.cancel();
        }
        match self.mood {
            Mood::Well => Ok(()),
            Mood::Busy => Err(Error::Busy(std::io::Error::other("no connection"))),
            Mood::Hopeless => Err(Error::Hopeless),
            Mood::Panicking => panic!("out of luck"),
            Mood::Slow => std::future::pending().await,
        }
    }
}

fn moody(mood: Mood) -> (Moody, Arc<AtomicU32>, CancellationToken) {
    let (starts, stop) = (Arc::default(), CancellationToken::new());
    (
        Moody {
            mood,
            starts: Arc::clone(&starts),
            stop: stop.clone(),
        },
        starts,
        stop,
    )
}

fn event(body: &str) -> Event {
    Event {
        id: "e".into(),
        attempt: 1,
        lease: None,
        trace: None,
        source: Source::Message {
            kind: "EvidenceComplete".into(),
        },
        headers: HeaderMap::new(),
        body: Bytes::from(body.to_owned()),
    }
}

fn complete() -> String {
    r#"{"v":1,"execution_id":"018f0000-0000-7000-8000-000000000001"}"#.into()
}

async fn outcome(mood: Mood, body: &str) -> crate::Outcome {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    dispatch(boxed(moody(mood).0).as_ref(), &event(body), &queue).await
}

#[tokio::test]
async fn every_ending_has_its_verdict() {
    assert_eq!(
        outcome(Mood::Well, &complete()).await.verdict,
        Verdict::Done
    );
    let busy = outcome(Mood::Busy, &complete()).await;
    assert_eq!(
        busy.verdict,
        Verdict::Retry {
            after: Some(Duration::from_millis(1))
        }
    );
    assert_eq!(busy.error.unwrap(), "the provider is busy: no connection");
    assert_eq!(
        outcome(Mood::Hopeless, &complete()).await.verdict,
        Verdict::Reject
    );
    assert_eq!(
        outcome(Mood::Slow, &complete()).await.verdict,
        Verdict::RETRY
    );
    assert_eq!(outcome(Mood::Well, "{}").await.verdict, Verdict::Reject);
}

#[tokio::test]
async fn a_panic_is_a_retry_and_stays_inside() {
    let outcome = outcome(Mood::Panicking, &complete()).await;
    assert_eq!(outcome.verdict, Verdict::RETRY);
    assert_eq!(outcome.error.unwrap(), "panicked: out of luck");
    let told = String::from_utf8(outcome.response.body.to_vec()).unwrap();
    assert!(!told.contains("out of luck"));
}

/// Sends one message, works until the handler says stop, answers the queue.
async fn worked(mood: Mood) -> (u32, Queue, TestDatabase) {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    let mut tx = queue.store().transaction().await.unwrap();
    tx.send(&EvidenceComplete::new(queue.store().fresh::<ExecutionId>()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (handler, starts, stop) = moody(mood);
    work(
        vec![Lane {
            handler: boxed(handler),
            // Another reader might claim the message in the moment of the stop.
            concurrency: 1,
        }],
        queue.clone(),
        stop,
    )
    .await;
    (starts.load(Ordering::SeqCst), queue, database)
}

#[tokio::test]
async fn a_message_that_succeeds_is_gone() {
    let (starts, queue, _database) = worked(Mood::Well).await;
    assert_eq!(starts, 1);
    assert!(queue.store().dead_letters(10).await.unwrap().is_empty());
    assert!(
        queue
            .store()
            .next_due("report-finalize")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_hopeless_message_is_a_dead_letter_at_once() {
    let (starts, queue, _database) = worked(Mood::Hopeless).await;
    let letters = queue.store().dead_letters(10).await.unwrap();
    assert_eq!((starts, letters.len()), (1, 1));
    assert_eq!(letters[0].error, "it can never work");
}

#[tokio::test]
async fn a_busy_message_is_not_given_up() {
    let (starts, queue, _database) = worked(Mood::Busy).await;
    assert_eq!(starts, shared_queue::MAX_STRIKES + 1);
    assert!(queue.store().dead_letters(10).await.unwrap().is_empty());
    let again = queue.store().claim("report-finalize", "a", LEASE, 1);
    let again = again.await.unwrap().unwrap();
    assert_eq!(
        (again.attempt, again.strikes),
        (starts, 0),
        "the start that ended after the stop is not counted"
    );
}

/// Starts a message again and again, as workers do; answers the starts until it is given up.
async fn starts_until_given_up(mood: Mood) -> (u32, time::Duration) {
    let (database, clock) = (database().await, ManualClock::default());
    let store = database.store().await.with_clock(Arc::new(clock.clone()));
    let (queue, sent) = (Queue::new(store), clock.now());
    let mut tx = queue.store().transaction().await.unwrap();
    tx.send(&EvidenceComplete::new(queue.store().fresh::<ExecutionId>()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (handler, starts, _) = moody(mood);
    let handler = boxed(handler);
    while queue.store().dead_letters(1).await.unwrap().is_empty() {
        let claim = queue.store().claim("report-finalize", "a", LEASE, 99);
        if let Some(claimed) = claim.await.unwrap() {
            let outcome = dispatch(handler.as_ref(), &event_of(&claimed), &queue).await;
            settle(handler.name(), &claimed, &outcome, &queue)
                .await
                .unwrap();
        }
        clock.advance(Duration::from_mins(15));
    }
    (starts.load(Ordering::SeqCst), clock.now() - sent)
}

#[tokio::test]
async fn what_panics_is_given_up_after_five_starts_and_what_is_busy_after_a_day() {
    let (starts, _) = starts_until_given_up(Mood::Panicking).await;
    assert_eq!(starts, shared_queue::MAX_STRIKES);
    let (starts, age) = starts_until_given_up(Mood::Busy).await;
    assert!(starts > 90, "{starts}");
    assert!(age > shared_queue::PATIENCE, "{age}");
}

/// Never ends by itself; tells when it began and when it was dropped.
struct Endless(Arc<Notify>, Arc<Notify>);

struct Dropped(Arc<Notify>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Handler for Endless {
    const NAME: &'static str = "report-finalize";
    const TIMEOUT: Duration = Duration::from_mins(5);
    type Input = EvidenceComplete;
    type Output = ();
    type Error = Error;

    async fn handle(&self, _: &Event, _: EvidenceComplete) -> Result<(), Error> {
        let _dropped = Dropped(self.1.clone());
        self.0.notify_one();
        std::future::pending().await
    }
}

struct Stage {
    queue: Queue,
    stop: CancellationToken,
    began: Arc<Notify>,
    dropped: Arc<Notify>,
    working: JoinSet<()>,
    _database: TestDatabase,
}

/// A worker with short leases that is at work on something endless.
async fn at_work() -> Stage {
    let database = database().await;
    let queue = Queue::new(database.store().await).with_lease(Duration::from_millis(600));
    let mut tx = queue.store().transaction().await.unwrap();
    tx.send(&EvidenceComplete::new(queue.store().fresh::<ExecutionId>()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (began, dropped, stop) = (Arc::default(), Arc::default(), CancellationToken::new());
    let lane = Lane {
        handler: boxed(Endless(Arc::clone(&began), Arc::clone(&dropped))),
        concurrency: 1,
    };
    let mut working = JoinSet::new();
    working.spawn(work(vec![lane], queue.clone(), stop.clone()));
    let stage = Stage {
        queue,
        stop,
        began,
        dropped,
        working,
        _database: database,
    };
    stage.began.notified().await;
    stage
}

#[tokio::test]
async fn unfinished_work_is_given_back_at_the_stop() {
    let stage = at_work().await;
    stage.stop.cancel();
    stage.working.join_all().await;
    let next = stage.queue.store().claim("report-finalize", "b", LEASE, 1);
    let next = next.await.unwrap().expect("it waits for nobody");
    assert_eq!((next.attempt, next.strikes), (1, 0));
}

#[tokio::test]
async fn work_whose_lease_was_lost_is_dropped() {
    let stage = at_work().await;
    // By another process's clock the lease is over.
    let clock = ManualClock::at(stage.queue.store().now() + Duration::from_hours(1));
    let other = stage.queue.store().clone().with_clock(Arc::new(clock));
    let taken = other.claim("report-finalize", "b", LEASE, 5).await.unwrap();
    let taken = taken.expect("its lease is over");
    stage.dropped.notified().await;
    stage.stop.cancel();
    stage.working.join_all().await;
    let held = other.renew(taken.event_id, taken.epoch, LEASE).await;
    assert!(held.unwrap(), "the late worker changed nothing");
}

#[tokio::test]
async fn an_endless_answer_does_not_hold_the_stop_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (began, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let in_handler = Arc::clone(&began);
    let endless = axum::routing::get(move || async move {
        in_handler.notify_one();
        std::future::pending::<()>().await;
    });
    let router = axum::Router::new().route("/", endless);
    let serving = serve_http(listener, router, Duration::from_millis(50), stop.clone());
    let calling = async {
        let mut call = tokio::net::TcpStream::connect(address).await.unwrap();
        call.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        began.notified().await;
        stop.cancel();
        call
    };
    let (served, _open) = tokio::join!(serving, calling);
    served.unwrap();
}

#[tokio::test]
async fn a_door_answers_problems_and_takes_no_large_body() {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    let router = doors(&[boxed(moody(Mood::Well).0)], &queue);
    let request = |body: Vec<u8>| {
        let path = "/functions/report-finalize";
        http::Request::post(path)
            .header("accept-language", "ru")
            .body(axum::body::Body::from(body))
            .unwrap()
    };
    let large = router
        .clone()
        .oneshot(request(vec![b'x'; 2 << 20]))
        .await
        .unwrap();
    assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    // A request is no message: this handler reads messages only.
    let foreign = router
        .oneshot(request(complete().into_bytes()))
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        foreign.headers()["content-type"],
        "application/problem+json"
    );
    let body = axum::body::to_bytes(foreign.into_body(), 10_000)
        .await
        .unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("Запрос не читается")
    );
}

#[tokio::test]
async fn one_shot_runs_a_message_from_its_input() {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    let handler = boxed(moody(Mood::Well).0);
    let input = format!(
        r#"{{"kind":"EvidenceComplete","id":"x","body":{}}}"#,
        complete()
    );
    let ran = once(handler.as_ref(), &input, &queue).await.unwrap();
    assert_eq!(ran.verdict, Verdict::Done);
    assert!(once(handler.as_ref(), "{", &queue).await.is_err());
}

fn request(headers: &[(&'static str, &str)]) -> Event {
    let mut event = event("");
    event.source = Source::Request {
        method: Method::POST,
        path: String::new(),
        query: String::new(),
    };
    for (name, value) in headers {
        event
            .headers
            .insert(*name, HeaderValue::from_str(value).unwrap());
    }
    event
}

#[test]
fn changes_come_from_our_own_pages_or_from_programs() {
    let allowed = ["https://app.example".to_owned()];
    let host = ("host", "127.0.0.1:8000");
    assert!(same_origin(
        &request(&[host, ("origin", "http://127.0.0.1:8000")]),
        &allowed
    ));
    assert!(same_origin(
        &request(&[host, ("origin", "https://app.example")]),
        &allowed
    ));
    assert!(same_origin(
        &request(&[
            host,
            ("origin", "https://evil.example"),
            ("authorization", "Bearer t")
        ]),
        &allowed
    ));
    assert!(same_origin(&request(&[host]), &allowed));
    assert!(!same_origin(
        &request(&[host, ("origin", "https://evil.example")]),
        &allowed
    ));
    assert!(!same_origin(
        &request(&[host, ("origin", "null")]),
        &allowed
    ));
    assert!(!same_origin(
        &request(&[host, ("sec-fetch-site", "cross-site")]),
        &allowed
    ));
}

#[test]
fn problems_tell_when_to_come_back() {
    let problem = Problem::of_verdict(
        Verdict::Retry {
            after: Some(Duration::from_secs(7)),
        },
        Lang::En,
    );
    assert_eq!((problem.status, problem.retry_after), (503, Some(7)));
    assert_eq!(hash_token("a").len(), 64);
}

#[test]
fn a_broken_line_of_a_file_of_settings_is_told_without_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    assert!(env_file(&file).unwrap().find("DEBUG").is_none());
    std::fs::write(&file, "DEBUG=false\nNAME='two words'\n").unwrap();
    assert_eq!(env_file(&file).unwrap().find("NAME"), Some("two words"));
    std::fs::write(&file, "DEBUG=false\nSECRET_KEY canary\n").unwrap();
    let told = env_file(&file).unwrap_err();
    let told = format!("{told} {told:?}");
    assert!(told.contains("after DEBUG"), "{told}");
    assert!(!told.contains("canary"), "{told}");
}

#[test]
fn debugging_does_not_make_libraries_tell_secrets() {
    for quiet in ["info", "warn", "no filter=="] {
        assert!(!filter(quiet).to_string().contains("s3s"), "{quiet}");
    }
    for loud in ["debug", "TRACE", "warn,frame_extract=debug"] {
        let filter = filter(loud).to_string();
        assert!(filter.contains("s3s=info"), "{filter}");
        assert!(filter.contains("hyper=info"), "{filter}");
    }
    let asked = filter("debug,s3s=trace").to_string();
    assert!(
        asked.contains("s3s=trace") && !asked.contains("s3s=info"),
        "{asked}"
    );
}
