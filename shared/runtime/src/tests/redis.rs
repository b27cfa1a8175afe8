//! The second transport, from the settings to the worker.

use std::time::{Duration, Instant};

use shared_domain::{EvidenceComplete, ExecutionId, Settings};
use shared_queue::Transport;
use shared_testing::{TestDatabase, database, redis, redis_with_password};

use super::{Mood, moody};
use crate::hosts::{Lane, work};
use crate::{ConnectError, Shared, boxed, causes};

async fn connect(database: &TestDatabase, more: &[(&str, &str)]) -> Result<Shared, ConnectError> {
    let pairs = [("DATABASE_URL", database.url.as_str())];
    let pairs = pairs.iter().chain(more);
    let settings: Settings = pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Shared::connect(settings).await
}

#[tokio::test]
async fn redis_is_the_transport_when_it_is_set() {
    let (database, server) = (database().await, redis());
    let without = connect(&database, &[]).await.unwrap();
    assert_eq!(without.queue.transport().await, Transport::Embedded);
    let with = connect(&database, &[("REDIS_URL", &server.url())])
        .await
        .unwrap();
    assert_eq!(with.queue.transport().await, Transport::Redis);
}

#[tokio::test]
async fn every_wrong_setting_is_told_at_once() {
    let database = database().await;
    let wrong = [
        ("REDIS_URL", "http://:canary@h"),
        ("DATABASE_MAX_CONNECTIONS", "many"),
    ];
    let told = connect(&database, &wrong).await.unwrap_err().to_string();
    assert!(
        told.contains("REDIS_URL") && told.contains("DATABASE_MAX_CONNECTIONS"),
        "{told}"
    );
    assert!(!told.contains("canary"), "{told}");
}

#[tokio::test]
async fn a_wrong_password_keeps_from_starting_and_an_absent_server_does_not() {
    let (database, mut server) = (database().await, redis_with_password("right-canary"));
    let url = format!("redis://:wrong-canary@{}/0", server.place());
    let refused = connect(&database, &[("REDIS_URL", &url)])
        .await
        .unwrap_err();
    let told = causes(&refused);
    assert!(
        told.contains("refuses the user name, the password"),
        "{told}"
    );
    assert!(!told.contains("canary"), "{told}");
    server.kill().unwrap();
    let shared = connect(&database, &[("REDIS_URL", &url)]).await.unwrap();
    assert!(!shared.queue.transport().await.is_well());
}

/// Sends one message, which is worked on once and stops the worker; answers how long that took.
async fn worked(shared: &Shared) -> Duration {
    let mut tx = shared.store.transaction().await.unwrap();
    let message = EvidenceComplete::new(shared.store.fresh::<ExecutionId>());
    tx.send(&message).await.unwrap();
    tx.commit().await.unwrap();
    let (handler, _, stop) = moody(Mood::Well);
    let lanes = vec![Lane {
        handler: boxed(handler),
        concurrency: 2,
    }];
    let begun = Instant::now();
    work(lanes, shared.queue.clone(), stop).await;
    begun.elapsed()
}

#[tokio::test]
async fn a_worker_over_redis_ends_its_event_and_leaves_nothing() {
    let (database, server) = (database().await, redis());
    let shared = connect(&database, &[("REDIS_URL", &server.url())])
        .await
        .unwrap();
    let took = worked(&shared).await;
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(
        shared.store.next_due("report-finalize").await.unwrap(),
        None
    );
    let key = "compliance:stream:report-finalize";
    assert_eq!(
        server.ask(&["XINFO", "CONSUMERS", key, "workers"]).unwrap(),
        ""
    );
}

#[tokio::test]
async fn a_worker_goes_on_while_redis_swallows_packets() {
    let (database, server) = (database().await, redis());
    let shared = connect(&database, &[("REDIS_URL", &server.url())])
        .await
        .unwrap();
    server.pause().unwrap();
    let took = worked(&shared).await;
    assert!(took < Duration::from_secs(15), "{took:?}");
    assert_eq!(
        shared.store.next_due("report-finalize").await.unwrap(),
        None
    );
    server.go_on().unwrap();
}
