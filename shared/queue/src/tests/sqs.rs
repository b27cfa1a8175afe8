//! Against SQS's protocol and rules.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared_domain::{
    Clock, EvidenceComplete, Message, Settings, SystemClock, UploadCompleted, VideoUploaded,
};
use shared_store::Store;
use shared_testing::{FakeSqs, ManualClock, QueueRules, SqsMishap, TestDatabase, database};

use super::{STREAM, send};
use crate::{Queue, SqsConfig, Transport};

struct Stage {
    store: Store,
    clock: ManualClock,
    sqs: FakeSqs,
    _database: TestDatabase,
}

impl Stage {
    async fn new() -> Self {
        let (database, clock) = (database().await, ManualClock::at(SystemClock.now()));
        let shared = Arc::new(clock.clone());
        Self {
            store: database.store().await.with_clock(shared.clone()),
            sqs: FakeSqs::start(shared, &[STREAM, VideoUploaded::STREAM])
                .await
                .unwrap(),
            clock,
            _database: database,
        }
    }

    fn queue(&self) -> Queue {
        self.queue_with(&[])
    }

    fn queue_with(&self, other: &[(&str, &str)]) -> Queue {
        let mut settings: Settings = self.sqs.environment().into_iter().collect();
        for (name, value) in other {
            settings.set(name, *value);
        }
        let reader = settings.reader();
        let config = SqsConfig::read(&reader).unwrap();
        reader.finish().unwrap();
        Queue::new(self.store.clone()).over_sqs(&config)
    }

    async fn send_many(&self, count: usize) {
        for _ in 0..count {
            send(&self.store).await;
        }
    }

