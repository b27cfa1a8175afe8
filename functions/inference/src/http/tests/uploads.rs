use bytes::Bytes;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::Duration;

use super::{Local, VERSION, answer, eventually};

async fn upload(local: &Local, form: Form) -> (u16, Value) {
    answer(local.request("POST", "/v1/files").multipart(form)).await
}

fn content(bytes: &'static [u8]) -> Part {
    Part::bytes(bytes)
        .file_name("frame.jpg")
        .mime_str("image/jpeg")
        .unwrap()
}

#[tokio::test]
async fn uploaded_file_is_described_and_can_be_an_input() {
    let local = Local::start().await;
    let form = Form::new()
        .part("content", content(b"12345"))
        .text("metadata", "{\"a\":1}");
    let (status, file) = upload(&local, form).await;
    assert_eq!(status, 201, "{file}");
    assert_eq!(
        (&file["name"], &file["content_type"]),
        (&json!("frame.jpg"), &json!("image/jpeg"))
    );
    assert_eq!(
        (&file["size"], &file["metadata"]),
        (&json!(5), &json!({ "a": 1 }))
    );
    let hash = hex::encode(Sha256::digest(b"12345"));
    assert_eq!(file["checksums"]["sha256"], hash);
    let path = format!("/v1/files/{}", file["id"].as_str().unwrap());
    assert_eq!(local.call("GET", &path).await.1, file);
    assert_eq!(
        local.call("GET", "/v1/files").await.1["results"],
        json!([file])
    );

    let input = json!({ "image": file["urls"]["get"] });
    let made = local
        .create(json!({ "version": VERSION, "input": input }))
        .await;
    assert_eq!(
        local.reaches(&made["id"], "succeeded").await["output"]["sha256"],
        hash
    );

    assert_eq!(local.call("DELETE", &path).await.0, 204);
    assert_eq!(local.call("GET", &path).await.0, 404);
    assert_eq!(local.call("DELETE", &path).await.0, 404);
    let made = local
        .create(json!({ "version": VERSION, "input": input }))
        .await;
    let failed = local.reaches(&made["id"], "failed").await;
    assert!(
        failed["error"].as_str().unwrap().contains("gone"),
        "{failed}"
    );
}

#[tokio::test]
async fn data_uri_can_be_an_input_and_is_left_out_of_lists() {
    let local = Local::start().await;
    let small = json!({ "image": "data:image/png;base64,MTIzNDU=" });
    let made = local
        .create(json!({ "version": VERSION, "input": small }))
        .await;
    assert_eq!(
        local.reaches(&made["id"], "succeeded").await["output"]["bytes"],
        5
    );
    let large = format!("data:image/png;base64,{}", "MTIz".repeat(1000));
    let made = local
        .create(json!({ "version": VERSION, "input": { "image": large } }))
        .await;
    assert_eq!(
        local.reaches(&made["id"], "succeeded").await["input"]["image"],
        large
    );
    let (_, listed) = local.call("GET", "/v1/predictions").await;
    assert_eq!(listed["results"][0]["input"]["image"], "data:,");
    assert_eq!(listed["results"][1]["input"], small);
}

#[tokio::test]
async fn bad_uploads_are_refused_and_leave_nothing() {
    let local = Local::start().await;
    let (status, problem) = upload(&local, Form::new().text("metadata", "{}")).await;
    assert_eq!(
        (status, &problem["invalid_fields"][0]["field"]),
        (422, &json!("content"))
    );
    let form = Form::new()
        .part("content", content(b"1"))
        .text("metadata", "[]");
    assert_eq!(upload(&local, form).await.0, 422);
    let form = Form::new()
        .part("content", content(b"1"))
        .text("filename", "x".repeat(256));
    assert_eq!(upload(&local, form).await.0, 422);
    assert_eq!(
        answer(local.request("POST", "/v1/files").body("x")).await.0,
        400
    );

    let megabyte = Bytes::from(vec![0_u8; 1024 * 1024]);
    let chunks =
        futures::stream::iter((0..101).map(move |_| Ok::<_, std::io::Error>(megabyte.clone())));
    let part = Part::stream(reqwest::Body::wrap_stream(chunks)).file_name("big.bin");
    let (status, problem) = upload(&local, Form::new().part("content", part)).await;
    assert_eq!((status, &problem["status"]), (413, &json!(413)));
    let left = std::fs::read_dir(local.folder.path().join("files"))
        .unwrap()
        .count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn uploads_expire_after_a_day() {
    let local = Local::start().await;
    let (_, file) = upload(&local, Form::new().part("content", content(b"1"))).await;
    assert_eq!(file["expires_at"], "2026-01-03T03:04:06.000000Z");
    local.clock.advance(Duration::hours(24));
    // The sweep at the start of a process reads the folder too.
    let local = local.kill_and_restart().await;
    let path = format!("/v1/files/{}", file["id"].as_str().unwrap());
    eventually(async || match local.call("GET", &path).await {
        (404, _) => Ok(()),
        (_, seen) => Err(seen),
    })
    .await;
}

#[tokio::test]
async fn uploads_are_listed_in_pages_newest_first() {
    let local = Local::start().await;
    let mut made = Vec::new();
    for _ in 0..103 {
        let (status, file) = upload(&local, Form::new().part("content", content(b"1"))).await;
        assert_eq!(status, 201, "{file}");
        made.insert(0, file["id"].clone());
    }
    let page = async |link: &str| {
        let (status, page) = local.call("GET", &link.replace(&local.base, "")).await;
        assert_eq!(status, 200, "{page}");
        let ids = page["results"].as_array().unwrap().iter();
        let ids: Vec<Value> = ids.map(|file| file["id"].clone()).collect();
        (ids, page["next"].clone(), page["previous"].clone())
    };
    let (first, next, previous) = page("/v1/files").await;
    assert_eq!((&first[..], previous), (&made[..100], Value::Null));
    let (rest, end, back) = page(next.as_str().unwrap()).await;
    assert_eq!((&rest[..], end), (&made[100..], Value::Null));
    assert_eq!(page(back.as_str().unwrap()).await.0, made[..100]);
    assert_eq!(local.call("GET", "/v1/files?cursor=x").await.0, 422);
}
