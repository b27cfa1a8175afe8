use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use bytes::Bytes;
use serde_json::{Value, json};
use shared_domain::{Lang, Refusal, RunFailed, Step, UploadCompleted, VideoUploaded};
use shared_objects::notification::{SIGNATURE_HEADER, sign};
use shared_runtime::{AnyHandler, Verdict, boxed};
use shared_store::{Project, Role, User, Video};
use shared_testing::{Answer, Call, NOTIFICATION_SECRET, World};
use tokio::task::JoinSet;

use crate::OnUpload;

const DOOR: &str = "/functions/on-upload";

/// The first bytes of an MP4, and some that mean nothing.
fn mp4() -> Bytes {
    let mut bytes = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".to_vec();
    bytes.resize(1000, 7);
    bytes.into()
}

struct Stage {
    world: World,
    door: Router,
    user: User,
    project: Project,
}

async fn function(world: &World) -> Result<OnUpload> {
    OnUpload::connect(world.shared())
        .await
        .map_err(anyhow::Error::from_boxed)
}

impl Stage {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        let door = world.door(function(&world).await?);
        let user = world.user(Role::Client).await?;
        let project = world.project(&user).await?;
        Ok(Self {
            world,
            door,
            user,
            project,
        })
    }

    /// A video whose bytes lie in storage and of which nobody has told yet.
    async fn arrived(&self, bytes: Bytes) -> Result<Video> {
        let video = self.announced(bytes.len() as u64).await?;
        self.world.upload(&video, bytes).await?;
        Ok(video)
    }

    async fn announced(&self, size: u64) -> Result<Video> {
        self.world.announced(&self.project, "clip.mp4", size).await
    }

    async fn step(&self, video: &Video) -> Result<Step> {
        Ok(self.world.store.video(video.video_id).await?.step)
    }

    async fn accepted(&self) -> Result<usize> {
        Ok(self.world.messages::<VideoUploaded>().await?.len())
    }

    async fn notify(&self, events: &[Value]) -> Result<Answer> {
        signed(&json!({ "events": events }).to_string())
            .at(&self.door)
            .await
    }

    async fn complete(&self, video: &Video, token: &str) -> Result<Answer> {
        let path = format!("{DOOR}/{}/complete", video.video_id);
        Call::post(&path).session(token).at(&self.door).await
    }
}

fn signed(body: &str) -> Call {
    let signature = sign(&NOTIFICATION_SECRET.into(), body.as_bytes());
    unsigned(body).header(SIGNATURE_HEADER, &signature)
}

fn unsigned(body: &str) -> Call {
    Call::post(DOOR)
        .header("content-type", "application/json")
        .body(body.to_owned())
}

/// As Backblaze tells of it.
fn event(id: &str, key: &str) -> Value {
    json!({
        "accountId": "e85c6a500333", "bucketId": "aea8c5bc362ae55070130333",
        "bucketName": "videos-world", "eventId": id, "eventTimestamp": 1_684_793_309_123_i64,
        "eventType": "b2:ObjectCreated:Upload", "eventVersion": 1,
        "matchedRuleName": "uploads", "objectName": key, "objectSize": 1000,
        "objectVersionId": "4_zaea8c5bc362ae55070130333_f",
    })
}

#[tokio::test]
async fn a_signed_notification_is_accepted_once() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.arrived(mp4()).await?;
    let told = event("e1", &video.object_key);
    for _ in 0..2 {
        let answer = stage.notify(std::slice::from_ref(&told)).await?;
        assert_eq!(answer.code(), 200, "{}", answer.text());
    }
    assert_eq!(
        stage
            .notify(&[event("e2", &video.object_key)])
            .await?
            .code(),
        200
    );
    let stored = stage.world.store.video(video.video_id).await?;
    assert_eq!((stored.step, stored.size_bytes), (Step::Uploaded, 1000));
    assert!(stored.etag.is_some());
    let sent = stage.world.messages::<VideoUploaded>().await?;
    assert_eq!(sent, [VideoUploaded::new(video.video_id)]);
    Ok(())
}

#[tokio::test]
async fn a_burst_of_one_notification_has_one_effect() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.arrived(mp4()).await?;
    let body = json!({ "events": [event("e1", &video.object_key)] }).to_string();
    let mut burst = JoinSet::new();
    for _ in 0..20 {
        let (door, body) = (stage.door.clone(), body.clone());
        burst.spawn(async move { signed(&body).at(&door).await });
    }
    for answer in burst.join_all().await {
        assert_eq!(answer?.code(), 200);
    }
    assert_eq!(stage.accepted().await?, 1);
    Ok(())
}

#[tokio::test]
async fn forged_notifications_are_refused() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.arrived(mp4()).await?;
    let body = json!({ "events": [event("e1", &video.object_key)] }).to_string();
    let good = sign(&NOTIFICATION_SECRET.into(), body.as_bytes());
    let other = sign(&"another secret of 32 characters..".into(), body.as_bytes());
    let foreign = sign(&NOTIFICATION_SECRET.into(), b"{}");
    let upper = good.to_uppercase().replace("V1=", "v1=");
    let versions = good.replace("v1=", "v0=");
    for header in [
        "",
        "v1=",
        &other,
        &foreign,
        &upper,
        &versions,
        &good[..good.len() - 1],
    ] {
        let answer = unsigned(&body)
            .header(SIGNATURE_HEADER, header)
            .at(&stage.door)
            .await?;
        assert_eq!(
            (answer.code(), answer.json()["code"].as_str()),
            (401, Some("forged"))
        );
    }
    assert_eq!(unsigned(&body).at(&stage.door).await?.code(), 401);
    let spaced = body.replacen('{', "{ ", 1);
    let answer = unsigned(&spaced)
        .header(SIGNATURE_HEADER, &good)
        .at(&stage.door)
        .await?;
    assert_eq!(answer.code(), 401, "the signature is over the bytes");
    assert_eq!(stage.step(&video).await?, Step::AwaitingUpload);
    Ok(())
}

