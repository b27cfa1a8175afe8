use std::time::Duration;

use serde_json::json;

use super::Local;
use super::webhooks::hooks;
use crate::http::worker::MAX_STARTS;

#[tokio::test]
async fn killed_service_answers_and_continues_where_it_was() {
    let local = Local::start().await;
    let done = local.create(local.question(json!({}))).await;
    let output = local.reaches(&done["id"], "succeeded").await["output"].clone();
    let running = local.create(local.question(json!({ "hold": true }))).await;
    local.reaches(&running["id"], "processing").await;
    let queued = local.create(local.question(json!({}))).await;

    let local = local.kill_and_restart().await;
    assert_eq!(local.show(&done["id"]).await["output"], output);
    local.reaches(&running["id"], "processing").await;
    local.open_gate();
    for made in [&running, &queued] {
        assert_eq!(
            local.reaches(&made["id"], "succeeded").await["output"]["bytes"],
            7
        );
    }
}

#[tokio::test]
async fn webhook_without_acknowledgement_is_sent_after_a_restart() {
    // The kill falls into the pause after the first attempt.
    let local = Local::repeating(vec![Duration::from_hours(1)]).await;
    local.outside.trouble(&[200, 500]);
    local.create(local.hooked(json!({}))).await;
    let first = hooks(&local, 1).await.remove(0);
    assert_eq!(first.json()["status"], "succeeded");
    let local = local.kill_and_restart().await;
    let again = hooks(&local, 2).await.remove(1);
    assert_eq!(again.json()["output"]["bytes"], 7);
    assert_eq!(again.headers["webhook-id"], first.headers["webhook-id"]);
}

#[tokio::test]
async fn input_that_ends_the_process_each_time_is_given_up() {
    let mut local = Local::start().await;
    let made = local.create(local.question(json!({ "hold": true }))).await;
    for times in 1..=MAX_STARTS {
        local.started(&made["id"], times).await;
        local = local.kill_and_restart().await;
    }
    let failed = local.reaches(&made["id"], "failed").await;
    assert!(
        failed["error"].as_str().unwrap().contains("E1001"),
        "{failed}"
    );
}

#[tokio::test]
async fn stop_gives_back_what_runs_and_counts_nothing() {
    let mut local = Local::start().await;
    let made = local.create(local.question(json!({ "hold": true }))).await;
    for _ in 0..5 {
        local.reaches(&made["id"], "processing").await;
        local = local.stop_and_restart().await;
    }
    local.open_gate();
    local.reaches(&made["id"], "succeeded").await;
}

#[tokio::test]
async fn half_written_state_is_cleared_away() {
    let local = Local::start().await;
    let made = local.create(local.question(json!({}))).await;
    local.reaches(&made["id"], "succeeded").await;
    let folder = local.folder.path().to_owned();
    std::fs::write(folder.join("predictions/x.tmp"), "{").unwrap();
    std::fs::write(folder.join("predictions/y.json"), "{").unwrap();
    std::fs::write(folder.join("files/z.bin"), "half").unwrap();
    let local = local.kill_and_restart().await;
    assert!(!folder.join("predictions/x.tmp").exists() && !folder.join("files/z.bin").exists());
    local.reaches(&made["id"], "succeeded").await;
}
