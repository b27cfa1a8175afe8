use anyhow::{Context, Result};
use axum::Router;
use serde_json::{Value, json};
use shared_domain::{Lang, Refusal, Step, VideoId};
use shared_objects::keys;
use shared_store::{Project, Role, User};
use shared_testing::{Answer, Call, FRONTEND, World, put_signed};

use crate::UploadSignedUrl;

const DOOR: &str = "/functions/upload-signed-url";
const MIB: u64 = 1 << 20;

/// A client who is signed in before the door.
struct Stage {
    world: World,
    door: Router,
    user: User,
    token: String,
    project: Project,
}

impl Stage {
    async fn open() -> Result<Self> {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Result<Self> {
        let world = World::new().await;
        let function = UploadSignedUrl::connect(world.shared_with(settings)).await;
        let door = world.door(function.map_err(anyhow::Error::from_boxed)?);
        let user = world.user(Role::Client).await?;
        let (token, project) = (world.session(&user).await?, world.project(&user).await?);
        Ok(Self {
            world,
            door,
            user,
            token,
            project,
        })
    }

    fn video(&self, name: &str, size: u64) -> Value {
        json!({ "project_id": self.project.project_id, "original_name": name, "size_bytes": size,
                "content_type": "video/mp4" })
    }

    async fn create(&self, body: &Value) -> Result<Answer> {
        Call::post(DOOR)
            .session(&self.token)
            .json(body)
            .at(&self.door)
            .await
    }

    async fn created(&self, name: &str, size: u64) -> Result<Value> {
        let answer = self.create(&self.video(name, size)).await?;
        assert_eq!(answer.code(), 201, "{name}: {}", answer.text());
        Ok(answer.json())
    }

    /// A call about an upload that is under way.
    async fn about(&self, call: Call) -> Result<Answer> {
        call.session(&self.token).at(&self.door).await
    }

    async fn step(&self, created: &Value) -> Result<Step> {
        Ok(self.world.store.video(id(created)?).await?.step)
    }

    async fn open_uploads(&self) -> Result<usize> {
        Ok(self.world.objects().list_multipart_uploads("").await?.len())
    }
}

fn id(created: &Value) -> Result<VideoId> {
    Ok(text(&created["video_id"])?.parse()?)
}

fn text(value: &Value) -> Result<&str> {
    value
        .as_str()
        .with_context(|| format!("{value} is no text"))
}

#[tokio::test]
async fn nobody_without_a_session_gets_a_url() -> Result<()> {
    let stage = Stage::open().await?;
    let body = stage.video("clip.mp4", 1000);
    let answer = Call::post(DOOR).json(&body).at(&stage.door).await?;
    assert_eq!(
        (answer.code(), answer.detail().as_str()),
        (401, "Sign in first.")
    );
    let russian = Call::post(DOOR)
        .in_russian()
        .json(&body)
        .at(&stage.door)
        .await?;
    assert_eq!(russian.detail(), "Войдите в систему.");
    let invented = Call::post(DOOR)
        .session("invented")
        .json(&body)
        .at(&stage.door)
        .await?;
    assert_eq!(invented.code(), 401);
    assert_eq!(stage.world.count("videos", "true").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_stranger_finds_neither_project_nor_video() -> Result<()> {
    let stage = Stage::open().await?;
    let created = stage.created("clip.mp4", 1000).await?;
    for role in [Role::Client, Role::Operator] {
        let token = stage.world.session(&stage.world.user(role).await?).await?;
        let body = stage.video("clip.mp4", 1000);
        let answer = Call::post(DOOR)
            .session(&token)
            .json(&body)
            .at(&stage.door)
            .await?;
        assert_eq!(answer.code(), 404, "{role}");
        let video = format!("{DOOR}/{}", id(&created)?);
        for call in [
            Call::get(&format!("{video}/parts")),
            Call::post(&format!("{video}/parts")).json(&json!({ "numbers": [1] })),
            Call::post(&format!("{video}/complete")),
            Call::delete(&video),
        ] {
            let answer = call.session(&token).at(&stage.door).await?;
            assert_eq!(answer.code(), 404, "{role}");
        }
    }
    assert_eq!(stage.step(&created).await?, Step::AwaitingUpload);
    Ok(())
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() -> Result<()> {
    let stage = Stage::open().await?;
    let body = stage.video("clip.mp4", 1000);
    let from = |origin| {
        Call::post(DOOR)
            .session(&stage.token)
            .header("origin", origin)
            .json(&body)
    };
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1:8000.evil.example",
    ] {
        let answer = from(origin).at(&stage.door).await?;
        assert_eq!(
            (answer.code(), answer.json()["code"].as_str()),
            (403, Some("foreign_page"))
        );
    }
    for origin in [FRONTEND, "http://127.0.0.1:8000"] {
        assert_eq!(from(origin).at(&stage.door).await?.code(), 201, "{origin}");
    }
    Ok(())
}

#[tokio::test]
async fn what_would_be_refused_later_is_refused_at_the_door() -> Result<()> {
    let stage = Stage::with(&[("MAX_VIDEO_FILE_SIZE", "5000")]).await?;
    let allowed: Vec<String> = ["mp4", "avi", "mov", "mkv", "webm"].map(Into::into).into();
    let format = |given: &str| Refusal::FormatNotAllowed {
        given: given.into(),
        allowed: allowed.clone(),
    };
    let too_large = Refusal::TooLarge {
        bytes: 5001,
        limit: 5000,
    };
    for (name, size, refusal) in [
        ("clip.mp4", 0, Refusal::Empty),
        ("clip.mp4", 5001, too_large),
        ("clip.exe", 10, format("exe")),
        ("clip.mp4.html", 10, format("html")),
        ("clip", 10, format("")),
    ] {
        let call = Call::post(DOOR)
            .session(&stage.token)
            .json(&stage.video(name, size));
        let answer = call.at(&stage.door).await?;
        assert_eq!(
            (answer.code(), answer.detail()),
            (422, refusal.text(Lang::En)),
            "{name}"
        );
        assert_eq!(answer.json()["code"], refusal.code());
        let call = Call::post(DOOR)
            .session(&stage.token)
            .json(&stage.video(name, size));
        let russian = call.in_russian().at(&stage.door).await?;
        assert_eq!(russian.detail(), refusal.text(Lang::Ru), "{name}");
    }
    assert_eq!(stage.world.count("videos", "true").await?, 0);
    Ok(())
}

#[tokio::test]
async fn fields_that_cannot_be_right_are_named_in_both_languages() -> Result<()> {
    let stage = Stage::open().await?;
    let long = format!("{}.mp4", "x".repeat(252));
    let with = |field: &str, value: Value| {
        let mut body = stage.video("clip.mp4", 10);
        body[field] = value;
        body
    };
    for (field, body) in [
        ("original_name", stage.video("  ", 10)),
        ("original_name", stage.video("a\r\nSet-Cookie: x.mp4", 10)),
        ("original_name", stage.video("a\0.mp4", 10)),
        ("original_name", stage.video(&long, 10)),
        ("sha256", with("sha256", json!("ABC"))),
        (
            "content_type",
            with("content_type", json!("video/mp4\r\nx: y")),
        ),
        (
            "content_type",
            with("content_type", json!("text/html; charset=utf-8")),
        ),
    ] {
        let answer = stage.create(&body).await?;
        assert_eq!(answer.code(), 422, "{body}");
        assert!(answer.detail().starts_with(field), "{}", answer.detail());
        let call = Call::post(DOOR)
            .session(&stage.token)
            .in_russian()
            .json(&body);
        let russian = call.at(&stage.door).await?.detail();
        let cyrillic = russian.chars().any(|c| ('а'..='я').contains(&c));
        assert!(russian.starts_with(field) && cyrillic, "{russian}");
    }
    for (field, value) in [("size_bytes", json!(-1)), ("role", json!("ADMIN"))] {
        assert_eq!(
            stage.create(&with(field, value)).await?.code(),
            400,
            "{field}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_name_is_data_and_never_part_of_a_key() -> Result<()> {
    let stage = Stage::open().await?;
    for name in [
        "../../etc/passwd.mp4",
        "..\\..\\windows\\system32.mp4",
        "/etc/cron.d/x.mp4",
        "videos/raw/other/other.mp4",
        "%2e%2e%2fx.mp4",
        "-rf.mp4",
        "-i.mp4",
        "http:x.mp4",
        "concat:a|b.mp4",
        "pipe:0.mp4",
        "file:x.mp4",
        "a b\u{a0}c.MP4",
        "\u{202e}4pm.mp4",
        "<script>alert(1)</script>.mp4",
        "\"><img src=x onerror=alert(1)>.mp4",
        "'; drop table videos; --.mp4",
        "=cmd|'/c calc'!A1.mp4",
        "${jndi:ldap://x}.mp4",
        "{{7*7}}.mp4",
        "$(id).mp4",
        "`id`.mp4",
        "CON.mp4",
        ".mp4",
        "..mp4",
        "...mp4",
        "отпуск «лето».mp4",
        "🎬.mkv",
        "x?a=b&c=d#e.webm",
        "a;b=c.mov",
        "x.avi",
    ] {
        let created = stage.created(name, 10).await?;
        let key = text(&created["object_key"])?;
        let owner = Some((stage.project.project_id, id(&created)?));
        assert_eq!(keys::video_of_raw_key(key), owner, "{name}: {key}");
        let video = stage.world.store.video(id(&created)?).await?;
        assert_eq!(video.original_name, name);
    }
    Ok(())
}

#[tokio::test]
async fn an_empty_balance_stops_a_client_and_no_admin() -> Result<()> {
    let stage = Stage::open().await?;
    let body = stage.video("clip.mp4", 10);
    let admin = stage
        .world
        .session(&stage.world.user(Role::Admin).await?)
        .await?;
    let answer = Call::post(DOOR)
        .session(&admin)
        .json(&body)
        .at(&stage.door)
        .await?;
    assert_eq!(answer.code(), 201);
    let poor = stage.world.poor_user().await?;
    let project = stage.world.project(&poor).await?;
    let token = stage.world.session(&poor).await?;
    let mut body = body;
    body["project_id"] = json!(project.project_id);
    let answer = Call::post(DOOR)
        .session(&token)
        .json(&body)
        .at(&stage.door)
        .await?;
    assert_eq!(
        (answer.code(), answer.json()["code"].as_str()),
        (402, Some("no_balance"))
    );
    assert!(stage.user.balance_minutes > 0);
    Ok(())
}

#[tokio::test]
async fn one_key_makes_one_video_and_one_upload() -> Result<()> {
    let stage = Stage::open().await?;
    for size in [1000, 64 * MIB] {
        let body = stage.video("clip.mp4", size);
        let key = format!("key-{size}");
        let call = || {
            let call = Call::post(DOOR)
                .session(&stage.token)
                .header("idempotency-key", &key);
            call.json(&body)
        };
        let first = call().at(&stage.door).await?;
        let again = call().at(&stage.door).await?;
        assert_eq!((first.code(), again.code()), (201, 201));
        assert_eq!(first.json()["video_id"], again.json()["video_id"]);
        assert_eq!(
            first.json()["upload"]["upload_id"],
            again.json()["upload"]["upload_id"]
        );
    }
    assert_eq!(stage.world.count("videos", "true").await?, 2);
    assert_eq!(
        stage.open_uploads().await?,
        1,
        "the repeat leaves no open upload behind"
    );
    Ok(())
}

#[tokio::test]
async fn an_upload_that_failed_or_was_given_up_may_be_repeated() -> Result<()> {
    let stage = Stage::open().await?;
    let create = async || {
        let call = Call::post(DOOR)
            .header("idempotency-key", "key-1")
            .json(&stage.video("clip.mp4", 100 * MIB));
        let answer = stage.about(call).await?;
        assert_eq!(answer.code(), 201, "{}", answer.text());
        id(&answer.json())
    };
    let first = create().await?;
    let given_up = stage
        .about(Call::delete(&format!("{DOOR}/{first}")))
        .await?;
    assert_eq!(given_up.code(), 204, "{}", given_up.text());
    let second = create().await?;
    let mut tx = stage.world.store.transaction().await?;
    tx.refuse(second, &Refusal::Damaged).await?;
    tx.commit().await?;
    let third = create().await?;
    assert!(first != second && second != third && first != third);
    assert_eq!(create().await?, third);
    Ok(())
}

#[tokio::test]
async fn a_small_video_is_one_put_of_exactly_its_size_and_type() -> Result<()> {
    let stage = Stage::open().await?;
    let created = stage.created("clip.mp4", 1000).await?;
    let upload = &created["upload"];
    assert_eq!(
        (text(&upload["kind"])?, text(&upload["method"])?),
        ("single", "PUT")
    );
    let (url, headers) = (text(&upload["url"])?, &upload["headers"]);
    for size in [0, 999, 1001] {
        assert_eq!(
            put_signed(url, headers, vec![1; size]).await?,
            403,
            "{size} bytes"
        );
    }
    let other = json!({ "content-type": "text/html" });
    assert_eq!(put_signed(url, &other, vec![1; 1000]).await?, 403);
    let key = text(&created["object_key"])?;
    assert!(
        stage.world.objects().head(key).await.is_err(),
        "nothing was stored"
    );
    assert_eq!(put_signed(url, headers, vec![1; 1000]).await?, 200);
    let head = stage.world.objects().head(key).await?;
    assert_eq!(
        (head.size, head.content_type.as_deref()),
        (1000, Some("video/mp4"))
    );
    Ok(())
}

#[tokio::test]
async fn the_estimate_follows_the_duration_that_the_client_knows() -> Result<()> {
    let stage = Stage::open().await?;
    let mut body = stage.video("clip.mp4", 1000);
    assert_eq!(
        stage.create(&body).await?.json()["estimate"]["minutes"],
        Value::Null
    );
    for (seconds, minutes) in [(0.5, 1), (60.0, 1), (61.0, 2), (-5.0, 0)] {
        body["duration_seconds"] = json!(seconds);
        assert_eq!(
            stage.create(&body).await?.json()["estimate"]["minutes"],
            minutes
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_large_video_goes_up_in_parts_that_can_be_resumed() -> Result<()> {
    let stage = Stage::open().await?;
    let created = stage.created("film.mp4", 64 * MIB).await?;
    let upload = &created["upload"];
    let parts = upload["parts"].as_array().context("parts")?.clone();
    assert_eq!((text(&upload["kind"])?, parts.len()), ("multipart", 4));
    assert_eq!(upload["part_size"], 16 * MIB);
    let complete = text(&upload["complete_url"])?;
    let bytes = || vec![7; 16 << 20];
    for part in parts.iter().take(3) {
        assert_eq!(
            put_signed(text(&part["url"])?, &part["headers"], bytes()).await?,
            200
        );
    }
    let early = stage.about(Call::post(complete)).await?;
    assert_eq!(
        (early.code(), early.json()["code"].as_str()),
        (422, Some("size_differs"))
    );

    let more = text(&upload["more_parts_url"])?;
    let arrived = stage.about(Call::get(more)).await?.json();
    let arrived = arrived["parts"].as_array().context("parts")?.clone();
    assert_eq!(arrived.len(), 3);
    assert_eq!(arrived[2], json!({ "number": 3, "size": 16 * MIB }));
    for number in [0, 5] {
        let call = Call::post(more).json(&json!({ "numbers": [number] }));
        assert_eq!(stage.about(call).await?.code(), 422, "part {number}");
    }
    let last = stage
        .about(Call::post(more).json(&json!({ "numbers": [4] })))
        .await?
        .json();
    let last = &last["parts"][0];
    let (url, headers) = (text(&last["url"])?, &last["headers"]);
    assert_eq!(
        put_signed(url, headers, vec![7; 1000]).await?,
        403,
        "not the signed size"
    );
    assert_eq!(put_signed(url, headers, bytes()).await?, 200);

    for _ in 0..2 {
        let done = stage.about(Call::post(complete)).await?;
        assert_eq!(
            done.code(),
            200,
            "a lost answer may be asked for again: {}",
            done.text()
        );
    }
    let head = stage
        .world
        .objects()
        .head(text(&created["object_key"])?)
        .await?;
    assert_eq!(head.size, 64 * MIB);
    Ok(())
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let created = stage.created("film.mp4", 64 * MIB).await?;
    let part = &created["upload"]["parts"][0];
    put_signed(text(&part["url"])?, &part["headers"], vec![7; 16 << 20]).await?;
    let abort = text(&created["upload"]["abort_url"])?;
    let gone = stage.about(Call::delete(abort)).await?;
    assert_eq!((gone.code(), gone.body.len()), (204, 0));
    assert_eq!(stage.step(&created).await?, Step::Expired);
    assert_eq!(stage.open_uploads().await?, 0);
    let again = stage.about(Call::delete(abort)).await?;
    assert_eq!(
        (again.code(), again.json()["code"].as_str()),
        (409, Some("not_waiting"))
    );
    Ok(())
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_clearly() -> Result<()> {
    let stage = Stage::open().await?;
    for call in [
        Call::get(DOOR),
        Call::post(&format!("{DOOR}/nobody/complete")),
        Call::delete(&format!("{DOOR}/x/y/z")),
        Call::post(DOOR).body("{"),
    ] {
        let answer = stage.about(call).await?;
        assert_eq!(answer.code(), 400);
        assert!(answer.detail().starts_with("The request cannot be read"));
    }
    Ok(())
}

#[tokio::test]
async fn the_version_before_is_named_by_its_id_within_the_project() -> Result<()> {
    let stage = Stage::open().await?;
    let first = id(&stage.created("first.mp4", 1000).await?)?;
    let mut body = stage.video("second.mp4", 1000);
    body["previous_video_id"] = json!(first);
    let answer = stage.create(&body).await?;
    assert_eq!(answer.code(), 201, "{}", answer.text());
    let second = id(&answer.json())?;
    let previous = stage.world.store.previous_version(second).await?;
    assert_eq!(previous, Some(first));

    let stranger = stage.world.user(Role::Client).await?;
    let project = stage.world.project(&stranger).await?;
    let theirs = stage.world.announced(&project, "theirs.mp4", 1000).await?;
    for foreign in [theirs.video_id, stage.world.store.fresh()] {
        body["previous_video_id"] = json!(foreign);
        let answer = stage.create(&body).await?;
        assert_eq!(answer.code(), 404, "{}", answer.text());
    }
    Ok(())
}
