use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::StatusCode;
use shared_domain::{Clock, SystemClock};

use super::support::{Place, http};
use crate::{ObjectsError, Part};

const KEY: &str = "videos/raw/p/v.mp4";
const FULL: usize = 5 * 1024 * 1024;
const MINUTE: Duration = Duration::from_mins(1);

/// Sends a part as a browser does and answers its tag.
async fn send(place: &Place, id: &str, number: u16, body: Vec<u8>) -> Result<Part> {
    let size = body.len() as u64;
    let signed = place
        .objects
        .presign_part((KEY, id), number, size, MINUTE)
        .await?;
    let answer = http()?
        .put(&signed.url)
        .body(body)
        .send()
        .await?
        .error_for_status()?;
    let etag = answer
        .headers()
        .get("etag")
        .context("a tag")?
        .to_str()?
        .to_owned();
    Ok(Part { number, etag, size })
}

#[tokio::test]
async fn an_upload_is_resumed_after_a_restart_and_completed() -> Result<()> {
    let place = Place::open().await?;
    let id = place.objects.create_multipart(KEY, "video/mp4").await?;
    let first = send(&place, &id, 1, vec![1; FULL]).await?;
    send(&place, &id, 2, vec![9; 10]).await?;
    let dir = place.close().await?;

    let place = Place::over(dir, None).await?;
    let open = place.objects.list_multipart_uploads("videos/raw/").await?;
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].key.as_str(), open[0].upload_id.as_str()),
        (KEY, id.as_str())
    );
    assert!(open[0].initiated.is_some());
    assert_eq!(
        place.objects.list_multipart_uploads("videos/other").await?,
        []
    );

    let second = send(&place, &id, 2, vec![2; 100]).await?;
    let parts = place.objects.list_parts(KEY, &id).await?;
    assert_eq!(parts, [first, second]);
    assert!(matches!(
        place.objects.head(KEY).await,
        Err(ObjectsError::NotFound { .. })
    ));

    place.objects.complete_multipart(KEY, &id, &parts).await?;
    let head = place.objects.head(KEY).await?;
    assert_eq!(head.size, FULL as u64 + 100);
    assert_eq!(head.content_type.as_deref(), Some("video/mp4"));
    let seam = place
        .objects
        .get_range(KEY, FULL as u64 - 1..FULL as u64 + 1)
        .await?;
    assert_eq!(&seam[..], [1, 2]);
    assert_eq!(place.objects.list_multipart_uploads("").await?, []);
    place
        .objects
        .complete_multipart(KEY, &id, &parts)
        .await
        .context("a repetition is safe")?;
    assert_eq!(
        std::fs::read_dir(place.dir.path().join("uploads"))?.count(),
        0
    );
    Ok(())
}

