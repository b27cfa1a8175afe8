use std::time::Duration;

use anyhow::Result;
use reqwest::{Method, Response, StatusCode};

use super::support::{BUCKET, ORIGIN, Place, http};

async fn ask(place: &Place, origin: &str, method: &str) -> Result<Response> {
    let request = http()?
        .request(
            Method::OPTIONS,
            format!("{}/{BUCKET}/videos/raw/a.mp4?X-Amz-x=1", place.url),
        )
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "content-type");
    Ok(request.send().await?)
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_upload_and_read_the_tag() -> Result<()> {
    let place = Place::open().await?;
    let preflight = ask(&place, ORIGIN, "PUT").await?;
    assert_eq!(preflight.status(), StatusCode::OK);
    let headers = preflight.headers();
    assert_eq!(headers["access-control-allow-origin"], ORIGIN);
    assert_eq!(headers["access-control-allow-headers"], "content-type");
    assert!(
        headers["access-control-allow-methods"]
            .to_str()?
            .contains("PUT")
    );
    assert_eq!(headers["access-control-max-age"], "3600");
    assert!(headers["vary"].to_str()?.contains("Origin"));

    let expires = Duration::from_mins(1);
    let signed = place
        .objects
        .presign_put("videos/a", 1, "video/mp4", expires)
        .await?;
    let put = http()?
        .put(&signed.url)
        .header("content-type", "video/mp4")
        .header("origin", ORIGIN);
    let answer = put.body("x").send().await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN);
    assert!(
        answer.headers()["access-control-expose-headers"]
            .to_str()?
            .contains("ETag")
    );
    Ok(())
}

#[tokio::test]
async fn other_origins_and_methods_are_not_let_in() -> Result<()> {
    let place = Place::open().await?;
    for origin in [
        "http://127.0.0.1:80000",
        "https://127.0.0.1:8000",
        "null",
        "http://evil.test",
    ] {
        let preflight = ask(&place, origin, "PUT").await?;
        assert_eq!(preflight.status(), StatusCode::FORBIDDEN, "{origin}");
        assert!(
            !preflight
                .headers()
                .contains_key("access-control-allow-origin")
        );
    }
    for method in ["DELETE", "POST", "PATCH"] {
        assert_eq!(
            ask(&place, ORIGIN, method).await?.status(),
            StatusCode::FORBIDDEN,
            "{method}"
        );
    }
    let url = place
        .objects
        .presign_get("a", Duration::from_mins(1))
        .await?;
    let answer = http()?
        .get(url)
        .header("origin", "http://evil.test")
        .send()
        .await?;
    assert!(!answer.headers().contains_key("access-control-allow-origin"));
    Ok(())
}

#[tokio::test]
async fn a_refusal_can_be_read_by_the_page_that_caused_it() -> Result<()> {
    let place = Place::open().await?;
    let url = format!("{}/{BUCKET}/a", place.url);
    let answer = http()?.get(url).header("origin", ORIGIN).send().await?;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN);
    Ok(())
}
