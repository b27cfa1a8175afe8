//! Where the outbox is relayed into SQS, it says itself when an event comes again.

use std::sync::Arc;

use shared_domain::SystemClock;
use shared_queue::SqsConfig;
use shared_testing::FakeSqs;

use super::*;

/// Never has the time.
struct Busy;

impl Handler for Busy {
    const NAME: &'static str = "report-finalize";
    const TIMEOUT: Duration = Duration::from_secs(20);
    type Input = Anything;
    type Output = ();
    type Error = Later;

    async fn handle(&self, _: &Event, _: Anything) -> Result<(), Later> {
        Err(Later)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("in a minute")]
struct Later;

impl Classify for Later {
    fn verdict(&self) -> Verdict {
        let after = Some(Duration::from_mins(1));
        Verdict::Retry { after }
    }
}

async fn told(shared: &Shared, event: Value) -> Value {
    let desk = Desk::of_handler(boxed(Busy), shared);
    let context = lambda_runtime::Context::default();
    let answer = invoke(&desk, event, &context)
        .await
        .map_err(Diagnostic::from);
    answer.unwrap()["batchItemFailures"].clone()
}

#[tokio::test]
async fn a_retry_is_a_new_message_and_spends_the_old_one() {
    let stage = Stage::open().await;
    let sqs = FakeSqs::start(Arc::new(SystemClock), &[Busy::NAME]).await;
    let sqs = sqs.unwrap();
    let settings: Settings = sqs.environment().into_iter().collect();
    let reader = settings.reader();
    let config = SqsConfig::read(&reader).unwrap();
    reader.finish().unwrap();
    let queue = stage.shared.queue.clone().over_sqs(&config);
    let over_sqs = Shared {
        queue,
        ..stage.shared.clone()
    };
    let id = stage.sent().await;
    over_sqs.queue.relay().await;
    let event = sqs.receive(Busy::NAME).unwrap().unwrap();
    let failed = told(&over_sqs, event.clone()).await;
    assert_eq!(failed, json!([]), "it does not come back itself");
    let answer: Result<Value, ()> = Ok(json!({ "batchItemFailures": failed }));
    sqs.settle(Busy::NAME, &event, &answer).unwrap();
    let waiting = sqs.bodies(Busy::NAME).unwrap();
    let (body, delay) = &waiting[0];
    assert_eq!((waiting.len(), &body["id"]), (1, &json!(id)));
    // As the verdict says, less what was needed to write it down.
    assert!((50..=60).contains(&delay.as_secs()), "{delay:?}");
    assert_eq!(stage.shared.store.unsent(9).await.unwrap(), []);

    // Somebody else feeds the queue: the message itself has to come again.
    let id = stage.sent().await.to_string();
    let event = json!({ "Records": [record(&json!("m1"), letter(&id, "well"))] });
    let failed = told(&stage.shared, event).await;
    assert_eq!(failed, json!([{ "itemIdentifier": "m1" }]));
}