#[tokio::test]
async fn one_bad_event_of_a_batch_costs_no_other() -> Result<()> {
    let stage = Stage::open().await?;
    let (first, last) = (stage.arrived(mp4()).await?, stage.arrived(mp4()).await?);
    let unknown = stage
        .announced(1000)
        .await?
        .object_key
        .replace("videos/raw/", "");
    let stranger = format!("videos/raw/{}/{}.mp4", first.project_id, first.project_id);
    let mut deleted = event("e6", &first.object_key);
    deleted["eventType"] = json!("b2:ObjectDeleted:Delete");
    let answer = stage
        .notify(&[
            event("e1", &first.object_key),
            event("e2", &stranger),
            event("e3", &unknown),
            json!({ "eventId": 7 }),
            json!("nonsense"),
            json!({ "eventId": "e5", "eventType": "b2:TestEvent" }),
            deleted,
            event("e7", &last.object_key),
        ])
        .await?;
    assert_eq!(answer.code(), 200, "{}", answer.text());
    assert_eq!(stage.accepted().await?, 2);
    assert_eq!(signed("not json").at(&stage.door).await?.code(), 400);
    Ok(())
}

#[tokio::test]
async fn what_is_no_video_is_refused_with_its_reason() -> Result<()> {
    let stage = Stage::open().await?;
    let differs = stage.announced(5000).await?;
    stage.world.upload(&differs, mp4()).await?;
    let empty = stage.announced(1000).await?;
    stage.world.upload(&empty, Bytes::new()).await?;
    let text = stage
        .arrived(Bytes::from_static(b"Dear diary, today I filmed nothing."))
        .await?;
    let tiny = stage.arrived(Bytes::from_static(b"x")).await?;
    let size_differs = Refusal::SizeDiffers {
        declared: 5000,
        stored: 1000,
    };
    for (number, (video, refusal)) in [
        (&differs, size_differs),
        (&empty, Refusal::Empty),
        (&text, Refusal::NotAVideo),
        (&tiny, Refusal::NotAVideo),
    ]
    .into_iter()
    .enumerate()
    {
        for _ in 0..2 {
            let told = event(&format!("e{number}"), &video.object_key);
            assert_eq!(stage.notify(&[told]).await?.code(), 200);
        }
        let refused = stage.world.store.video(video.video_id).await?;
        assert_eq!(
            (refused.step, refused.refusal),
            (Step::Failed, Some(refusal.clone()))
        );
        let mails = stage.world.messages::<RunFailed>().await?;
        assert_eq!(mails.len(), number + 1, "{}", refusal.text(Lang::En));
        assert_eq!(mails[number].video_id, video.video_id);
    }
    assert_eq!(stage.accepted().await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_object_that_cannot_be_read_yet_is_tried_again() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.announced(1000).await?;
    let token = stage.world.session(&stage.user).await?;
    let client = stage.complete(&video, &token).await?;
    assert_eq!(
        (client.code(), client.json()["code"].as_str()),
        (409, Some("not_there"))
    );
    let told = event("e1", &video.object_key);
    let storage = stage.notify(std::slice::from_ref(&told)).await?;
    assert_eq!(storage.code(), 503, "storage has to repeat it");
    assert!(!storage.header("retry-after").is_empty());
    stage.world.upload(&video, mp4()).await?;
    assert_eq!(stage.notify(&[told]).await?.code(), 200);
    assert_eq!(stage.step(&video).await?, Step::Uploaded);
    Ok(())
}

#[tokio::test]
async fn the_client_says_that_its_upload_is_complete() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.arrived(mp4()).await?;
    let stranger = stage.world.user(Role::Client).await?;
    let stranger = stage.world.session(&stranger).await?;
    assert_eq!(stage.complete(&video, &stranger).await?.code(), 404);
    assert_eq!(stage.complete(&video, "nobody").await?.code(), 404);
    let token = stage.world.session(&stage.user).await?;
    let path = format!("{DOOR}/{}/complete", video.video_id);
    let foreign = Call::post(&path)
        .session(&token)
        .header("origin", "https://evil.example");
    assert_eq!(foreign.at(&stage.door).await?.code(), 404);
    assert_eq!(stage.step(&video).await?, Step::AwaitingUpload);
    for _ in 0..2 {
        assert_eq!(stage.complete(&video, &token).await?.code(), 200);
    }
    assert_eq!(
        stage
            .notify(&[event("e1", &video.object_key)])
            .await?
            .code(),
        200
    );
    assert_eq!(stage.accepted().await?, 1);
    Ok(())
}

#[tokio::test]
async fn the_sweeper_finds_what_nobody_told_of() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.arrived(mp4()).await?;
    let handler: Arc<dyn AnyHandler> = boxed(function(&stage.world).await?);
    let mut tx = stage.world.store.transaction().await?;
    for _ in 0..2 {
        tx.send(&UploadCompleted::new(video.video_id)).await?;
    }
    tx.commit().await?;
    let outcomes = stage.world.drain(&[handler]).await?;
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.verdict == Verdict::Done)
    );
    assert_eq!((outcomes.len(), stage.accepted().await?), (2, 1));
    Ok(())
}
