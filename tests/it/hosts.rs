//! The same event through every host: the same answer and the same effect.
//!
//! Each function is its own binary in a process of its own, unchanged from host to host.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use regex::Regex;
use serde_json::{Value, json};
use shared_domain::{OutboxId, Step, Task, UploadCompleted, VideoUploaded};
use shared_objects::notification::{SIGNATURE_HEADER, sign};
use shared_store::{Project, Role, Video};
use shared_testing::{Answer, Call, Hosted, NOTIFICATION_SECRET, Platform, Program, Proxy, World};

const UPLOADS: &str = "/functions/upload-signed-url";

/// A client in a world whose clock is the machine's.
struct Stage {
    world: World,
    project: Project,
    token: String,
}

impl Stage {
    async fn open() -> Result<Self> {
        let world = World::new().await;
        world.catch_up();
        let user = world.user(Role::Client).await?;
        Ok(Self {
            project: world.project(&user).await?,
            token: world.session(&user).await?,
            world,
        })
    }

    fn program(&self, name: &str) -> Result<Program> {
        Program::new(name, &self.world)
    }

    /// A video whose bytes lie in storage and of which nobody has told yet.
    async fn arrived(&self) -> Result<Video> {
        let mut bytes = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".to_vec();
        bytes.resize(1000, 7);
        let video = self
            .world
            .announced(&self.project, "clip.mp4", 1000)
            .await?;
        self.world.upload(&video, bytes).await?;
        Ok(video)
    }

    async fn step(&self, video: &Video) -> Result<Step> {
        Ok(self.world.store.video(video.video_id).await?.step)
    }

    async fn accepted(&self) -> Result<usize> {
        Ok(self.world.messages::<VideoUploaded>().await?.len())
    }

    /// A message in the outbox, and as a transport carries it.
    async fn sent(&self, video: &Video) -> Result<(OutboxId, Value)> {
        let message = UploadCompleted::new(video.video_id);
        let mut tx = self.world.store.transaction().await?;
        let id = tx.send(&message).await?;
        tx.commit().await?;
        let carried = json!({ "kind": "UploadCompleted", "id": id.to_string(), "body": message });
        Ok((id, carried))
    }

    async fn finished(&self) -> Result<i64> {
        let done = "kind = 'UploadCompleted' and outcome = 'done'";
        self.world.count("outbox", done).await
    }
}

/// An answer without what differs from world to world: ids, ports, signatures, moments.
#[derive(Debug, PartialEq)]
struct Said {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: Value,
}

fn said(answer: &Answer) -> Result<Said> {
    let mut text = answer.text();
    for (pattern, instead) in [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "ID"),
        (r"http://127\.0\.0\.1:\d+", "STORAGE"),
        (r#"\?[^"]*X-Amz-[^"]*"#, "?SIGNED"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "MOMENT"),
    ] {
        text = Regex::new(pattern)?
            .replace_all(&text, instead)
            .into_owned();
    }
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &answer.headers {
        let values = headers.entry(name.to_string()).or_default();
        values.push(value.to_str()?.to_owned());
    }
    Ok(Said {
        status: answer.code(),
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    })
}

