use shared_domain::{EvidenceComplete, Message, VideoUploaded};
use shared_store::DeadEvent;
use shared_testing::{TestDatabase, database};

use super::*;

const LEASE: Duration = Duration::from_secs(30);

async fn store() -> (Store, TestDatabase) {
    let database = database().await;
    (database.store().await, database)
}

async fn send(store: &Store) {
    let mut tx = store.transaction().await.unwrap();
    tx.send(&EvidenceComplete::new(store.fresh()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn bury(store: &Store, reason: &str) {
    send(store).await;
    let stream = EvidenceComplete::STREAM;
    let claimed = store.claim(stream, "a", LEASE, 5).await.unwrap().unwrap();
    let (id, epoch) = (claimed.event_id, claimed.epoch);
    store.bury(id, epoch, stream, reason).await.unwrap();
}

async fn told(store: &Store, command: Queue) -> Told {
    obey(store, &command).await.unwrap()
}

async fn one(store: &Store, id: Uuid) -> Told {
    let retry = Retry {
        id: Some(id),
        all: false,
    };
    told(store, Queue::Retry(retry)).await
}

async fn all(store: &Store) -> Told {
    let retry = Retry {
        id: None,
        all: true,
    };
    told(store, Queue::Retry(retry)).await
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[tokio::test]
async fn status_tells_of_every_function() {
    let (store, _database) = store().await;
    let mut tx = store.transaction().await.unwrap();
    let later = store.now() + Duration::from_hours(1);
    tx.send_later(&EvidenceComplete::new(store.fresh()), later)
        .await
        .unwrap();
    tx.send(&VideoUploaded::new(store.fresh())).await.unwrap();
    tx.commit().await.unwrap();
    bury(&store, "cannot be read").await;
    send(&store).await;
    store
        .claim(VideoUploaded::STREAM, "a", LEASE, 5)
        .await
        .unwrap()
        .unwrap();

    let table = told(&store, Queue::Status { json: false }).await.out;
    let lines: Vec<Vec<&str>> = table.lines().map(words).collect();
    assert_eq!(lines.len(), 6, "{table}");
    assert!(
        lines[1].starts_with(&["frame-extract", "0", "0", "1"]),
        "{table}"
    );
    assert_eq!(lines[2], ["on-upload", "0", "0", "0", "-", "0"], "{table}");
    let finalize = lines.iter().find(|line| line[0] == "report-finalize");
    let finalize = finalize.unwrap();
    assert_eq!(
        (&finalize[1..4], finalize[5]),
        (&["1", "1", "0"][..], "1"),
        "{table}"
    );
    let ends: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
    assert!(
        ends.windows(2).all(|pair| pair[0] == pair[1]),
        "aligned:\n{table}"
    );

    let json = told(&store, Queue::Status { json: true }).await.out;
    let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
    let finalize = rows.iter().find(|row| row["function"] == "report-finalize");
    let finalize = finalize.unwrap();
    assert_eq!(finalize["waiting"], 1);
    assert_eq!(finalize["due_later"], 1);
    assert_eq!(finalize["dead"], 1);
    assert!(finalize["oldest_age_seconds"].is_u64(), "{json}");
    assert!(rows[1]["oldest_age_seconds"].is_null(), "{json}");
}

#[tokio::test]
async fn what_was_given_up_is_listed_and_starts_again() {
    let (store, _database) = store().await;
    assert_eq!(
        told(&store, Queue::Dead { json: false }).await.out,
        "Nothing was given up."
    );
    let reason = format!("it broke\nbelow: {}", "x".repeat(300));
    bury(&store, &reason).await;
    let id = store.dead_letters(1).await.unwrap()[0].dead_letter_id;

    let table = told(&store, Queue::Dead { json: false }).await.out;
    let line = table.lines().nth(1).unwrap();
    for word in [
        &id.to_string(),
        "report-finalize",
        "EvidenceComplete",
        "it broke…",
    ] {
        assert!(line.contains(word), "{word}: {table}");
    }
    assert_eq!(table.lines().count(), 2, "{table}");
    let json = told(&store, Queue::Dead { json: true }).await.out;
    let rows: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(rows[0]["reason"], reason);
    assert_eq!(rows[0]["id"], json!(id));

    let retried = one(&store, id).await;
    assert_eq!(
        (retried.out.as_str(), retried.code),
        ("1 event starts again.", 0)
    );
    let stream = EvidenceComplete::STREAM;
    let again = store.claim(stream, "a", LEASE, 5).await.unwrap().unwrap();
    assert_eq!(again.attempt, 1);
    assert_eq!(store.dead_letters(1).await.unwrap(), []);
}

#[tokio::test]
async fn an_unknown_entry_is_told_in_a_sentence() {
    let (store, _database) = store().await;
    let id: Uuid = store.fresh();
    let told = one(&store, id).await;
    assert_eq!((told.out.as_str(), told.code), ("", 1));
    assert!(told.complaints[0].contains(&id.to_string()), "{told:?}");
    assert!(told.complaints[0].contains("queue dead"), "{told:?}");
}

#[tokio::test]
async fn all_leaves_out_what_only_its_sender_can_repeat() {
    let (store, _database) = store().await;
    assert_eq!(all(&store).await.out, "Nothing was given up.");
    for _ in 0..3 {
        bury(&store, "the provider is gone").await;
    }
    let event = DeadEvent {
        handler: "on-upload",
        event_id: "bucket/key/1",
        kind: "object-created",
        body: "{}",
        error: "cannot be read",
    };
    store.bury_event(event).await.unwrap();
    let told = all(&store).await;
    assert_eq!((told.out.as_str(), told.code), ("3 events start again.", 1));
    assert_eq!(told.complaints.len(), 1, "{told:?}");
    assert!(
        told.complaints[0].contains("bucket/key/1 came through a door"),
        "{told:?}"
    );
    assert_eq!(
        store.dead_letters(9).await.unwrap().len(),
        1,
        "it stays visible"
    );
}

#[test]
fn ages_are_short() {
    let shown = [45, 725, 12_000, 190_000].map(|seconds| age(Duration::from_secs(seconds)));
    assert_eq!(shown, ["45s", "12m 5s", "3h 20m", "2d 4h"]);
}
