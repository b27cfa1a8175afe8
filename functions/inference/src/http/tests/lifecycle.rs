use serde_json::{Value, json};
use shared_domain::Task;
use shared_replicate::{
    Adapter, NewPrediction, Outcome, Provider, Registry, RegistryConfig, Replicate,
    ReplicateConfig, Status, Trace,
};
use time::Duration;

use super::{Local, TOKEN, VERSION, answer};
use crate::http::create::{parse_length, patience};

#[tokio::test]
async fn prediction_runs_and_is_shown_as_replicate_shows_it() {
    let local = Local::start().await;
    let made = local.create(local.question(json!({}))).await;
    assert_eq!(made["status"], "starting");
    let id = made["id"].as_str().unwrap();
    assert_eq!(id.len(), 26);
    let done = local.reaches(&made["id"], "succeeded").await;
    assert_eq!(done["output"]["bytes"], 7);
    assert_eq!(
        (&done["model"], &done["version"]),
        (&json!("local/scales"), &json!(VERSION))
    );
    assert_eq!(
        done["urls"]["get"],
        format!("{}/v1/predictions/{id}", local.base)
    );
    assert_eq!(
        done["urls"]["cancel"],
        format!("{}/v1/predictions/{id}/cancel", local.base)
    );
    assert!(done["metrics"]["predict_time"].as_f64().unwrap() >= 0.0);
    assert_eq!(done["created_at"], "2026-01-02T03:04:06.000000Z");
    assert_eq!(
        (&done["data_removed"], &done["error"]),
        (&json!(false), &Value::Null)
    );
}

#[tokio::test]
async fn model_may_be_named_in_every_way() {
    let local = Local::start().await;
    let body = |version: &str| {
        let mut body = local.question(json!({}));
        body["version"] = version.into();
        body
    };
    for version in ["local/scales", &format!("local/scales:{VERSION}"), VERSION] {
        let request = local
            .request("POST", "/v1/predictions")
            .header("prefer", "wait");
        let (status, done) = answer(request.json(&body(version))).await;
        assert_eq!((status, &done["status"]), (201, &json!("succeeded")));
    }
    let by_model = local.request("POST", "/v1/models/local/scales/predictions");
    let (status, _) = answer(by_model.json(&body("ignored"))).await;
    assert_eq!(status, 201);
    let other = local.request("POST", "/v1/models/local/other/predictions");
    assert_eq!(answer(other.json(&body(VERSION))).await.0, 404);
}

#[tokio::test]
async fn wait_that_runs_out_says_starting() {
    let local = Local::start().await;
    let busy = local.create(local.question(json!({ "hold": true }))).await;
    local.reaches(&busy["id"], "processing").await;
    let request = local
        .request("POST", "/v1/predictions")
        .header("prefer", "wait=1");
    let (status, made) = answer(request.json(&local.question(json!({})))).await;
    assert_eq!((status, &made["status"]), (202, &json!("starting")));
    local.open_gate();
    local.reaches(&made["id"], "succeeded").await;
}

#[tokio::test]
async fn waiting_predictions_fetch_nothing() {
    let local = Local::start().await;
    let busy = local.create(local.question(json!({ "hold": true }))).await;
    local.reaches(&busy["id"], "processing").await;
    for _ in 0..5 {
        local.create(local.question(json!({}))).await;
    }
    // The one that runs has its file by now or will get it; the others have none.
    assert!(local.outside.fetched() <= 1);
}

#[tokio::test]
async fn cancel_works_in_the_queue_and_while_it_runs() {
    let local = Local::start().await;
    let running = local.create(local.question(json!({ "hold": true }))).await;
    local.reaches(&running["id"], "processing").await;
    let queued = local.create(local.question(json!({}))).await;
    for made in [&queued, &running] {
        let path = format!("/v1/predictions/{}/cancel", made["id"].as_str().unwrap());
        let (status, canceled) = local.call("POST", &path).await;
        assert_eq!((status, &canceled["status"]), (200, &json!("canceled")));
        assert!(canceled["completed_at"].is_string());
    }
    // The worker is free again, and what was canceled stays so.
    let next = local.create(local.question(json!({}))).await;
    local.reaches(&next["id"], "succeeded").await;
    let path = format!("/v1/predictions/{}/cancel", next["id"].as_str().unwrap());
    assert_eq!(local.call("POST", &path).await.1["status"], "succeeded");
    for made in [&queued, &running] {
        assert_eq!(local.show(&made["id"]).await["status"], "canceled");
    }
}

