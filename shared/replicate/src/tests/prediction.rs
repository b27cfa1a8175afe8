use serde_json::{Value, json};

use crate::{Outcome, Prediction, Status};

fn read(mut extra: Value) -> Prediction {
    extra["id"] = "p1".into();
    Prediction::parse(extra).unwrap()
}

#[test]
fn documented_payload_is_read() {
    let raw = serde_json::from_str(include_str!("../../fixtures/webhook.json")).unwrap();
    let prediction = Prediction::parse(raw).unwrap();
    assert_eq!(prediction.status, Status::Succeeded);
    assert_eq!(prediction.outcome(), Outcome::Output(&json!("normal")));
    assert_eq!(prediction.predict_time().unwrap().as_micros(), 565_678);
    assert_eq!(prediction.model, "falcons-ai/nsfw_image_detection");
    assert!(prediction.created_at < prediction.completed_at);
}

#[test]
fn two_fields_are_enough() {
    let prediction = read(json!({ "status": "starting" }));
    assert_eq!(prediction.outcome(), Outcome::Pending);
    assert!(Prediction::parse(json!({ "status": "starting" })).is_err());
    assert!(Prediction::parse(json!({ "id": "x" })).is_err());
    assert!(Prediction::parse(json!(["x"])).is_err());
}

#[test]
fn output_before_the_end_is_provisional() {
    let prediction = read(json!({ "status": "processing", "output": "nsfw" }));
    assert_eq!(prediction.outcome(), Outcome::Pending);
    assert_eq!(prediction.output, "nsfw");
}

#[test]
fn removed_data_is_lost_and_not_an_answer() {
    let gone = json!({ "status": "succeeded", "output": null, "data_removed": true });
    assert_eq!(read(gone).outcome(), Outcome::Lost);
    // Some models do answer with null: their adapters judge it.
    let null = json!({ "status": "succeeded", "output": null });
    assert_eq!(read(null).outcome(), Outcome::Output(&Value::Null));
}

#[test]
fn aborted_is_terminal_and_unknown_words_are_not() {
    assert_eq!(
        read(json!({ "status": "aborted" })).outcome(),
        Outcome::Stopped
    );
    assert_eq!(
        read(json!({ "status": "canceled" })).outcome(),
        Outcome::Stopped
    );
    let odd = read(json!({ "status": "queued" }));
    assert_eq!(odd.status, Status::Unknown("queued".into()));
    assert_eq!(
        (odd.outcome(), odd.status.as_str()),
        (Outcome::Pending, "queued")
    );
}

#[test]
fn failures_of_the_platform_may_be_tried_again() {
    let failed = |error: Value| {
        let prediction = read(json!({ "status": "failed", "error": error }));
        match prediction.outcome() {
            Outcome::Failed { retry, reason } => (retry, reason),
            other => panic!("{other:?}"),
        }
    };
    assert!(failed(json!("Prediction interrupted; please retry (code: PA)")).0);
    assert!(failed(json!("Director: E9828")).0);
    assert!(!failed(json!("CUDA out of memory (E1001)")).0);
    assert!(!failed(json!({ "kind": "ValueError" })).0);
    assert_eq!(failed(Value::Null).1, "no reason was given");
}

#[test]
fn wild_metrics_are_no_price() {
    for time in [json!(-1), json!("fast"), json!(1e300), Value::Null] {
        let prediction =
            read(json!({ "status": "succeeded", "metrics": { "predict_time": time } }));
        assert_eq!(prediction.predict_time(), None);
    }
}