#[tokio::test]
async fn a_part_must_have_the_signed_size() -> Result<()> {
    let place = Place::open().await?;
    let id = place.objects.create_multipart(KEY, "video/mp4").await?;
    let signed = place
        .objects
        .presign_part((KEY, &id), 1, 10, MINUTE)
        .await?;
    let answer = http()?.put(&signed.url).body(vec![0; 11]).send().await?;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    let other = signed.url.replace("partNumber=1", "partNumber=2");
    let answer = http()?.put(other).body(vec![0; 10]).send().await?;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(place.objects.list_parts(KEY, &id).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_wrong_completion_costs_nothing() -> Result<()> {
    let place = Place::open().await?;
    let objects = &place.objects;
    let id = objects.create_multipart(KEY, "video/mp4").await?;
    let one = send(&place, &id, 1, vec![1; FULL]).await?;
    let two = send(&place, &id, 2, vec![2; 10]).await?;
    let three = send(&place, &id, 3, vec![3; 10]).await?;
    let absent = Part {
        number: 4,
        ..two.clone()
    };
    let renamed = Part {
        etag: one.etag.clone(),
        ..two.clone()
    };
    for wrong in [
        vec![],
        vec![one.clone(), absent],
        vec![one.clone(), renamed],
        vec![two.clone(), one.clone()],
        vec![one.clone(), one.clone()],
        vec![one.clone(), two.clone(), three.clone()],
    ] {
        let error = objects
            .complete_multipart(KEY, &id, &wrong)
            .await
            .expect_err("wrong parts");
        assert!(
            matches!(error, ObjectsError::Refused { status: 400, .. }),
            "{error:?}"
        );
    }
    assert_eq!(objects.list_parts(KEY, &id).await?.len(), 3);
    objects.complete_multipart(KEY, &id, &[one, three]).await?;
    assert_eq!(objects.head(KEY).await?.size, FULL as u64 + 10);
    Ok(())
}

#[tokio::test]
async fn an_aborted_upload_is_gone_for_good() -> Result<()> {
    let place = Place::open().await?;
    let objects = &place.objects;
    let id = objects.create_multipart(KEY, "video/mp4").await?;
    let part = send(&place, &id, 1, vec![1; 10]).await?;
    objects.abort_multipart(KEY, &id).await?;
    objects
        .abort_multipart(KEY, &id)
        .await
        .context("a repetition is safe")?;
    assert!(matches!(
        objects.list_parts(KEY, &id).await,
        Err(ObjectsError::NotFound { .. })
    ));
    let late = objects.complete_multipart(KEY, &id, &[part]).await;
    assert!(matches!(late, Err(ObjectsError::NotFound { .. })));
    assert!(send(&place, &id, 2, vec![1; 10]).await.is_err());
    assert_eq!(
        std::fs::read_dir(place.dir.path().join("uploads"))?.count(),
        0
    );
    Ok(())
}

#[tokio::test]
async fn foreign_upload_ids_find_nothing() -> Result<()> {
    let place = Place::open().await?;
    let id = place
        .objects
        .create_multipart("another/key", "video/mp4")
        .await?;
    for id in [id.as_str(), "..", "../store", "", "x"] {
        assert!(place.objects.list_parts(KEY, id).await.is_err(), "{id:?}");
    }
    Ok(())
}

#[tokio::test]
async fn parts_and_uploads_are_listed_in_pages() -> Result<()> {
    let place = Place::open().await?;
    let sdk = &place.objects.client;
    let id = place.objects.create_multipart(KEY, "video/mp4").await?;
    for number in 1..=3 {
        send(&place, &id, number, vec![0; 3]).await?;
    }
    let bucket = super::support::BUCKET;
    let page = sdk
        .list_parts()
        .bucket(bucket)
        .key(KEY)
        .upload_id(&id)
        .max_parts(2)
        .send()
        .await?;
    assert_eq!((page.parts().len(), page.is_truncated()), (2, Some(true)));
    let second = place.objects.create_multipart(KEY, "video/mp4").await?;
    let page = sdk
        .list_multipart_uploads()
        .bucket(bucket)
        .max_uploads(1)
        .send()
        .await?;
    assert_eq!(page.uploads()[0].upload_id(), Some(id.as_str()));
    let rest = sdk
        .list_multipart_uploads()
        .bucket(bucket)
        .set_key_marker(page.next_key_marker().map(str::to_owned))
        .set_upload_id_marker(page.next_upload_id_marker().map(str::to_owned))
        .send()
        .await?;
    assert_eq!(rest.uploads()[0].upload_id(), Some(second.as_str()));
    assert_eq!(
        (rest.uploads().len(), rest.is_truncated()),
        (1, Some(false))
    );
    Ok(())
}

#[tokio::test]
async fn what_is_left_of_uploads_is_swept_at_the_next_start() -> Result<()> {
    let place = Place::open().await?;
    let (fresh, left) = (
        place.objects.create_multipart("v/a", "video/mp4").await?,
        place.objects.create_multipart("v/b", "video/mp4").await?,
    );
    let dir = place.close().await?;
    let folder = |id: &str| dir.path().join("uploads").join(id);
    let halved = folder("0198c0de-0000-7000-8000-000000000000");
    std::fs::create_dir(&halved)?;
    std::fs::write(halved.join("00001-x.part"), "a part")?;
    let before = SystemClock.now() - std::time::Duration::from_hours(25);
    std::fs::File::open(folder(&left))?.set_modified(std::time::SystemTime::from(before))?;

    let place = Place::over(dir, None).await?;
    let names: Vec<_> = std::fs::read_dir(place.dir.path().join("uploads"))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    assert_eq!(names, [fresh]);
    Ok(())
}
