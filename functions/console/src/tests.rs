use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use http::Method;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use shared_domain::{Lang, Refusal, Step, Task, VideoUploaded};
use shared_objects::keys;
use shared_runtime::Shared;
use shared_store::{Hold, NewUser, Project, Role, User, Video};
use shared_testing::{Answer, Call, HOST, World, redis};

use crate::{Console, password};

mod playback;

const PASSWORD: &str = "correct horse battery staple";

struct Stage {
    world: World,
    doors: Router,
    user: User,
    token: String,
    project: Project,
}

impl Stage {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        let doors = doors(&world, &[]).await?;
        let user = world.user(Role::Client).await?;
        let (token, project) = (world.session(&user).await?, world.project(&user).await?);
        Ok(Self {
            world,
            doors,
            user,
            token,
            project,
        })
    }

    async fn get(&self, path: &str) -> Result<Answer> {
        Call::get(path).session(&self.token).at(&self.doors).await
    }

    async fn login(&self, email: &str, password: &str) -> Result<Answer> {
        let body = json!({ "email": email, "password": password });
        Call::post("/api/auth/login/")
            .json(&body)
            .at(&self.doors)
            .await
    }

    /// Somebody with a password.
    async fn person(&self, email: &str) -> Result<User> {
        let new = NewUser {
            email: email.into(),
            password_hash: password::hash(PASSWORD)?,
            role: Role::Client,
            company_name: String::new(),
            balance_minutes: 0,
            language: Lang::En,
        };
        Ok(self.world.store.insert_user(new).await?)
    }

    async fn refused(&self) -> Result<Video> {
        let video = self
            .world
            .announced(&self.project, "clip.mp4", 1000)
            .await?;
        let mut tx = self.world.store.transaction().await?;
        tx.refuse(video.video_id, &Refusal::NoPicture).await?;
        tx.commit().await?;
        Ok(video)
    }
}

async fn doors(world: &World, settings: &[(&str, &str)]) -> Result<Router> {
    let console = Console::connect(world.shared_with(settings)).await;
    Ok(console.map_err(anyhow::Error::from_boxed)?.router())
}