/// Every host's answers against those of the first.
fn ensure_same(all: &[(Platform, Vec<Said>)]) -> Result<()> {
    let (_, first) = all.first().context("no host")?;
    for (platform, answers) in all {
        ensure!(
            answers == first,
            "{platform:?}: {answers:#?}\nand not {first:#?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_upload_is_signed_the_same_on_every_host() -> Result<()> {
    let mut all = Vec::new();
    for platform in Platform::ALL {
        let stage = Stage::open().await?;
        let mut function = stage.program("upload-signed-url")?.on(platform).await?;
        let video = json!({ "project_id": stage.project.project_id, "original_name": "клип.mp4",
                            "size_bytes": 1000, "content_type": "video/mp4" });
        let create = Call::post(UPLOADS)
            .session(&stage.token)
            .header("idempotency-key", "k-1")
            .json(&video);
        let created = function.ask(create.clone()).await?;
        ensure!(created.code() == 201, "{platform:?}: {}", created.text());
        let id = created.json()["video_id"]
            .as_str()
            .context("video_id")?
            .to_owned();
        let again = function.ask(create).await?;
        ensure!(
            again.json()["video_id"] == id.as_str(),
            "{platform:?}: the key is known"
        );
        let signed_out = function
            .ask(Call::post(UPLOADS).in_russian().json(&video))
            .await?;
        let nowhere = function.ask(Call::get(&format!("{UPLOADS}/x/parts")).session(&stage.token));
        let nowhere = nowhere.await?;
        let foreign = Call::post(UPLOADS)
            .session(&stage.token)
            .header("origin", "https://evil.example")
            .json(&video);
        let foreign = function.ask(foreign).await?;
        let abort = Call::delete(&format!("{UPLOADS}/{id}")).session(&stage.token);
        let aborted = function.ask(abort).await?;
        let answers = [&created, &signed_out, &nowhere, &foreign, &aborted];
        let codes: Vec<u16> = answers.iter().map(|answer| answer.code()).collect();
        ensure!(
            codes == [201, 401, 400, 403, 204],
            "{platform:?}: {codes:?}"
        );
        ensure!(
            stage.world.count("videos", "1 = 1").await? == 1,
            "{platform:?}"
        );
        all.push((
            platform,
            answers.into_iter().map(said).collect::<Result<_>>()?,
        ));
    }
    ensure_same(&all)
}

/// As Backblaze tells of it; a signature covers these very bytes.
fn notification(key: &str) -> String {
    let event = json!({
        "accountId": "e85c6a500333", "bucketId": "aea8c5bc362ae55070130333",
        "bucketName": "videos-world", "eventId": "e1", "eventTimestamp": 1_684_793_309_123_i64,
        "eventType": "b2:ObjectCreated:Upload", "eventVersion": 1,
        "matchedRuleName": "загрузки", "objectName": key, "objectSize": 1000,
        "objectVersionId": "4_zaea8c5bc362ae55070130333_f",
    });
    format!("{{ \"events\" :\n\t[ {event} ] }}\n")
}

#[tokio::test]
async fn a_notification_keeps_its_signature_on_every_host() -> Result<()> {
    let mut all = Vec::new();
    for platform in Platform::ALL {
        let stage = Stage::open().await?;
        let mut function = stage.program("on-upload")?.on(platform).await?;
        let video = stage.arrived().await?;
        let body = notification(&video.object_key);
        let unsigned = Call::post("/functions/on-upload")
            .header("content-type", "application/json")
            .body(body.clone());
        let signature = sign(&NOTIFICATION_SECRET.into(), body.as_bytes());
        let forged = function.ask(unsigned.clone()).await?;
        ensure!(
            stage.step(&video).await? == Step::AwaitingUpload,
            "{platform:?}: forged"
        );
        let signed = unsigned.header(SIGNATURE_HEADER, &signature);
        let told = function.ask(signed.clone()).await?;
        let again = function.ask(signed).await?;
        let answers = [&forged, &told, &again];
        let codes: Vec<u16> = answers.iter().map(|answer| answer.code()).collect();
        ensure!(
            codes == [401, 200, 200],
            "{platform:?}: {codes:?} {}",
            told.text()
        );
        ensure!(stage.step(&video).await? == Step::Uploaded, "{platform:?}");
        ensure!(stage.accepted().await? == 1, "{platform:?}");
        all.push((
            platform,
            answers.into_iter().map(said).collect::<Result<_>>()?,
        ));
    }
    ensure_same(&all)
}

#[tokio::test]
async fn a_webhook_keeps_its_query_and_its_signature_on_every_host() -> Result<()> {
    let mut all = Vec::new();
    for platform in Platform::ALL {
        let stage = Stage::open().await?;
        let run = stage.world.run(&stage.project, &[Task::Nudity]).await?;
        let ids = stage.world.asked(&run).await?;
        let answer = json!({ "nsfw": 0.91, "sfw": 0.09 });
        stage.world.replicate.succeed(&ids[0], answer)?;
        let mut function = stage.program("replicate-webhook")?.on(platform).await?;
        let webhook = stage.world.replicate.webhook(&ids[0])?.call();
        let forged = webhook.clone().header("webhook-id", "msg_other");
        let forged = function.ask(forged).await?;
        let told = function.ask(webhook.clone()).await?;
        let again = function.ask(webhook).await?;
        let answers = [&forged, &told, &again];
        let codes: Vec<u16> = answers.iter().map(|answer| answer.code()).collect();
        ensure!(
            codes == [401, 200, 200],
            "{platform:?}: {codes:?} {}",
            told.text()
        );
        ensure!(
            stage.step(&run.video).await? == Step::Judging,
            "{platform:?}"
        );
        let closed = stage
            .world
            .count("predictions", "status = 'succeeded'")
            .await?;
        ensure!(closed == 1, "{platform:?}: {closed} answers");
        all.push((
            platform,
            answers.into_iter().map(said).collect::<Result<_>>()?,
        ));
    }
    ensure_same(&all)
}

/// One message of a batch.
fn batch(carried: &Value) -> Value {
    json!({ "Records": [{ "messageId": "m1", "receiptHandle": "r", "attributes": {},
        "body": carried.to_string(), "eventSource": "aws:sqs", "awsRegion": "eu-central-1",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:1:on-upload" }] })
}

async fn bring(function: &mut Hosted, payload: Value) -> Result<Value> {
    let ended = function.invoke(payload).await?;
    ended.map_err(|failed| anyhow::anyhow!("{failed:?}"))
}

#[tokio::test]
async fn a_message_has_its_effect_once_on_every_host() -> Result<()> {
    for platform in Platform::DIRECT {
        let stage = Stage::open().await?;
        let mut function = stage.program("on-upload")?.on(platform).await?;
        let video = stage.arrived().await?;
        let (_, carried) = stage.sent(&video).await?;
        for _ in 0..2 {
            let told = bring(&mut function, carried.clone()).await?;
            ensure!(told["statusCode"] == 200, "{platform:?}: {told}");
        }
        ensure!(stage.step(&video).await? == Step::Uploaded, "{platform:?}");
        let once = (stage.accepted().await?, stage.finished().await?);
        ensure!(once == (1, 1), "{platform:?}: {once:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_of_messages_has_its_effect_once() -> Result<()> {
    let stage = Stage::open().await?;
    let mut function = stage.program("on-upload")?.on(Platform::Lambda).await?;
    let video = stage.arrived().await?;
    let (_, carried) = stage.sent(&video).await?;
    for _ in 0..2 {
        let told = bring(&mut function, batch(&carried)).await?;
        ensure!(told == json!({ "batchItemFailures": [] }), "{told}");
    }
    ensure!(stage.step(&video).await? == Step::Uploaded);
    ensure!((stage.accepted().await?, stage.finished().await?) == (1, 1));

    // Its object is missing: it has to come again, and its row says when.
    let missing = stage
        .world
        .announced(&stage.project, "clip.mp4", 1000)
        .await?;
    let (_, carried) = stage.sent(&missing).await?;
    let told = bring(&mut function, batch(&carried)).await?;
    ensure!(
        told["batchItemFailures"] == json!([{ "itemIdentifier": "m1" }]),
        "{told}"
    );
    let waits = "kind = 'UploadCompleted' and finished_at is null and lease_until is null";
    ensure!(stage.world.count("outbox", waits).await? == 1);
    Ok(())
}

#[tokio::test]
async fn one_shot_and_worker_have_the_same_effect() -> Result<()> {
    let stage = Stage::open().await?;
    let video = stage.arrived().await?;
    let (_, carried) = stage.sent(&video).await?;
    let program = stage.program("on-upload")?;
    for _ in 0..2 {
        let (code, said) = program.once(&carried.to_string()).await?;
        ensure!(code == Some(0), "{code:?} {said}");
        ensure!(said["status"] == "ok", "{said}");
    }
    ensure!((stage.accepted().await?, stage.finished().await?) == (1, 1));
    let (code, said) = program.once("{\"kind\":\"Unheard\",\"id\":\"x\"}").await?;
    ensure!(
        (code, &said["code"]) == (Some(1), &json!("malformed")),
        "{code:?} {said}"
    );
    let (code, _) = program.once("no json").await?;
    ensure!(code == Some(2), "{code:?}");

    let video = stage.arrived().await?;
    stage.sent(&video).await?;
    let _worker = program.with("FN_HOST", "worker").command().spawn()?;
    let worked = async {
        while stage.finished().await? < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(Duration::from_secs(30), worked).await??;
    ensure!(stage.step(&video).await? == Step::Uploaded);
    ensure!(stage.accepted().await? == 2);
    Ok(())
}

#[tokio::test]
async fn a_tick_has_the_same_effect_on_every_host() -> Result<()> {
    let rule = json!({ "version": "0", "id": "e", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "1", "time": "2026-11-22T10:00:00Z",
        "region": "eu-central-1", "resources": ["arn:aws:events:rule/cleanup"], "detail": {} });
    for platform in Platform::DIRECT {
        for payload in [json!({ "kind": "Tick" }), rule.clone()] {
            if platform != Platform::Lambda && payload == rule {
                continue;
            }
            let stage = Stage::open().await?;
            let video = stage.arrived().await?;
            let program = stage.program("cleanup")?.with("ARRIVAL_AFTER", "0");
            let mut function = program.on(platform).await?;
            let told = bring(&mut function, payload.clone()).await?;
            ensure!(told["statusCode"] == 200, "{platform:?}: {told}");
            let found = stage.world.messages::<UploadCompleted>().await?;
            ensure!(
                found == [UploadCompleted::new(video.video_id)],
                "{platform:?}: {payload}"
            );
        }
    }
    let stage = Stage::open().await?;
    stage.arrived().await?;
    let (code, said) = stage
        .program("cleanup")?
        .with("ARRIVAL_AFTER", "0")
        .once("")
        .await?;
    ensure!(code == Some(0), "{code:?} {said}");
    ensure!(stage.world.messages::<UploadCompleted>().await?.len() == 1);
    Ok(())
}

/// Every proxy as it may be deployed, and whether the child has to end the log itself.
const PROXIES: [(Proxy, bool); 4] = [
    (proxy(false, false, false), false),
    (proxy(false, true, false), false),
    (proxy(true, true, false), true),
    (proxy(true, true, true), true),
];

const fn proxy(digital_ocean: bool, waits_for_ack: bool, forwards_logs: bool) -> Proxy {
    Proxy {
        digital_ocean,
        waits_for_ack,
        forwards_logs,
    }
}

#[tokio::test]
async fn each_proxy_gets_its_acknowledgement_and_one_end_of_log_a_call() -> Result<()> {
    for (proxy, _) in PROXIES {
        let stage = Stage::open().await?;
        let program = stage.program("upload-signed-url")?;
        let mut function = program.behind(proxy).await?;
        for _ in 0..3 {
            // An answer that belongs to another call would show in its status.
            let signed_out = function.ask(Call::post(UPLOADS).body("{}")).await?;
            ensure!(signed_out.code() == 400, "{proxy:?}: {}", signed_out.text());
            let nowhere = function.ask(Call::get(UPLOADS).session("t")).await?;
            ensure!(nowhere.code() == 400, "{proxy:?}: {}", nowhere.text());
            let foreign = Call::delete(&format!("{UPLOADS}/{}", stage.project.project_id));
            ensure!(function.ask(foreign).await?.code() == 401, "{proxy:?}");
        }
        let (code, log) = function.into_proxy()?.close().await?;
        ensure!(
            code == Some(0),
            "{proxy:?}: the end of input is the end, not {code:?}"
        );
        ensure!(log.markers() == (9, 9), "{proxy:?}: {:?}", log.markers());
        let others = log.out.iter().filter(|line| !line.starts_with("XXX_"));
        ensure!(
            others.count() == 0,
            "{proxy:?}: standard output is the host's: {:?}",
            log.out
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_end_of_the_log_can_be_said_by_a_setting() -> Result<()> {
    for (proxy, marks) in PROXIES.iter().filter(|(proxy, _)| !proxy.forwards_logs) {
        let stage = Stage::open().await?;
        for (setting, expected) in [("never", 0), ("always", 1)] {
            let program = stage.program("upload-signed-url")?;
            let mut function = program
                .with("FN_END_MARKER", setting)
                .behind(*proxy)
                .await?;
            function.ask(Call::get(UPLOADS)).await?;
            let (_, log) = function.into_proxy()?.close().await?;
            // Apache's proxy adds its own.
            let expected = expected + usize::from(!marks);
            ensure!(log.markers() == (expected, expected), "{proxy:?} {setting}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_line_of_several_megabytes_is_read_whole() -> Result<()> {
    for platform in [Platform::DigitalOcean, Platform::OpenWhisk] {
        let stage = Stage::open().await?;
        let mut function = stage.program("upload-signed-url")?.on(platform).await?;
        let large = Call::post(UPLOADS).body("x".repeat(3 << 20));
        ensure!(function.ask(large).await?.code() == 413, "{platform:?}");
        let next = function.ask(Call::get(UPLOADS)).await?;
        ensure!(next.code() == 400, "{platform:?}: {}", next.text());
    }
    Ok(())
}

#[tokio::test]
async fn a_child_that_dies_or_cannot_start_is_told_as_the_proxy_tells_it() -> Result<()> {
    let stage = Stage::open().await?;
    let program = stage.program("upload-signed-url")?;
    let mut proxy = shared_testing::FakeProxy::new(Proxy {
        waits_for_ack: true,
        ..Proxy::default()
    });
    ensure!(proxy.run("{}").await?.0 == 500, "nothing is there");
    let wrong = [("DATABASE_URL".to_owned(), "mysql://x".to_owned())];
    let (status, said) = proxy.init(program.path(), &wrong).await?;
    ensure!(
        status == 502,
        "a process that ends instead of answering: {status} {said}"
    );
    ensure!(proxy.init(program.path(), program.env()).await?.0 == 200);
    ensure!(proxy.init(program.path(), program.env()).await?.0 == 403);
    ensure!(
        proxy.run("no json").await?.0 == 200,
        "even this is answered with an object"
    );
    let pid = proxy.pid().context("the child has ended")?.to_string();
    signal("-STOP", &pid).await?;
    let (during, killed) = tokio::join!(proxy.run("{}"), signal("-KILL", &pid));
    killed?;
    let (during, after) = (during?.0, proxy.run("{}").await?.0);
    ensure!((during, after) == (400, 500), "{during} {after}");
    Ok(())
}

async fn signal(which: &str, pid: &str) -> Result<()> {
    let sent = tokio::process::Command::new("kill")
        .args([which, pid])
        .status()
        .await?;
    ensure!(sent.success(), "kill {which}: {sent}");
    Ok(())
}

#[tokio::test]
async fn lambda_without_its_variables_is_refused_with_all_their_names() -> Result<()> {
    let stage = Stage::open().await?;
    let program = stage
        .program("upload-signed-url")?
        .with("FN_HOST", "lambda");
    let mut command = program.command();
    let ended = command
        .stderr(std::process::Stdio::piped())
        .output()
        .await?;
    ensure!(ended.status.code() == Some(2), "{:?}", ended.status);
    let told = String::from_utf8_lossy(&ended.stderr);
    for name in [
        "RUNTIME_API",
        "FUNCTION_NAME",
        "FUNCTION_VERSION",
        "FUNCTION_MEMORY_SIZE",
    ] {
        ensure!(
            told.contains(&format!("AWS_LAMBDA_{name}")),
            "{name}: {told}"
        );
    }
    ensure!(!told.contains("panicked"), "{told}");
    Ok(())
}
