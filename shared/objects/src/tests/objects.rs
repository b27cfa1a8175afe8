use std::net::SocketAddr;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use tempfile::TempDir;

use super::support::{BUCKET, Place, config, http};
use crate::local::{LocalConfig, LocalError, LocalServer};
use crate::{Objects, ObjectsError};

fn names(dir: &TempDir) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir.path().join("store"))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    Ok(names)
}

#[tokio::test]
async fn an_object_is_written_looked_at_read_and_erased() -> Result<()> {
    let place = Place::open().await?;
    let objects = &place.objects;
    let key = "videos/v/frames/000000500.jpg";
    objects
        .put(key, Bytes::from_static(b"not a picture"), "image/jpeg")
        .await?;

    let head = objects.head(key).await?;
    assert_eq!(
        (head.size, head.content_type.as_deref()),
        (13, Some("image/jpeg"))
    );
    assert!(head.etag.is_some() && head.modified.is_some());
    assert_eq!(objects.get(key, 13).await?, "not a picture");
    assert_eq!(objects.get_range(key, 4..5).await?, "a");
    assert_eq!(objects.get_range(key, 6..1000).await?, "picture");
    assert_eq!(objects.get_range(key, 3..3).await?, "");

    objects.delete(key).await?;
    objects.delete(key).await?;
    assert!(matches!(
        objects.head(key).await,
        Err(ObjectsError::NotFound { .. })
    ));
    let dir = place.close().await?;
    assert_eq!(names(&dir)?, [BUCKET], "nothing is left beside the bucket");
    Ok(())
}

#[tokio::test]
async fn what_is_missing_or_too_large_is_said_so() -> Result<()> {
    let place = Place::open().await?;
    let objects = &place.objects;
    objects
        .put("a/b", Bytes::from(vec![7; 100]), "text/plain")
        .await?;
    assert!(matches!(
        objects.get("a/b", 99).await,
        Err(ObjectsError::TooLarge { .. })
    ));
    for absent in ["a/c", "a", "a/b/c", "z"] {
        assert!(
            matches!(
                objects.get(absent, 1).await,
                Err(ObjectsError::NotFound { .. })
            ),
            "{absent}"
        );
        assert!(
            matches!(
                objects.head(absent).await,
                Err(ObjectsError::NotFound { .. })
            ),
            "{absent}"
        );
    }
    let beyond = objects
        .get_range("a/b", 100..200)
        .await
        .expect_err("past the end");
    assert!(matches!(beyond, ObjectsError::Refused { status: 416, .. }) && !beyond.is_transient());
    Ok(())
}

#[tokio::test]
async fn an_empty_object_is_an_object() -> Result<()> {
    let place = Place::open().await?;
    place
        .objects
        .put("empty", Bytes::new(), "text/plain")
        .await?;
    assert_eq!(place.objects.head("empty").await?.size, 0);
    assert_eq!(place.objects.get("empty", 0).await?, "");
    Ok(())
}

#[tokio::test]
async fn listings_come_in_pages_and_in_order() -> Result<()> {
    let place = Place::open().await?;
    let objects = &place.objects;
    for key in ["v/1/b", "v/1/a", "v/10/c", "v/2", "w/1"] {
        objects
            .put(key, Bytes::from_static(b"x"), "text/plain")
            .await?;
    }
    let keys = |listed: Vec<crate::ListedObject>| -> Vec<String> {
        listed.into_iter().map(|object| object.key).collect()
    };
    assert_eq!(
        keys(objects.list("v/1").await?),
        ["v/1/a", "v/1/b", "v/10/c"]
    );
    assert_eq!(keys(objects.list("v/1/").await?), ["v/1/a", "v/1/b"]);
    assert_eq!(objects.list("").await?.len(), 5);
    assert_eq!(objects.list("../").await?, []);

    let sdk = &objects.client;
    let page = |token: Option<String>| {
        sdk.list_objects_v2()
            .bucket(BUCKET)
            .max_keys(2)
            .set_continuation_token(token)
            .send()
    };
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let answer = page(token).await?;
        assert!(answer.contents().iter().all(|o| o.e_tag().is_some()));
        found.extend(
            answer
                .contents()
                .iter()
                .filter_map(|o| o.key().map(str::to_owned)),
        );
        token = answer.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ["v/1/a", "v/1/b", "v/10/c", "v/2", "w/1"]);
    let folded = sdk
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix("v/")
        .delimiter("/")
        .send()
        .await?;
    let prefixes: Vec<_> = folded
        .common_prefixes()
        .iter()
        .filter_map(|p| p.prefix())
        .collect();
    assert_eq!(
        (prefixes, folded.contents().len()),
        (vec!["v/1/", "v/10/"], 1)
    );
    Ok(())
}