/// The token of a `Set-Cookie`.
fn token(answer: &Answer) -> Result<String> {
    let cookies = answer.cookies();
    let cookie = cookies.first().context("a cookie")?;
    let value = cookie.strip_prefix("session=").context("a session")?;
    Ok(value.split(';').next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_words_of_a_project_are_replaced_by_whoever_sees_it() -> Result<()> {
    let stage = Stage::open().await?;
    let path = format!("/api/projects/{}/words/", stage.project.project_id);
    let put = |body: Value| {
        Call::new(Method::PUT, &path)
            .session(&stage.token)
            .json(&body)
    };
    let good = json!({ "allow": "водка", "deny": "ромашк*\nтайный план" });
    assert_eq!(put(good.clone()).at(&stage.doors).await?.code(), 200);
    assert_eq!(stage.get(&path).await?.json(), good);

    let wrong = json!({ "allow": "", "deny": "слово\n*" });
    let answer = put(wrong).at(&stage.doors).await?;
    assert_eq!(answer.code(), 422);
    assert!(
        answer.detail().contains("deny, line 2"),
        "{}",
        answer.detail()
    );
    let huge = json!({ "allow": "", "deny": "слово\n".repeat(60_000) });
    assert_eq!(put(huge).at(&stage.doors).await?.code(), 422);
    assert_eq!(stage.get(&path).await?.json(), good, "the former ones stay");

    let stranger = stage.person("stranger@example.org").await?;
    let token = stage.world.session(&stranger).await?;
    for call in [Call::get(&path), Call::new(Method::PUT, &path).json(&good)] {
        let answer = call.session(&token).at(&stage.doors).await?;
        assert_eq!(answer.code(), 404);
    }
    Ok(())
}

#[tokio::test]
async fn a_login_opens_a_session_that_a_logout_ends() -> Result<()> {
    let stage = Stage::open().await?;
    stage.person("ann@example.org").await?;
    let answer = stage.login(" Ann@Example.org ", PASSWORD).await?;
    assert_eq!(
        (answer.code(), answer.json()["email"].as_str()),
        (200, Some("ann@example.org"))
    );
    assert!(answer.json().get("password_hash").is_none());
    let cookie = answer.cookies().join("");
    let parts: BTreeSet<_> = cookie.split("; ").skip(1).collect();
    let wanted = [
        "HttpOnly",
        "Max-Age=604800",
        "Path=/",
        "SameSite=Strict",
        "Secure",
    ];
    assert_eq!(parts, BTreeSet::from(wanted));
    let session = token(&answer)?;
    assert_eq!(session.len(), 64, "32 random bytes");
    assert_ne!(
        session,
        token(&stage.login("ann@example.org", PASSWORD).await?)?
    );

    let me = Call::get("/api/users/me/")
        .session(&session)
        .at(&stage.doors)
        .await?;
    assert_eq!(
        (me.code(), me.json()["role"].as_str()),
        (200, Some("CLIENT"))
    );
    let foreign = Call::post("/api/auth/logout/").session(&session);
    let foreign = foreign
        .header("origin", "https://evil.example")
        .at(&stage.doors)
        .await?;
    assert_eq!(foreign.code(), 403);
    let out = Call::post("/api/auth/logout/")
        .session(&session)
        .at(&stage.doors)
        .await?;
    assert_eq!(out.code(), 204);
    assert!(out.cookies().join("").contains("Max-Age=0"));
    let me = Call::get("/api/users/me/")
        .session(&session)
        .at(&stage.doors)
        .await?;
    assert_eq!(
        me.code(),
        401,
        "the session is revoked, not only the cookie"
    );
    Ok(())
}

#[tokio::test]
async fn a_session_ends_by_itself_and_with_its_user() -> Result<()> {
    let stage = Stage::open().await?;
    stage.person("ann@example.org").await?;
    let session = token(&stage.login("ann@example.org", PASSWORD).await?)?;
    stage.world.clock.advance(Duration::from_hours(7 * 24 - 1));
    let me = || {
        Call::get("/api/users/me/")
            .session(&session)
            .at(&stage.doors)
    };
    assert_eq!(me().await?.code(), 200);
    stage.world.clock.advance(Duration::from_hours(2));
    assert_eq!(me().await?.code(), 401);
    Ok(())
}

#[tokio::test]
async fn without_tls_the_cookie_is_not_marked_secure() -> Result<()> {
    let stage = Stage::open().await?;
    stage.person("ann@example.org").await?;
    let local = doors(&stage.world, &[("PUBLIC_URL", "http://127.0.0.1:8000")]).await?;
    let body = json!({ "email": "ann@example.org", "password": PASSWORD });
    let answer = Call::post("/api/auth/login/")
        .json(&body)
        .at(&local)
        .await?;
    assert!(!answer.cookies().join("").contains("Secure"));
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() -> Result<()> {
    let stage = Stage::open().await?;
    stage.person("ann@example.org").await?;
    let wrong = stage.login("ann@example.org", "wrong").await?;
    let unknown = stage.login("bob@example.org", "wrong").await?;
    let empty = stage.login("", "").await?;
    for answer in [&wrong, &unknown, &empty] {
        assert_eq!((answer.code(), &answer.body), (401, &wrong.body));
        assert!(answer.cookies().is_empty());
    }
    assert_eq!(wrong.detail(), "The name or the password is wrong.");
    let body = json!({ "email": "ann@example.org", "password": "wrong" });
    let russian = Call::post("/api/auth/login/")
        .in_russian()
        .json(&body)
        .at(&stage.doors)
        .await?;
    assert_eq!(russian.detail(), "Имя или пароль неверны.");
    // Users without a usable hash cannot sign in with it.
    assert_eq!(
        stage.login(&stage.user.email, "$argon2id$").await?.code(),
        401
    );
    let body = json!({ "email": "ann@example.org", "password": PASSWORD });
    let foreign = Call::post("/api/auth/login/")
        .json(&body)
        .header("origin", "https://evil.example");
    assert_eq!(foreign.at(&stage.doors).await?.code(), 403);
    Ok(())
}

#[tokio::test]
async fn guessing_is_slowed_down_for_each_name() -> Result<()> {
    let stage = Stage::open().await?;
    stage.person("ann@example.org").await?;
    for _ in 0..10 {
        assert_eq!(stage.login("ann@example.org", "guess").await?.code(), 401);
    }
    let stopped = stage.login("ANN@example.org ", PASSWORD).await?;
    assert_eq!((stopped.code(), stopped.header("retry-after")), (429, "60"));
    assert_eq!(
        stage.login("bob@example.org", "guess").await?.code(),
        401,
        "another name"
    );
    stage.world.clock.advance(Duration::from_secs(61));
    assert_eq!(stage.login("ann@example.org", PASSWORD).await?.code(), 200);
    Ok(())
}

#[tokio::test]
async fn a_client_sees_its_own_videos_in_pages() -> Result<()> {
    let stage = Stage::open().await?;
    for number in 1..=3 {
        stage
            .world
            .announced(&stage.project, &format!("{number}.mp4"), 1000)
            .await?;
        stage.world.clock.advance(Duration::from_secs(1));
    }
    let other = stage.world.user(Role::Client).await?;
    let theirs = stage.world.project(&other).await?;
    stage.world.announced(&theirs, "secret.mp4", 1000).await?;
    let page = stage.get("/api/videos/?page=1&page_size=2").await?.json();
    let names = |page: &Value| -> Vec<String> {
        let rows = page["results"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        rows.iter()
            .filter_map(|row| row["original_name"].as_str().map(Into::into))
            .collect()
    };
    assert_eq!(
        (&page["count"], &page["previous"]),
        (&json!(3), &Value::Null)
    );
    assert_eq!(names(&page), ["3.mp4", "2.mp4"], "newest first");
    let last = stage
        .get(page["next"].as_str().context("a next page")?)
        .await?
        .json();
    assert_eq!(
        (names(&last), &last["next"]),
        (vec!["1.mp4".to_owned()], &Value::Null)
    );
    assert_eq!(last["previous"], "/api/videos/?page=1&page_size=2");

    let admin = stage
        .world
        .session(&stage.world.user(Role::Admin).await?)
        .await?;
    let all = Call::get("/api/videos/")
        .session(&admin)
        .at(&stage.doors)
        .await?
        .json();
    assert_eq!(all["count"], 4);
    for odd in [
        "page=0",
        "page=-1&page_size=-1",
        "page_size=100000",
        "page=9223372036854775807",
    ] {
        let answer = stage.get(&format!("/api/videos/?{odd}")).await?;
        assert_eq!(answer.code(), 200, "{odd}: {}", answer.text());
    }
    Ok(())
}

#[tokio::test]
async fn everybody_has_a_project_to_begin_with() -> Result<()> {
    let stage = Stage::open().await?;
    let fresh = stage
        .world
        .session(&stage.world.user(Role::Client).await?)
        .await?;
    for _ in 0..2 {
        let list = Call::get("/api/projects/")
            .session(&fresh)
            .at(&stage.doors)
            .await?
            .json();
        assert_eq!(
            (&list["count"], &list["results"][0]["own"]),
            (&json!(1), &json!(true))
        );
    }
    let list = stage.get("/api/projects/").await?.json();
    assert_eq!(
        (&list["count"], &list["results"][0]["name"]),
        (&json!(1), &json!("Cuts"))
    );
    Ok(())
}

#[tokio::test]
async fn a_video_is_shown_with_its_reason_in_the_readers_language() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.refused().await?;
    let path = format!("/api/videos/{}/", video.video_id);
    let shown = stage.get(&path).await?.json();
    assert_eq!(
        (&shown["status"], &shown["file_size"]),
        (&json!("FAILED"), &json!(1000))
    );
    assert_eq!(shown["status_message"], Refusal::NoPicture.text(Lang::En));
    let russian = Call::get(&path)
        .session(&stage.token)
        .in_russian()
        .at(&stage.doors)
        .await?;
    assert_eq!(
        russian.json()["status_message"],
        Refusal::NoPicture.text(Lang::Ru)
    );
    let bearer = format!("Bearer {}", stage.token);
    let program = Call::get(&path)
        .header("authorization", &bearer)
        .at(&stage.doors)
        .await?;
    assert_eq!(program.code(), 200);
    Ok(())
}

#[tokio::test]
async fn a_stranger_finds_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    stage
        .world
        .report(&run, "pass", json!({ "total_triggers": 0 }))
        .await?;
    let base = format!("/api/videos/{}", run.video.video_id);
    let calls = || {
        [
            Call::get(&format!("{base}/")),
            Call::get(&format!("{base}/progress/")),
            Call::get(&format!("{base}/report/")),
            Call::get(&format!("{base}/report.html")),
            Call::post(&format!("{base}/retry_processing/")),
        ]
    };
    for role in [Role::Client, Role::Operator] {
        let token = stage.world.session(&stage.world.user(role).await?).await?;
        for call in calls() {
            let answer = call.session(&token).at(&stage.doors).await?;
            assert_eq!(
                (answer.code(), answer.json()["code"].as_str()),
                (404, Some("not_found"))
            );
        }
    }
    for call in calls() {
        assert_eq!(
            call.at(&stage.doors).await?.code(),
            401,
            "nobody is signed in"
        );
    }
    Ok(())
}

#[tokio::test]
async fn progress_begins_with_the_present_state_and_ends_with_the_last() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage
        .world
        .run(&stage.project, &[Task::Nudity, Task::Speech])
        .await?;
    let path = format!("/api/videos/{}/progress/", run.video.video_id);
    let answer = Call::get(&path)
        .session(&stage.token)
        .open(&stage.doors)
        .await?;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut body = answer.into_body();
    let event = event(&mut body).await?;
    assert_eq!(
        (&event["status"], &event["progress"]),
        (&json!("PROCESSING"), &json!(30.0)),
        "everything is cut, nothing is answered"
    );
    let tasks = json!([{ "task": "nudity", "planned": 1, "done": 0 },
                       { "task": "speech", "planned": 1, "done": 0 }]);
    assert_eq!(event["tasks"], tasks);

    stage
        .world
        .report(&run, "review", json!({ "total_triggers": 3 }))
        .await?;
    let last = self::event(&mut body).await?;
    assert_eq!(
        (&last["status"], &last["verdict"]),
        (&json!("VERIFICATION"), &json!("review"))
    );
    assert_eq!(last["total_triggers"], 3);
    let end = tokio::time::timeout(Duration::from_secs(20), body.frame()).await?;
    assert!(end.is_none(), "nothing follows the last state");
    Ok(())
}

/// The next event of a stream, within a deadline.
async fn event(body: &mut axum::body::Body) -> Result<Value> {
    let frame = tokio::time::timeout(Duration::from_secs(20), body.frame()).await?;
    let data = frame.context("an event")??.into_data();
    let data = data.map_err(|_| anyhow::anyhow!("no data"))?;
    let text = std::str::from_utf8(&data)?;
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("event: progress"));
    let data = lines.next().and_then(|line| line.strip_prefix("data: "));
    Ok(serde_json::from_str(data.context("data")?)?)
}

