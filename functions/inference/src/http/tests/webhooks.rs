use std::time::Duration;

use serde_json::{Value, json};
use shared_domain::Clock;
use shared_replicate::signature::{SignedHeaders, TOLERANCE, verify};

use super::{Hook, Local, SECRET, eventually};

pub(super) async fn hooks(local: &Local, count: usize) -> Vec<Hook> {
    eventually(async || {
        let hooks = local.outside.hooks();
        if hooks.len() >= count {
            Ok(hooks)
        } else {
            Err(json!(hooks.len()))
        }
    })
    .await
}

#[tokio::test]
async fn end_is_told_with_a_valid_signature() {
    let local = Local::start().await;
    let made = local.create(local.hooked(json!({}))).await;
    let hook = hooks(&local, 1).await.remove(0);
    let body = hook.json();
    assert_eq!(
        (&body["id"], &body["status"]),
        (&made["id"], &json!("succeeded"))
    );
    assert_eq!(body["output"]["bytes"], 7);
    let headers = SignedHeaders {
        id: &hook.headers["webhook-id"],
        timestamp: &hook.headers["webhook-timestamp"],
        signature: &hook.headers["webhook-signature"],
    };
    verify(
        &headers,
        &hook.body,
        &[SECRET.into()],
        local.clock.now(),
        TOLERANCE,
    )
    .unwrap();
    assert_eq!(hook.headers["content-type"], "application/json");
}

#[tokio::test]
async fn refused_webhook_is_repeated_with_the_same_id() {
    let local = Local::start().await;
    // The first answer is for the picture.
    local.outside.trouble(&[200, 500, 404, 200]);
    local.create(local.hooked(json!({}))).await;
    let hooks = hooks(&local, 3).await;
    let ids: Vec<&String> = hooks
        .iter()
        .map(|hook| &hook.headers["webhook-id"])
        .collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    // It is acknowledged: a restart sends nothing more.
    let local = settled(local).await.kill_and_restart().await;
    let probe = local.create(local.question(json!({}))).await;
    local.reaches(&probe["id"], "succeeded").await;
    assert_eq!(local.outside.hooks().len(), 3);
}

/// Waits until the acknowledgement is on the disk.
async fn settled(local: Local) -> Local {
    eventually(async || {
        let folder = std::fs::read_dir(local.folder.path().join("predictions")).unwrap();
        let due = folder.filter(|file| {
            let text = std::fs::read_to_string(file.as_ref().unwrap().path()).unwrap_or_default();
            text.contains("\"webhook_due\":true")
        });
        match due.count() {
            0 => Ok(()),
            due => Err(json!(due)),
        }
    })
    .await;
    local
}

#[tokio::test]
async fn every_end_is_told_and_the_start_on_request() {
    let local = Local::start().await;
    let mut body = local.hooked(json!({ "trouble": "input" }));
    body["webhook_events_filter"] = json!(["start", "completed"]);
    local.create(body).await;
    let told = hooks(&local, 2).await;
    let statuses: Vec<_> = told
        .iter()
        .map(|hook| hook.json()["status"].clone())
        .collect();
    assert_eq!(statuses, ["processing", "failed"]);
    assert_ne!(told[0].headers["webhook-id"], told[1].headers["webhook-id"]);

    let held = local.create(local.hooked(json!({ "hold": true }))).await;
    let path = format!("/v1/predictions/{}/cancel", held["id"].as_str().unwrap());
    local.call("POST", &path).await;
    assert_eq!(hooks(&local, 3).await[2].json()["status"], "canceled");
}

#[tokio::test]
async fn the_output_is_told_before_the_end_unless_it_is_not_wanted() {
    let local = Local::start().await;
    let mut body = local.hooked(json!({}));
    body["webhook_events_filter"].take();
    local.create(body).await;
    let told = hooks(&local, 2).await;
    let said = |hook: &Hook| (hook.json()["status"].clone(), hook.json()["output"].clone());
    let (output, end) = (said(&told[0]), said(&told[1]));
    assert_eq!(
        (&output.0, &end.0),
        (&json!("processing"), &json!("succeeded"))
    );
    assert_eq!((&output.1["bytes"], output.1 == end.1), (&json!(7), true));
    assert_ne!(told[0].headers["webhook-id"], told[1].headers["webhook-id"]);
    // What failed has no output.
    let mut body = local.hooked(json!({ "trouble": "input" }));
    body["webhook_events_filter"] = json!(["output", "logs", "completed"]);
    local.create(body).await;
    assert_eq!(hooks(&local, 3).await[2].json()["status"], "failed");
    assert_eq!(local.outside.hooks().len(), 3);
}

#[tokio::test]
async fn receiver_that_stays_down_is_given_up() {
    let local = Local::start().await;
    local.outside.trouble(&[200, 500, 500, 500, 500, 500]);
    let made = local.create(local.hooked(json!({}))).await;
    hooks(&local, 5).await;
    let local = settled(local).await;
    assert_eq!(local.outside.hooks().len(), 5);
    assert_eq!(local.show(&made["id"]).await["status"], "succeeded");
}

#[tokio::test]
async fn what_was_not_acknowledged_outlives_the_others() {
    let local = Local::repeating(vec![Duration::from_hours(1)]).await;
    local.outside.trouble(&[200, 500]);
    let due = local.create(local.hooked(json!({}))).await;
    hooks(&local, 1).await;
    let told = local.create(local.question(json!({}))).await;
    local.reaches(&told["id"], "succeeded").await;
    local.clock.advance(time::Duration::hours(7));
    let path = |made: &Value| format!("/v1/predictions/{}", made["id"].as_str().unwrap());
    eventually(async || match local.call("GET", &path(&told)).await {
        (404, _) => Ok(()),
        (_, seen) => Err(seen),
    })
    .await;
    assert_eq!(local.show(&due["id"]).await["output"]["bytes"], 7);
}