#[tokio::test]
async fn a_longer_key_survives_the_erasure_of_its_beginning() -> Result<()> {
    let place = Place::open().await?;
    for key in ["v/a", "v/ab", "v/a.b"] {
        place
            .objects
            .put(key, Bytes::from_static(b"x"), "text/plain")
            .await?;
    }
    place.objects.delete("v/a").await?;
    let left: Vec<_> = place
        .objects
        .list("v/")
        .await?
        .into_iter()
        .map(|o| o.key)
        .collect();
    assert_eq!(left, ["v/a.b", "v/ab"]);
    Ok(())
}

#[tokio::test]
async fn a_copy_takes_its_type_along() -> Result<()> {
    let place = Place::open().await?;
    place
        .objects
        .put("a", Bytes::from_static(b"text"), "text/x")
        .await?;
    let call = place.objects.client.copy_object().bucket(BUCKET).key("b");
    let answer = call.copy_source(format!("{BUCKET}/a")).send().await?;
    assert!(
        answer
            .copy_object_result()
            .and_then(|result| result.e_tag())
            .is_some()
    );
    assert_eq!(place.objects.get("b", 10).await?, "text");
    assert_eq!(
        place.objects.head("b").await?.content_type.as_deref(),
        Some("text/x")
    );
    Ok(())
}

#[tokio::test]
async fn ordinary_clients_with_checksums_are_understood() -> Result<()> {
    use aws_sdk_s3::types::{ChecksumAlgorithm, Delete, ObjectIdentifier};
    let place = Place::open().await?;
    let sdk = &place.objects.client;
    for algorithm in [ChecksumAlgorithm::Crc32, ChecksumAlgorithm::Sha256] {
        let call = sdk
            .put_object()
            .bucket(BUCKET)
            .key("sum")
            .checksum_algorithm(algorithm);
        call.body(Bytes::from_static(b"content").into())
            .send()
            .await?;
    }
    let spoilt = sdk
        .put_object()
        .bucket(BUCKET)
        .key("spoilt")
        .checksum_crc32("AAAAAA==");
    assert!(
        spoilt
            .body(Bytes::from_static(b"content").into())
            .send()
            .await
            .is_err()
    );
    let spoilt = sdk
        .put_object()
        .bucket(BUCKET)
        .key("spoilt")
        .content_md5("AAAAAAAAAAAAAAAAAAAAAA==");
    assert!(
        spoilt
            .body(Bytes::from_static(b"content").into())
            .send()
            .await
            .is_err()
    );
    assert_eq!(
        place.objects.list("").await?.len(),
        1,
        "spoilt bodies are not kept"
    );

    sdk.head_bucket().bucket(BUCKET).send().await?;
    place.objects.ping().await?;
    assert_eq!(sdk.list_buckets().send().await?.buckets().len(), 1);
    assert!(sdk.head_bucket().bucket("another").send().await.is_err());
    let sum = ObjectIdentifier::builder().key("sum").build()?;
    let delete = Delete::builder().objects(sum).build()?;
    sdk.delete_objects()
        .bucket(BUCKET)
        .delete(delete)
        .send()
        .await?;
    assert_eq!(place.objects.list("").await?, []);
    Ok(())
}

