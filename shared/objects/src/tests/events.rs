use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use shared_domain::{Ids, SystemIds};
use tempfile::TempDir;

use super::support::{Delivery, Door, Place, SECRET, eventually};
use crate::notification::{BucketEvent, parse, verify};
use crate::{Part, keys};

fn key() -> String {
    keys::raw(SystemIds.next().into(), SystemIds.next().into(), "mp4")
}

fn event((signature, body): &Delivery) -> Result<BucketEvent> {
    assert!(
        verify(signature, body, &[SECRET.into()]),
        "the signature is good"
    );
    let mut notification = parse(body)?;
    notification.events.pop().context("one event")
}

fn spool(dir: &TempDir, state: &str) -> Result<usize> {
    Ok(std::fs::read_dir(dir.path().join("events").join(state))?.count())
}

async fn spool_is_empty(place: &Place) -> Result<()> {
    eventually("an empty spool", || async {
        let left = spool(&place.dir, "pending")? + spool(&place.dir, "due")?;
        Ok((left == 0).then_some(()))
    })
    .await
}

#[tokio::test]
async fn an_upload_is_told_until_the_door_says_200() -> Result<()> {
    let door = Door::answering(&[500, 204, 503]).await?;
    let place = Place::telling(&door).await?;
    let key = key();
    place
        .objects
        .put(&key, Bytes::from_static(b"video"), "video/mp4")
        .await?;
    let deliveries = door.taken(4).await?;
    let events: Vec<BucketEvent> = deliveries.iter().map(event).collect::<Result<_>>()?;
    for event in &events {
        assert_eq!(event, &events[0], "every repetition is the same event");
    }
    let event = &events[0];
    assert_eq!(event.event_type, "b2:ObjectCreated:Upload");
    assert_eq!(event.object_name.as_deref(), Some(key.as_str()));
    assert_eq!(event.object_size, Some(5));
    assert_eq!(event.bucket_name, super::support::BUCKET);
    assert!(event.event_timestamp > 1_700_000_000_000);
    spool_is_empty(&place).await?;
    assert_eq!(door.so_far(), 4);
    Ok(())
}

#[tokio::test]
async fn every_way_to_make_an_object_has_its_type() -> Result<()> {
    let door = Door::answering(&[]).await?;
    let place = Place::telling(&door).await?;
    let (parts, copy) = (key(), key());
    let id = place.objects.create_multipart(&parts, "video/mp4").await?;
    let signed = place
        .objects
        .presign_part((&parts, &id), 1, 4, Duration::from_mins(1))
        .await?;
    let sent = super::support::http()?
        .put(&signed.url)
        .body("part")
        .send()
        .await?;
    let etag = sent
        .headers()
        .get("etag")
        .context("a tag")?
        .to_str()?
        .to_owned();
    place
        .objects
        .complete_multipart(
            &parts,
            &id,
            &[Part {
                number: 1,
                etag,
                size: 4,
            }],
        )
        .await?;
    let call = place
        .objects
        .client
        .copy_object()
        .bucket(super::support::BUCKET)
        .key(&copy);
    call.copy_source(format!("{}/{parts}", super::support::BUCKET))
        .send()
        .await?;

    let deliveries = door.taken(2).await?;
    let mut told: Vec<(String, Option<String>)> = Vec::new();
    for delivery in &deliveries {
        let event = event(delivery)?;
        assert_eq!(event.object_size, Some(4));
        told.push((event.event_type, event.object_name));
    }
    told.sort();
    assert_eq!(
        told,
        [
            ("b2:ObjectCreated:Copy".to_owned(), Some(copy)),
            ("b2:ObjectCreated:MultipartUpload".to_owned(), Some(parts)),
        ]
    );
    Ok(())
}