#[tokio::test]
async fn deadline_aborts_in_the_queue_and_cancels_while_it_runs() {
    let local = Local::start().await;
    let busy = local.create(local.question(json!({ "hold": true }))).await;
    local.reaches(&busy["id"], "processing").await;
    let limited = async || {
        let request = local
            .request("POST", "/v1/predictions")
            .header("cancel-after", "5s");
        let (_, made) = answer(request.json(&local.question(json!({ "hold": true })))).await;
        made["id"].clone()
    };
    let overdue = limited().await;
    assert_eq!(
        local.show(&overdue).await["deadline"],
        "2026-01-02T03:04:11.000000Z"
    );
    local.clock.advance(Duration::seconds(5));
    local.reaches(&overdue, "aborted").await;

    let short = limited().await;
    local.clock.advance(Duration::milliseconds(4_900));
    let path = format!("/v1/predictions/{}/cancel", busy["id"].as_str().unwrap());
    local.call("POST", &path).await;
    local.reaches(&short, "canceled").await;
}

#[tokio::test]
async fn failures_of_the_model_are_told() {
    let local = Local::start().await;
    for (trouble, error) in [
        ("input", "the file is no picture"),
        ("model", "the model broke"),
        ("panic", "the model panicked"),
    ] {
        let made = local
            .create(local.question(json!({ "trouble": trouble })))
            .await;
        assert_eq!(local.reaches(&made["id"], "failed").await["error"], error);
    }
    let made = local.create(local.question(json!({}))).await;
    local.reaches(&made["id"], "succeeded").await;
}

#[tokio::test]
async fn storage_that_stumbles_is_asked_again() {
    let local = Local::start().await;
    local.outside.trouble(&[503]);
    let made = local.create(local.question(json!({}))).await;
    local.reaches(&made["id"], "succeeded").await;
    assert_eq!(local.outside.fetched(), 2);
    local.outside.trouble(&[404]);
    let made = local.create(local.question(json!({}))).await;
    let failed = local.reaches(&made["id"], "failed").await;
    assert!(
        failed["error"].as_str().unwrap().contains("404"),
        "{failed}"
    );
    assert!(!failed["error"].as_str().unwrap().contains("code: PA"));
}

#[tokio::test]
async fn data_is_removed_after_an_hour_and_the_record_later() {
    let local = Local::start().await;
    let made = local.create(local.question(json!({}))).await;
    local.reaches(&made["id"], "succeeded").await;
    local.clock.advance(Duration::minutes(59));
    let gone = super::eventually(async || {
        local.clock.advance(Duration::seconds(5));
        let seen = local.show(&made["id"]).await;
        if seen["data_removed"] == true {
            Ok(seen)
        } else {
            Err(seen)
        }
    })
    .await;
    assert_eq!(
        (&gone["output"], &gone["status"]),
        (&Value::Null, &json!("succeeded"))
    );
    assert_eq!(gone["input"], json!({}));
    local.clock.advance(Duration::hours(6));
    super::eventually(async || {
        let (status, seen) = local
            .call(
                "GET",
                &format!("/v1/predictions/{}", made["id"].as_str().unwrap()),
            )
            .await;
        if status == 404 { Ok(()) } else { Err(seen) }
    })
    .await;
}