#[tokio::test]
async fn a_report_is_json_and_a_page_that_runs_nothing() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let base = format!("/api/videos/{}", run.video.video_id);
    assert_eq!(
        stage.get(&format!("{base}/report/")).await?.code(),
        404,
        "not written yet"
    );
    assert_eq!(stage.get(&format!("{base}/report.html")).await?.code(), 404);
    let body = json!({ "schema": "compliance-report/1", "total_triggers": 2 });
    stage.world.report(&run, "fail", body.clone()).await?;
    assert_eq!(stage.get(&format!("{base}/report/")).await?.json(), body);
    let page = stage.get(&format!("{base}/report.html")).await?;
    assert_eq!(
        (page.code(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && policy.ends_with("sandbox"),
        "{policy}"
    );
    assert!(!policy.contains("script-src") && page.text().starts_with("<!doctype html>"));
    let shown = stage.get(&format!("{base}/")).await?.json();
    assert_eq!(
        (&shown["verdict"], &shown["total_triggers"]),
        (&json!("fail"), &json!(2))
    );
    Ok(())
}

#[tokio::test]
async fn a_frame_of_the_evidence_is_shown_to_those_who_see_the_video() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let id = run.video.video_id;
    let key = keys::frame(id, 1500);
    let put = stage.world.objects().put(&key, "jpeg".into(), "image/jpeg");
    put.await?;
    let path = format!("/api/videos/{id}/frames/000001500.jpg");
    let frame = stage.get(&path).await?;
    let seen = (frame.code(), frame.text(), frame.header("content-type"));
    assert_eq!(seen, (200, "jpeg".to_owned(), "image/jpeg"));
    assert_eq!(Call::get(&path).at(&stage.doors).await?.code(), 401);
    for name in [
        "000001501.jpg",
        "1500.jpg",
        "000001500.png",
        "..%2Fstrip.jpg",
    ] {
        let path = format!("/api/videos/{id}/frames/{name}");
        assert_eq!(stage.get(&path).await?.code(), 404, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn progress_ends_when_the_server_stops() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let path = format!("/api/videos/{}/progress/", run.video.video_id);
    let call = Call::get(&path).session(&stage.token);
    let mut events = call.open(&stage.doors).await?.into_body();
    events.frame().await.context("the present state")??;
    stage.world.stop.cancel();
    let end = tokio::time::timeout(Duration::from_secs(10), events.frame()).await?;
    assert!(end.is_none(), "the run goes on, the answer does not");
    Ok(())
}

#[tokio::test]
async fn a_report_page_is_there_in_both_languages() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
    let report = stage.world.report(&run, "pass", json!({})).await?;
    for page in ["ru", "en"] {
        let key = keys::report(
            run.video.video_id,
            report.report_id,
            &format!("{page}.html"),
        );
        stage
            .world
            .objects()
            .put(&key, page.into(), "text/html")
            .await?;
    }
    let path = format!("/api/videos/{}/report.html", run.video.video_id);
    for page in ["ru", "en"] {
        let answer = stage.get(&format!("{path}?lang={page}")).await?;
        assert_eq!((answer.code(), answer.text()), (200, page.to_owned()));
    }
    assert_eq!(stage.get(&format!("{path}?lang=xx")).await?.code(), 400);
    assert_eq!(stage.get(&path).await?.code(), 200);
    Ok(())
}

#[tokio::test]
async fn only_a_check_that_failed_is_repeated() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.refused().await?;
    let path = format!("/api/videos/{}/retry_processing/", video.video_id);
    let again = || Call::post(&path).session(&stage.token);
    let foreign = again()
        .header("origin", "https://evil.example")
        .at(&stage.doors)
        .await?;
    assert_eq!(foreign.code(), 403);
    let (one, other) = tokio::join!(again().at(&stage.doors), again().at(&stage.doors));
    let mut codes = [one?.code(), other?.code()];
    codes.sort_unstable();
    assert_eq!(codes, [200, 409], "of two one wins");
    let sent = stage.world.messages::<VideoUploaded>().await?;
    assert_eq!(sent, [VideoUploaded::new(video.video_id)]);
    let retried = stage.world.store.video(video.video_id).await?;
    assert_eq!((retried.step, retried.refusal), (Step::Uploaded, None));
    let refused = again().in_russian().at(&stage.doors).await?;
    assert_eq!(
        refused.detail(),
        "Повторить можно только проверку, которая не удалась."
    );
    Ok(())
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_protect() -> Result<()> {
    let stage = Stage::open().await?;
    for path in [
        "/",
        "/app.js",
        "/style.css",
        "/api/users/me/",
        "/api/videos/",
        "/api/videos/x/",
        "/api/health/",
        "/healthz",
        "/nowhere",
        "/api/nowhere/",
    ] {
        for signed_in in [true, false] {
            let call = Call::get(path);
            let call = if signed_in {
                call.session(&stage.token)
            } else {
                call
            };
            let answer = call.at(&stage.doors).await?;
            assert!(answer.code() < 500, "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            let policy = answer.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
        }
    }
    let page = stage.get("/").await?;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(stage.get("/nowhere").await?.code(), 404);
    Ok(())
}

#[tokio::test]
async fn an_unknown_host_is_not_served() -> Result<()> {
    let stage = Stage::open().await?;
    for host in [
        "evil.example",
        "127.0.0.1.evil.example:8000",
        "",
        "127.0.0.1@evil.example",
    ] {
        let ask = async |path: &str| {
            let call = Call::get(path).session(&stage.token).header("host", host);
            anyhow::Ok(call.at(&stage.doors).await?.code())
        };
        for path in [
            "/",
            "/api/users/me/",
            "/api/health/",
            "/healthz/",
            "/readyz/x",
            "/x?/healthz",
        ] {
            assert_eq!(ask(path).await?, 421, "{path} of {host:?}");
        }
        for probe in ["/healthz", "/readyz", "/readyz?x"] {
            assert_eq!(ask(probe).await?, 200, "{probe} of {host:?}");
        }
    }
    for host in [
        HOST,
        "localhost:8000",
        "LOCALHOST",
        "[::1]:8000",
        "127.0.0.1",
    ] {
        let call = Call::get("/api/users/me/")
            .session(&stage.token)
            .header("host", host);
        assert_eq!(call.at(&stage.doors).await?.code(), 200, "{host:?}");
    }
    Ok(())
}

#[tokio::test]
async fn health_asks_every_part() -> Result<()> {
    let stage = Stage::open().await?;
    let well = Call::get("/api/health/").at(&stage.doors).await?;
    let parts = json!({ "status": "healthy", "database": "ok", "redis": "embedded", "b2": "ok",
                        "replicate": "ok" });
    assert_eq!((well.code(), well.json()), (200, parts));
    let away = doors(
        &stage.world,
        &[("REPLICATE_API_BASE_URL", "http://127.0.0.1:9/v1")],
    )
    .await?;
    let ill = Call::get("/api/health/").at(&away).await?;
    assert_eq!(
        (ill.code(), ill.json()["replicate"].as_str()),
        (503, Some("failed"))
    );
    assert_eq!(
        Call::get("/healthz").at(&away).await?.code(),
        200,
        "the process itself lives"
    );
    Ok(())
}

#[tokio::test]
async fn health_tells_of_redis_and_readiness_does_without_it() -> Result<()> {
    let (world, mut server) = (World::new().await, redis());
    let mut settings = world.settings();
    settings.set("REDIS_URL", server.url());
    let shared = Shared::connect(settings).await?;
    let console = Console::connect(shared).await;
    let doors = console.map_err(anyhow::Error::from_boxed)?.router();
    let told = async |path: &str| -> Result<(u16, Value)> {
        let answer = Call::get(path).at(&doors).await?;
        Ok((answer.code(), answer.json()["redis"].clone()))
    };
    assert_eq!(told("/api/health/").await?, (200, json!("ok")));
    server.kill()?;
    assert_eq!(told("/api/health/").await?, (503, json!("failed")));
    assert_eq!(told("/readyz").await?, (200, json!("failed")));
    Ok(())
}

#[tokio::test]
async fn health_tells_why_the_provider_is_left_alone() -> Result<()> {
    let stage = Stage::open().await?;
    let store = &stage.world.store;
    let pause = shared_store::Pause {
        reason: shared_domain::PauseReason::NoCredit,
        until: store.now() + Duration::from_mins(5),
    };
    let mut tx = store.transaction().await?;
    tx.pause_lane("replicate", pause, None).await?;
    let refused = shared_store::Pause {
        reason: shared_domain::PauseReason::Refused,
        ..pause
    };
    tx.pause_lane("replicate/nudity", refused, None).await?;
    tx.commit().await?;
    let well = Call::get("/api/health/").at(&stage.doors).await?;
    let told = json!({ "reason": "no_credit", "until": "2026-03-02T12:05:00Z" });
    assert_eq!(well.code(), 200, "the service is well, and its work waits");
    assert_eq!(well.json()["replicate_paused"], told);
    let told = json!({ "nudity": { "reason": "refused", "until": "2026-03-02T12:05:00Z" } });
    assert_eq!(well.json()["models_paused"], told);
    Ok(())
}

#[tokio::test]
async fn a_run_that_stands_still_says_why() -> Result<()> {
    let stage = Stage::open().await?;
    let run = stage.world.run(&stage.project, &[Task::Nudity; 2]).await?;
    let path = format!("/api/videos/{}/", run.video.video_id);
    let said = async || anyhow::Ok(stage.get(&path).await?.json()["status_message"].clone());
    assert_eq!(said().await?, Value::Null);
    let hold = async |number: usize, hold| {
        let mut tx = stage.world.store.transaction().await?;
        tx.hold(run.questions[number], hold, 0.1).await?;
        anyhow::Ok(tx.commit().await?)
    };
    hold(0, Hold::Lane("replicate/nudity")).await?;
    let waits = said().await?;
    assert!(
        waits
            .as_str()
            .is_some_and(|text| text.contains("goes on by itself"))
    );
    hold(1, Hold::VideoCap).await?;
    let spent = said().await?;
    assert!(
        spent
            .as_str()
            .is_some_and(|text| text.contains("may cost is spent"))
    );
    let russian = Call::get(&path).session(&stage.token).in_russian();
    let russian = russian.at(&stage.doors).await?.json()["status_message"].clone();
    assert!(
        russian
            .as_str()
            .is_some_and(|text| text.contains("лимит расходов"))
    );
    Ok(())
}

#[tokio::test]
async fn the_page_is_told_the_limits_of_the_settings_and_where_files_go() -> Result<()> {
    let stage = Stage::open().await?;
    let told = async |settings: &[(&str, &str)]| -> Result<Value> {
        let doors = doors(&stage.world, settings).await?;
        let call = Call::get("/api/limits/").session(&stage.token);
        Ok(call.at(&doors).await?.json())
    };
    let here = told(&[
        ("MAX_VIDEO_DURATION", "600"),
        ("BACKBLAZE_ENDPOINT_URL", "http://127.0.0.1:9000"),
        ("REPLICATE_API_BASE_URL", "http://localhost:8002/v1"),
    ])
    .await?;
    assert_eq!(
        (&here["max_seconds"], &here["local"]),
        (&json!(600), &json!(true))
    );
    let away = told(&[
        ("BACKBLAZE_ENDPOINT_URL", "http://127.0.0.1:9000"),
        ("REPLICATE_API_BASE_URL", "https://api.replicate.com/v1"),
    ])
    .await?;
    assert_eq!(away["local"], false);
    assert_eq!(
        Call::get("/api/limits/").at(&stage.doors).await?.code(),
        401
    );
    Ok(())
}

#[tokio::test]
async fn several_videos_are_asked_for_at_once_and_no_strangers() -> Result<()> {
    let stage = Stage::open().await?;
    let mine = stage.refused().await?;
    let other = stage.world.user(Role::Client).await?;
    let foreign = stage.world.project(&other).await?;
    let theirs = stage.world.announced(&foreign, "clip.mp4", 1000).await?;
    let path = format!("/api/videos/?ids={},{},x", mine.video_id, theirs.video_id);
    let answer = stage.get(&path).await?.json();
    assert_eq!(answer["count"], 1);
    assert_eq!(answer["results"][0]["id"], json!(mine.video_id));
    Ok(())
}
