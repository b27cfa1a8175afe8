use serde_json::{Value, json};

use super::{Local, VERSION, answer};

#[tokio::test]
async fn token_is_asked_for_everywhere_under_v1() {
    let local = Local::start().await;
    let plain = shared_replicate::http_client(std::time::Duration::from_secs(5)).unwrap();
    for path in [
        "predictions",
        "models",
        "files",
        "account",
        "webhooks/default/secret",
        "nothing",
    ] {
        for header in [
            None,
            Some("Bearer wrong"),
            Some("Basic cjhfbG9jYWxfdGVzdA=="),
            Some("Bearer "),
        ] {
            let mut request = plain.request(
                reqwest::Method::GET,
                format!("{}/v1/{path}", local.base).parse().unwrap(),
            );
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let (status, problem) = answer(request).await;
            assert_eq!(
                (status, &problem["title"]),
                (401, &json!("Unauthenticated")),
                "{path}"
            );
        }
    }
    let old = plain.request(
        reqwest::Method::GET,
        format!("{}/v1/account", local.base).parse().unwrap(),
    );
    let old = old.header("authorization", format!("Token {}", super::TOKEN));
    assert_eq!(answer(old).await.0, 200);
    assert_eq!(
        answer(plain.request(
            reqwest::Method::GET,
            format!("{}/healthz", local.base).parse().unwrap()
        ))
        .await
        .0,
        200
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one line per bad field")]
async fn bad_input_is_told_field_by_field() {
    let local = Local::start().await;
    let good = || local.question(json!({}));
    let with = |name: &str, value: Value| {
        let mut body = good();
        body[name] = value;
        body
    };
    let image = |value: Value| json!({ "version": VERSION, "input": { "image": value } });
    for (body, field, kind) in [
        (json!({ "version": VERSION }), "input", "invalid_type"),
        (json!({ "input": {} }), "version", "required"),
        (
            json!({ "version": VERSION, "input": {} }),
            "input.image",
            "required",
        ),
        (image(json!(null)), "input.image", "invalid_type"),
        (image(json!(["a"])), "input.image", "invalid_type"),
        (image(json!("data:image/png,abc")), "input.image", "format"),
        (
            with("webhook_events_filter", json!(["end"])),
            "webhook_events_filter",
            "enum",
        ),
        (
            with("webhook_events_filter", json!("completed")),
            "webhook_events_filter",
            "enum",
        ),
        (
            with("webhook", json!("https://elsewhere.example/hook")),
            "webhook",
            "format",
        ),
    ] {
        let (status, problem) = answer(local.request("POST", "/v1/predictions").json(&body)).await;
        assert_eq!((status, &problem["status"]), (422, &json!(422)), "{body}");
        assert_eq!(problem["title"], "Input validation failed");
        let invalid = &problem["invalid_fields"][0];
        assert_eq!(
            (&invalid["field"], &invalid["type"]),
            (&json!(field), &json!(kind))
        );
    }
    for version in [
        "local/scales:latest",
        "adirik/grounding-dino",
        "abc",
        "local/scales:abc",
    ] {
        let body = with("version", json!(version));
        let (status, problem) = answer(local.request("POST", "/v1/predictions").json(&body)).await;
        assert_eq!(status, 422);
        assert_eq!(problem["title"], "Invalid version or not permitted");
    }
    let request = local.request("POST", "/v1/predictions").body("{");
    assert_eq!(answer(request).await.0, 400);
    let request = local
        .request("POST", "/v1/predictions")
        .body(vec![b' '; 17 * 1024 * 1024]);
    assert_eq!(answer(request).await.0, 413);
    let request = local
        .request("POST", "/v1/predictions")
        .header("cancel-after", "4");
    assert_eq!(answer(request.json(&good())).await.0, 422);
    assert_eq!(
        local.call("GET", "/v1/predictions").await.1["results"],
        json!([])
    );
}

#[tokio::test]
async fn inputs_come_from_the_storage_and_nowhere_else() {
    let local = Local::start().await;
    let port = local.outside_url.rsplit_once(':').unwrap().1;
    let spellings = [
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        format!("{}/other/a.jpg", local.outside_url),
        format!("{}/objects/../other", local.outside_url),
        format!("{}/objects/%2e%2e/other", local.outside_url),
        format!("{}/objectsother/a.jpg", local.outside_url),
        format!("https://127.0.0.1:{port}/objects/a.jpg"),
        format!("http://localhost:{port}/objects/a.jpg"),
        format!("http://127.0.0.1:{port}@example.com/objects/a.jpg"),
        format!("http://user:pass@127.0.0.1:{port}/objects/a.jpg"),
        "http://127.0.0.1:1/objects/a.jpg".to_owned(),
        format!("{}/v1/files/../predictions", local.base),
        format!("{}/v1/account", local.base),
        "/objects/a.jpg".to_owned(),
        String::new(),
    ];
    for url in spellings {
        let body = json!({ "version": VERSION, "input": { "image": url } });
        let (status, problem) = answer(local.request("POST", "/v1/predictions").json(&body)).await;
        assert_eq!(
            (status, &problem["invalid_fields"][0]["field"]),
            (422, &json!("input.image")),
            "{url}"
        );
    }
    // Another spelling of the same address is the same address.
    let decimal = format!("http://2130706433:{port}/objects/a.jpg?X-Amz-Signature=1");
    local
        .create(json!({ "version": VERSION, "input": { "image": decimal } }))
        .await;
}

#[tokio::test]
async fn unknown_things_are_not_found() {
    let local = Local::start().await;
    for path in [
        "/v1/predictions/abc",
        "/v1/predictions/00000000000000000000000000",
        "/v1/predictions/..%2f..%2fetc%2fpasswd",
        "/v1/files/abc",
        "/v1/models/local/other",
        "/v1/models/local/scales/versions/abc",
        "/v1/nothing",
        "/nothing",
    ] {
        let (status, problem) = local.call("GET", path).await;
        assert_eq!((status, &problem["status"]), (404, &json!(404)), "{path}");
        assert!(problem["detail"].is_string());
    }
    assert_eq!(
        local.call("POST", "/v1/predictions/abc/cancel").await.0,
        404
    );
    assert_eq!(local.call("DELETE", "/v1/predictions").await.0, 405);
}

#[tokio::test]
async fn models_are_listed_with_their_cards() {
    let local = Local::start().await;
    let (_, listed) = local.call("GET", "/v1/models").await;
    let model = &listed["results"][0];
    assert_eq!(
        (&model["owner"], &model["name"]),
        (&json!("local"), &json!("scales"))
    );
    assert_eq!(model["card"]["task"], "nudity");
    assert_eq!(model["card"]["file_field"], "image");
    let (_, shown) = local.call("GET", "/v1/models/local/scales").await;
    assert_eq!(&shown, model);
    let path = format!("/v1/models/local/scales/versions/{VERSION}");
    let (_, version) = local.call("GET", &path).await;
    assert_eq!(version, model["latest_version"]);
    let schema = &version["openapi_schema"]["components"]["schemas"]["Input"];
    assert_eq!(schema["required"], json!(["image"]));
    let (_, hardware) = local.call("GET", "/v1/hardware").await;
    assert_eq!(hardware, json!([{ "name": "CPU", "sku": "cpu" }]));
}