#[tokio::test]
async fn keys_that_cannot_be_paths_are_refused() -> Result<()> {
    let place = Place::open().await?;
    let outside = place.dir.path().join("store/outside");
    std::fs::write(&outside, "secret")?;
    let long = "x".repeat(400);
    for key in [
        "../outside",
        "a/../../outside",
        "a//b",
        "/a",
        "a/",
        "./a",
        "a/.",
        "a\u{1}b",
        &long,
    ] {
        let put = place
            .objects
            .put(key, Bytes::from_static(b"x"), "text/plain")
            .await;
        assert!(put.is_err(), "{key:?} was written");
        let got = place.objects.get(key, 100).await;
        assert!(got.is_err(), "{key:?} was read");
    }
    for path in ["/..%2foutside", "/%2e%2e/outside", "/a/..%2f..%2foutside"] {
        let url = format!("{}/{BUCKET}{path}", place.url);
        assert!(
            !http()?.get(url).send().await?.status().is_success(),
            "{path}"
        );
    }
    assert_eq!(std::fs::read_to_string(outside)?, "secret");
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_is_the_operators_fault_and_an_absent_server_is_nobodys() -> Result<()> {
    let place = Place::open().await?;
    let stranger = Objects::connect(&config(&place.url, "wrong-canary"));
    let error = stranger.head("a").await.expect_err("a wrong key");
    assert!(error.is_denied() && !error.is_transient(), "{error:?}");
    let error = stranger.get("a", 1).await.expect_err("a wrong key");
    assert!(error.is_denied(), "{error:?}");
    assert!(!format!("{stranger:?} {error:?}").contains("wrong-canary"));

    let url = place.url.clone();
    place.close().await?;
    let nobody = Objects::connect(&config(&url, "local-secret"));
    let error = nobody.get("a", 1).await.expect_err("nobody is there");
    assert!(error.is_transient(), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn one_folder_has_one_server() -> Result<()> {
    let place = Place::open().await?;
    let second = |root: std::path::PathBuf, bucket: &str| {
        LocalServer::bind(LocalConfig {
            root,
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            access_key: "k".to_owned(),
            secret_key: "s".into(),
            bucket: bucket.to_owned(),
            allowed_origins: Vec::new(),
            notify: None,
        })
    };
    let root = place.dir.path().to_owned();
    assert!(matches!(
        second(root.clone(), BUCKET).await,
        Err(LocalError::Busy { .. })
    ));
    assert!(matches!(
        second(root.clone(), "../x").await,
        Err(LocalError::Bucket(_))
    ));
    let dir = place.close().await?;
    second(root, BUCKET)
        .await
        .context("the folder is free again")?;
    drop(dir);
    Ok(())
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_the_object_as_it_was() -> Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let place = Place::open().await?;
    place
        .objects
        .put("v/a", Bytes::from_static(b"old"), "text/plain")
        .await?;
    let expires = std::time::Duration::from_mins(1);
    let signed = place
        .objects
        .presign_put("v/a", 1000, "text/plain", expires)
        .await?;
    let url: url::Url = signed.url.parse()?;
    let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    let addr = place.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(addr).await?;
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {addr}\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\nhalf"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(place.objects.get("v/a", 10).await?, "old");
    let dir = place.close().await?;
    let halves: Vec<_> = names(&dir)?
        .into_iter()
        .filter(|name| name.contains(".tmp"))
        .collect();
    assert_eq!(halves, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn an_overwrite_with_a_wrong_digest_leaves_the_object_as_it_was() -> Result<()> {
    let place = Place::open().await?;
    let objects = &place.objects;
    objects
        .put("v/a", Bytes::from_static(b"old"), "text/plain")
        .await?;
    let before = objects.head("v/a").await?;
    let put = || {
        let body = Bytes::from_static(b"the new one").into();
        let put = objects.client.put_object().bucket(BUCKET).key("v/a");
        put.content_type("text/html").body(body)
    };
    let md5 = put().content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").send().await;
    assert!(md5.is_err(), "that is the digest of nothing");
    let sha = put().checksum_sha256("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert!(sha.send().await.is_err());
    assert_eq!(objects.head("v/a").await?, before);
    assert_eq!(objects.get("v/a", 20).await?, "old");

    let tag = before.etag.context("a tag")?;
    let other = put().if_match("\"00000000000000000000000000000000\"");
    assert!(other.send().await.is_err());
    assert!(put().if_none_match("*").send().await.is_err());
    assert_eq!(objects.get("v/a", 20).await?, "old");
    put().if_match(tag).send().await?;
    assert_eq!(objects.get("v/a", 20).await?, "the new one");
    // A key cannot be a file and a folder; it is refused and nothing else is harmed.
    for key in ["v", "v/a/b"] {
        let put = objects
            .put(key, Bytes::from_static(b"in the way"), "text/plain")
            .await;
        assert!(
            matches!(put, Err(ObjectsError::Refused { status: 400, .. })),
            "{key}: {put:?}"
        );
    }
    assert_eq!(objects.get("v/a", 20).await?, "the new one");
    let dir = place.close().await?;
    let left: Vec<_> = std::fs::read_dir(dir.path().join("staging").join(BUCKET))?.collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

/// The folder as a kill leaves it: one of three files has moved.
#[tokio::test]
async fn a_kill_while_an_object_is_moved_into_place_ends_with_a_whole_object() -> Result<()> {
    let place = Place::open().await?;
    for (key, text, kind) in [
        ("v/a", "old", "text/plain"),
        ("v/b", "the new", "text/html"),
    ] {
        place.objects.put(key, Bytes::from(text), kind).await?;
    }
    let wanted = place.objects.head("v/b").await?;
    let dir = place.close().await?;
    let (store, aside) = (dir.path().join("store"), dir.path().join("staging"));
    let beside = |key: &str, kind: &str| {
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let (bucket, key) = (encoded(BUCKET), encoded(key));
        format!(".bucket-{bucket}.object-{key}.{kind}.json")
    };
    std::fs::rename(store.join(BUCKET).join("v/b"), aside.join(BUCKET).join("3"))?;
    let (moved, waits) = ("metadata", "internal");
    std::fs::rename(
        store.join(beside("v/b", moved)),
        store.join(beside("v/a", moved)),
    )?;
    std::fs::rename(
        store.join(beside("v/b", waits)),
        aside.join(beside("3", waits)),
    )?;
    std::fs::write(aside.join("3.note"), "v/a")?;
    std::fs::write(
        aside.join(BUCKET).join("4"),
        "not yet compared with its digest",
    )?;
    std::fs::write(aside.join("5.tmp"), "v/")?;

    let place = Place::over(dir, None).await?;
    assert_eq!(place.objects.get("v/a", 20).await?, "the new");
    let head = place.objects.head("v/a").await?;
    assert_eq!(
        (head.etag, head.content_type),
        (wanted.etag, wanted.content_type)
    );
    let listed = place.objects.list("").await?;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let dir = place.close().await?;
    let left = std::fs::read_dir(dir.path().join("staging"))?.count();
    assert_eq!(left, 1, "the empty bucket");
    Ok(())
}
