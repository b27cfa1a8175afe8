use std::time::Duration;

use shared_domain::{EvidenceComplete, ExecutionId, Message, OutboxId};
use shared_store::Store;
use shared_testing::database;
use tokio_util::sync::CancellationToken;

use crate::{LEASE, Queue, backoff};

mod redis;
mod settings;
mod sqs;

const STREAM: &str = EvidenceComplete::STREAM;

async fn send(store: &Store) -> OutboxId {
    let mut tx = store.transaction().await.unwrap();
    let id = tx
        .send(&EvidenceComplete::new(store.fresh::<ExecutionId>()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    id
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_the_relay() {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    let stop = CancellationToken::new();
    let reading = queue.next(STREAM, &stop);
    let sending = async {
        let id = send(queue.store()).await;
        queue.relay().await;
        id
    };
    let (claimed, sent) = tokio::join!(reading, sending);
    assert_eq!(claimed.unwrap().event_id, sent);
}

#[tokio::test]
async fn a_row_that_nobody_relayed_is_found() {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    let id = send(queue.store()).await;
    let claimed = queue.next(STREAM, &CancellationToken::new()).await.unwrap();
    assert_eq!((claimed.event_id, claimed.attempt), (id, 1));
}

#[tokio::test]
async fn nothing_is_claimed_after_the_stop() {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    send(queue.store()).await;
    let stop = CancellationToken::new();
    stop.cancel();
    assert!(queue.next(STREAM, &stop).await.is_none());
}

#[test]
fn waits_double_and_end_at_five_minutes() {
    let id: OutboxId = "018f0000-0000-7000-8000-0000000000ff".parse().unwrap();
    let waits: Vec<Duration> = (1..=20).map(|attempt| backoff(attempt, id)).collect();
    assert!(waits.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(waits[0] >= Duration::from_millis(500) && waits[0] <= Duration::from_secs(1));
    assert!(waits[19] <= Duration::from_mins(5));
}

#[tokio::test]
async fn the_deaths_of_an_embedded_process_weigh_less() {
    let database = database().await;
    let queue = Queue::new(database.store().await);
    let enough = if queue.store().is_embedded() { 15 } else { 5 };
    send(queue.store()).await;
    for _ in 0..enough {
        assert!(
            queue
                .next(STREAM, &CancellationToken::new())
                .await
                .is_some()
        );
        queue.store().give_back_all().await.unwrap();
    }
    assert!(queue.store().dead_letters(1).await.unwrap().is_empty());
    let claimed = queue.store().claim(STREAM, "a", LEASE, queue.deaths());
    assert_eq!(claimed.await.unwrap(), None, "it cannot loop for ever");
    assert_eq!(queue.store().dead_letters(9).await.unwrap().len(), 1);
}