    async fn send_later(&self, wait: Duration) {
        let message = EvidenceComplete::new(self.store.fresh());
        let mut tx = self.store.transaction().await.unwrap();
        let due = self.store.now() + wait;
        tx.send_later(&message, due).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn unsent(&self) -> usize {
        self.store.unsent(999).await.unwrap().len()
    }

    fn delays(&self) -> Vec<u64> {
        let bodies = self.sqs.bodies(STREAM).unwrap();
        bodies.iter().map(|(_, delay)| delay.as_secs()).collect()
    }
}

#[tokio::test]
async fn each_row_is_sent_once_to_the_queue_of_its_function_and_carries_its_name_only() {
    let stage = Stage::new().await;
    let queue = stage.queue();
    let id = send(&stage.store).await;
    stage.send_many(22).await;
    let mut tx = stage.store.transaction().await.unwrap();
    let video = VideoUploaded::new(stage.store.fresh());
    let other = tx.send(&video).await.unwrap();
    tx.commit().await.unwrap();
    queue.relay().await;
    queue.relay().await;
    let mut batches = stage.sqs.batches();
    batches.sort_unstable();
    assert_eq!(batches, [1, 3, 10, 10], "and nothing twice");
    assert_eq!(stage.unsent().await, 0);
    let bodies = stage.sqs.bodies(STREAM).unwrap();
    let told = json!({ "kind": "EvidenceComplete", "id": id, "trace": null });
    assert_eq!((bodies.len(), &bodies[0].0), (23, &told));
    let bodies = stage.sqs.bodies(VideoUploaded::STREAM).unwrap();
    assert_eq!(bodies[0].0["id"], json!(other));
    assert_eq!(queue.transport().await, Transport::Sqs);
}

#[tokio::test]
async fn what_is_due_later_is_kept_back_and_for_longer_it_waits_in_the_table() {
    let stage = Stage::new().await;
    let queue = stage.queue();
    for wait in [
        Duration::ZERO,
        Duration::from_millis(4500),
        Duration::from_mins(15),
    ] {
        stage.send_later(wait).await;
    }
    stage.send_later(Duration::from_mins(20)).await;
    queue.relay().await;
    let mut delays = stage.delays();
    delays.sort_unstable();
    assert_eq!(
        (delays.as_slice(), stage.unsent().await),
        (&[0, 5, 900][..], 1)
    );
    assert_eq!(stage.sqs.batches(), [3], "nothing that would be refused");
    stage.clock.advance(Duration::from_mins(6));
    queue.relay().await;
    assert_eq!(stage.delays().last(), Some(&(14 * 60)));
    assert_eq!(stage.unsent().await, 0);
}

#[tokio::test]
async fn messages_that_were_not_taken_are_sent_again_and_no_others() {
    let stage = Stage::new().await;
    let queue = stage.queue();
    stage.send_many(7).await;
    stage.sqs.expect_mishaps([SqsMishap::SomeFail(3)]);
    queue.relay().await;
    assert_eq!((stage.unsent().await, stage.sqs.batches()), (3, vec![7]));
    queue.relay().await;
    assert_eq!((stage.unsent().await, stage.sqs.batches()), (0, vec![7, 3]));
    let bodies = stage.sqs.bodies(STREAM).unwrap();
    let mut ids: Vec<String> = bodies.iter().map(|(b, _)| b["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 7);
    stage.send_many(1).await;
    let all = [SqsMishap::Throttled; 2];
    stage.sqs.expect_mishaps(all);
    queue.relay().await;
    assert_eq!(stage.unsent().await, 1, "left for the next relay");
    queue.relay().await;
    assert_eq!(stage.unsent().await, 0);
}

#[tokio::test]
async fn what_cannot_be_sent_stays_in_the_table_and_holds_nobody_else_up() {
    let stage = Stage::new().await;
    stage.send_many(2).await;
    let mut tx = stage.store.transaction().await.unwrap();
    // No queue was made for this function, which comes first.
    let paused = UploadCompleted::new(stage.store.fresh());
    tx.send(&paused).await.unwrap();
    tx.commit().await.unwrap();
    let wrong = [("AWS_SECRET_ACCESS_KEY", "another-canary")];
    stage.queue_with(&wrong).relay().await;
    let wrong = [("AWS_SESSION_TOKEN", "another-canary")];
    stage.queue_with(&wrong).relay().await;
    assert_eq!(stage.unsent().await, 3);
    stage.queue().relay().await;
    let unsent = stage.store.unsent(9).await.unwrap();
    let left: Vec<&str> = unsent.iter().map(|row| row.stream.as_str()).collect();
    assert_eq!(left, [UploadCompleted::STREAM]);
    let away = [("SQS_QUEUE_URL_PREFIX", "http://127.0.0.1:9/1/world-")];
    stage.queue_with(&away).relay().await;
    assert_eq!(stage.unsent().await, 1);
}

#[tokio::test]
async fn a_message_that_nobody_finishes_is_handed_out_again_and_at_last_given_up() {
    let stage = Stage::new().await;
    let queue = stage.queue();
    let visibility = Duration::from_secs(90);
    let rules = QueueRules {
        visibility,
        max_receives: 2,
    };
    stage.sqs.set_rules(STREAM, rules).unwrap();
    stage.send_many(2).await;
    queue.relay().await;
    let first = stage.sqs.receive(STREAM).unwrap().unwrap();
    assert_eq!(stage.sqs.receive(STREAM).unwrap(), None, "they are hidden");
    let failed = &first["Records"][0]["messageId"];
    let answer = json!({ "batchItemFailures": [{ "itemIdentifier": failed }] });
    let answer: Result<Value, ()> = Ok(answer);
    stage.sqs.settle(STREAM, &first, &answer).unwrap();
    stage.clock.advance(visibility);
    let again = stage.sqs.receive(STREAM).unwrap().unwrap();
    let records = again["Records"].as_array().unwrap();
    assert_eq!((records.len(), &records[0]["messageId"]), (1, failed));
    stage.clock.advance(visibility);
    assert_eq!(stage.sqs.receive(STREAM).unwrap(), None);
    assert_eq!(stage.sqs.dead(), 1);
}
