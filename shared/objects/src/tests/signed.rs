use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, RANGE, TRANSFER_ENCODING};
use shared_domain::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{BUCKET, Place, http};
use crate::{Presigned, presign};

const MINUTE: Duration = Duration::from_mins(1);

fn put(signed: &Presigned) -> Result<reqwest::RequestBuilder> {
    let mut request = http()?.put(&signed.url);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    Ok(request)
}

#[tokio::test]
async fn a_signed_put_takes_exactly_what_was_signed() -> Result<()> {
    let place = Place::open().await?;
    let signed = place
        .objects
        .presign_put("v/a.mp4", 5, "video/mp4", MINUTE)
        .await?;
    assert_eq!(signed.method, "PUT");
    assert_eq!(
        signed.headers,
        [("content-type".to_owned(), "video/mp4".to_owned())]
    );

    for body in ["", "1234", "123456"] {
        let answer = put(&signed)?.body(body).send().await?;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{body:?}");
    }
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>("12345")]);
    let chunked = put(&signed)?
        .body(reqwest::Body::wrap_stream(chunks))
        .send()
        .await?;
    assert_eq!(
        chunked.status(),
        StatusCode::FORBIDDEN,
        "{TRANSFER_ENCODING} hides the size"
    );
    let other_type = http()?
        .put(&signed.url)
        .header(CONTENT_TYPE, "text/html")
        .body("12345");
    assert_eq!(other_type.send().await?.status(), StatusCode::FORBIDDEN);
    let no_type = http()?.put(&signed.url).body("12345");
    assert_eq!(no_type.send().await?.status(), StatusCode::FORBIDDEN);
    assert_eq!(place.objects.list("").await?, []);

    let answer = put(&signed)?.body("12345").send().await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().contains_key("etag"));
    let head = place.objects.head("v/a.mp4").await?;
    assert_eq!(
        (head.size, head.content_type.as_deref()),
        (5, Some("video/mp4"))
    );
    Ok(())
}

#[tokio::test]
async fn a_signed_get_serves_ranges_and_forbids_sniffing() -> Result<()> {
    let place = Place::open().await?;
    place
        .objects
        .put("v/a", Bytes::from_static(b"0123456789"), "video/mp4")
        .await?;
    let url = place.objects.presign_get("v/a", MINUTE).await?;
    let whole = http()?.get(&url).send().await?;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(whole.headers()["x-content-type-options"], "nosniff");
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    assert_eq!(whole.headers()[CONTENT_TYPE], "video/mp4");
    let etag = whole.headers()["etag"].clone();
    assert_eq!(whole.bytes().await?, "0123456789");

    for (range, text, told) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=0-999", "0123456789", "bytes 0-9/10"),
    ] {
        let part = http()?.get(&url).header(RANGE, range).send().await?;
        assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(part.headers()[CONTENT_RANGE], told);
        assert_eq!(part.bytes().await?, text);
    }
    let beyond = http()?.get(&url).header(RANGE, "bytes=10-").send().await?;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let known = http()?
        .get(&url)
        .header("if-none-match", etag)
        .send()
        .await?;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    Ok(())
}

#[tokio::test]
async fn unsigned_tampered_and_expired_requests_are_forbidden() -> Result<()> {
    let place = Place::open().await?;
    place
        .objects
        .put("v/a", Bytes::from_static(b"x"), "text/plain")
        .await?;
    place
        .objects
        .put("v/b", Bytes::from_static(b"y"), "text/plain")
        .await?;
    let url = place.objects.presign_get("v/a", MINUTE).await?;
    let (bare, _) = url.split_once('?').context("a query")?;
    let last = url.chars().last().context("a signature")?;
    let other = if last == '0' { '1' } else { '0' };
    let tampered = [
        bare.to_owned(),
        url.replace("v/a", "v/b"),
        url.replace("X-Amz-Expires=60", "X-Amz-Expires=600000"),
        url.replace("x-id=GetObject", "x-id=PutObject"),
        format!("{}{other}", &url[..url.len() - 1]),
        url.replace("X-Amz-Credential=local", "X-Amz-Credential=guest"),
        format!("{url}&response-content-type=text/html"),
    ];
    for url in tampered {
        let status = http()?.get(&url).send().await?.status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{url}");
    }
    for request in [
        http()?.put(&url).body("z"),
        http()?.delete(&url),
        http()?.get(&place.url),
    ] {
        assert_eq!(request.send().await?.status(), StatusCode::FORBIDDEN);
    }

    let begin = SystemTime::from(SystemClock.now()) - Duration::from_hours(1);
    let past = PresigningConfig::builder()
        .start_time(begin)
        .expires_in(MINUTE)
        .build()?;
    let call = place.objects.client.get_object().bucket(BUCKET).key("v/a");
    let expired = presign::Presigned::from(&call.presigned(past).await?);
    assert_eq!(
        http()?.get(&expired.url).send().await?.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(http()?.get(&url).send().await?.status(), StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn forms_and_the_old_signature_are_not_offered() -> Result<()> {
    let place = Place::open().await?;
    let form = reqwest::multipart::Form::new()
        .text("key", "v/a")
        .text("file", "x");
    let url = format!("{}/{BUCKET}", place.url);
    let answer = http()?.post(&url).multipart(form).send().await?;
    assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
    let old = format!("{url}/v/a?AWSAccessKeyId=local&Signature=x&Expires=9999999999");
    assert_eq!(
        http()?.get(old).send().await?.status(),
        StatusCode::FORBIDDEN
    );
    Ok(())
}

#[tokio::test]
async fn a_signed_request_does_not_print_its_signature() -> Result<()> {
    let place = Place::open().await?;
    let signed = place
        .objects
        .presign_put("v/a", 5, "video/mp4", MINUTE)
        .await?;
    assert!(!format!("{signed:?}").contains("Signature"));
    assert!(
        place
            .objects
            .presign_get("v/a", 8 * 24 * Duration::from_hours(1))
            .await
            .is_err()
    );
    Ok(())
}

/// A client that waits with its body until it is asked for keeps the connection otherwise, and its
/// next request falls into a connection that is being closed.
#[tokio::test]
async fn a_refusal_that_leaves_the_body_unread_says_that_it_ends_the_connection() -> Result<()> {
    let place = Place::open().await?;
    let address = place.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request = format!(
        "PUT /{BUCKET}/a HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    Ok(())
}