#[tokio::test]
async fn list_is_paged_newest_first() {
    let local = Local::start().await;
    let held = local.create(local.question(json!({ "hold": true }))).await;
    let mut made = vec![held["id"].clone()];
    for _ in 0..119 {
        made.push(local.create(local.question(json!({}))).await["id"].clone());
    }
    made.reverse();
    let ids = |page: &Value| {
        let results = page["results"].as_array().unwrap().iter();
        results
            .map(|prediction| prediction["id"].clone())
            .collect::<Vec<_>>()
    };
    let follow = async |link: &Value| {
        let path = link
            .as_str()
            .unwrap()
            .strip_prefix(&local.base)
            .unwrap()
            .to_owned();
        local.call("GET", &path).await.1
    };
    let (_, first) = local.call("GET", "/v1/predictions").await;
    assert_eq!(ids(&first), made[..100]);
    assert_eq!(first["previous"], Value::Null);
    let second = follow(&first["next"]).await;
    assert_eq!(ids(&second), made[100..]);
    assert_eq!(second["next"], Value::Null);
    assert_eq!(ids(&follow(&second["previous"]).await), made[..100]);

    local.clock.advance(Duration::seconds(60));
    let late = local.create(local.question(json!({}))).await;
    let (_, since) = local
        .call("GET", "/v1/predictions?created_after=2026-01-02T03:05:06Z")
        .await;
    assert_eq!(ids(&since), [late["id"].clone()]);
    let (_, before) = local
        .call("GET", "/v1/predictions?created_before=2026-01-02T03:04:06Z")
        .await;
    assert!(ids(&before).is_empty());
    let (_, web) = local.call("GET", "/v1/predictions?source=web").await;
    assert_eq!(
        web,
        json!({ "next": null, "previous": null, "results": [] })
    );
    assert_eq!(local.call("GET", "/v1/predictions?source=api").await.0, 422);
    assert_eq!(
        local.call("GET", "/v1/predictions?cursor=../x").await.0,
        422
    );
}

#[tokio::test]
async fn our_own_client_speaks_with_it() {
    let local = Local::start().await;
    let config = ReplicateConfig {
        base_url: format!("{}/v1", local.base),
        token: TOKEN.into(),
        timeout: std::time::Duration::from_secs(10),
        output_hosts: Vec::new(),
    };
    let client = Replicate::connect(config).unwrap();
    assert_eq!(client.account().await.unwrap().username, "local");
    let registry = Registry::connect(&client, RegistryConfig::default())
        .await
        .unwrap();
    let entry = registry.find(Task::Nudity).unwrap();
    assert_eq!(
        (entry.provider, entry.adapter),
        (Provider::Local, Adapter::Scores)
    );
    assert_eq!(
        (entry.model.as_str(), entry.version.as_str()),
        ("local/scales", VERSION)
    );

    let key = "objects/videos/1/frames/000001000.jpg";
    let webhook = format!("{}/hook?key=K7", local.outside_url);
    let new = NewPrediction {
        version: &entry.version,
        input: entry.input(&format!("{}/{key}", local.outside_url)),
        webhook: Some(&webhook),
        cancel_after: Some(std::time::Duration::from_mins(10)),
    };
    let made = client.create(&new).await.unwrap();
    let since = made.created_at.unwrap();
    let trace = Trace {
        key: "key=K7",
        version: VERSION,
        object_key: key,
        since,
    };
    assert_eq!(client.adopt(&trace).await.unwrap().unwrap().id, made.id);
    let other = Trace {
        key: "key=K8",
        ..trace
    };
    assert_eq!(client.adopt(&other).await.unwrap(), None);
    local.reaches(&json!(made.id), "succeeded").await;
    let done = client.prediction(&made.id).await.unwrap();
    assert!(matches!(done.outcome(), Outcome::Output(output) if output["bytes"] == 7));
    assert!(done.predict_time().is_some());
    assert_eq!(
        client.cancel(&made.id).await.unwrap().status,
        Status::Succeeded
    );
}

#[test]
fn lengths_of_deadlines_are_read() {
    for (text, seconds) in [("30", 30), ("30s", 30), ("5m", 300), ("1h30m45s", 5445)] {
        assert_eq!(
            parse_length(text),
            Some(Duration::seconds(seconds)),
            "{text}"
        );
    }
    for text in [
        "",
        "0",
        "5d",
        "1h30",
        "-5",
        "99999999999h",
        "9h9h9",
        "366000000h",
    ] {
        assert_eq!(parse_length(text), None, "{text}");
    }
}

#[test]
fn patience_is_a_minute_at_most() {
    let read = |text: &str| {
        let headers = [("prefer".parse().unwrap(), text.parse().unwrap())]
            .into_iter()
            .collect();
        patience(&headers).map(|length| length.as_secs())
    };
    assert_eq!(read("wait"), Some(60));
    assert_eq!(read("wait=5"), Some(5));
    assert_eq!(read("wait=99"), Some(60));
    assert_eq!(read("wait=0"), Some(1));
    assert_eq!((read("respond-async"), read("waiting")), (None, None));
}