#[tokio::test]
async fn only_objects_under_the_prefix_are_told() -> Result<()> {
    let door = Door::answering(&[]).await?;
    let place = Place::telling(&door).await?;
    place
        .objects
        .put("videos/v/strip.jpg", Bytes::from_static(b"x"), "image/jpeg")
        .await?;
    let key = key();
    place
        .objects
        .put(&key, Bytes::from_static(b"x"), "video/mp4")
        .await?;
    place.objects.delete(&key).await?;
    let deliveries = door.taken(1).await?;
    assert_eq!(
        event(&deliveries[0])?.object_name.as_deref(),
        Some(key.as_str())
    );
    spool_is_empty(&place).await?;
    assert_eq!(door.so_far(), 1);
    Ok(())
}

#[tokio::test]
async fn a_door_that_was_shut_is_told_after_a_restart() -> Result<()> {
    let shut = Door::answering(&[500; 100]).await?;
    let place = Place::telling(&shut).await?;
    place
        .objects
        .put(&key(), Bytes::from_static(b"x"), "video/mp4")
        .await?;
    let first = event(&shut.taken(1).await?[0])?;
    let dir = place.close().await?;
    assert_eq!(spool(&dir, "due")?, 1);

    let open = Door::answering(&[]).await?;
    let place = Place::over(dir, Some(open.notify())).await?;
    assert_eq!(event(&open.taken(1).await?[0])?, first);
    spool_is_empty(&place).await
}

/// The spool as a kill leaves it: the intent is written, nothing was committed.
fn killed_before_commit(dir: &TempDir, key: &str) -> Result<()> {
    let event = serde_json::json!({
        "eventId": SystemIds.next().to_string(), "eventType": "b2:ObjectCreated:Upload",
        "objectName": key, "eventTimestamp": 1, "eventVersion": 1,
    });
    let path = dir
        .path()
        .join("events/pending")
        .join(format!("{}.json", SystemIds.next()));
    // The file is named after the event in real life.
    let path = path.with_file_name(format!("{}.json", event["eventId"].as_str().context("id")?));
    std::fs::write(path, event.to_string())?;
    Ok(())
}

#[tokio::test]
async fn a_kill_between_object_and_notification_loses_nothing() -> Result<()> {
    let place = Place::open().await?;
    let (stored, never, old) = (key(), key(), key());
    place
        .objects
        .put(&old, Bytes::from_static(b"old"), "video/mp4")
        .await?;
    let dir = place.close().await?;
    let longer_ago = std::fs::File::open(dir.path().join("store/videos-local").join(&old))?;
    longer_ago.set_modified(std::time::SystemTime::UNIX_EPOCH)?;
    for key in [&stored, &never, &old] {
        killed_before_commit(&dir, key)?;
    }
    let place = Place::over(dir, None).await?;
    place
        .objects
        .put(&stored, Bytes::from_static(b"there"), "video/mp4")
        .await?;
    let dir = place.close().await?;
    assert_eq!(spool(&dir, "pending")?, 3);

    let door = Door::answering(&[]).await?;
    let place = Place::over(dir, Some(door.notify())).await?;
    let event = event(&door.taken(1).await?[0])?;
    assert_eq!(
        (event.object_name, event.object_size),
        (Some(stored), Some(5))
    );
    spool_is_empty(&place).await?;
    assert_eq!(door.so_far(), 1, "what never came to be is not told");
    Ok(())
}

#[tokio::test]
async fn a_refused_upload_is_not_told() -> Result<()> {
    let door = Door::answering(&[]).await?;
    let place = Place::telling(&door).await?;
    let call = place
        .objects
        .client
        .put_object()
        .bucket(super::support::BUCKET)
        .key(key());
    let spoilt = call.content_md5("AAAAAAAAAAAAAAAAAAAAAA==");
    assert!(
        spoilt
            .body(Bytes::from_static(b"x").into())
            .send()
            .await
            .is_err()
    );
    place
        .objects
        .put(&key(), Bytes::from_static(b"x"), "video/mp4")
        .await?;
    door.taken(1).await?;
    spool_is_empty(&place).await?;
    assert_eq!(door.so_far(), 1);
    Ok(())
}
