//! A function binary under cargo-lambda's emulator of Lambda: a runtime API that is not ours.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use shared_store::Role;
use shared_testing::{Program, World};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

const TIME: Duration = Duration::from_secs(30);

/// The emulator, and the one function that it calls.
struct Emulator {
    base: String,
    client: Client,
    _server: Child,
    _function: Child,
    _folder: TempDir,
}

impl Emulator {
    async fn start(program: &Program) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // It starts no build, and asks cargo all the same what there would be to build.
        let manifest = "[package]\nname = \"function\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        std::fs::write(folder.path().join("Cargo.toml"), manifest)?;
        std::fs::create_dir(folder.path().join("src"))?;
        std::fs::write(folder.path().join("src/main.rs"), "fn main() {}\n")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let arguments = [
            "lambda",
            "watch",
            "--only-lambda-apis",
            "--invoke-address",
            "127.0.0.1",
        ];
        let emulator = Command::new(installed()?)
            .args(arguments)
            .args(["--invoke-port", &port.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let listening = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(TIME, listening).await;
        waited.context("the emulator does not listen")?;
        let base = format!("http://127.0.0.1:{port}");
        let function = program
            .command()
            .env("AWS_LAMBDA_RUNTIME_API", format!("{base}/.rt"))
            .env("AWS_LAMBDA_FUNCTION_NAME", "_")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .spawn()?;
        Ok(Self {
            base,
            client: Client::builder().no_proxy().timeout(TIME).build()?,
            _server: emulator,
            _function: function,
            _folder: folder,
        })
    }

    /// What `aws lambda invoke` does.
    async fn invoke(&self, payload: &Value) -> Result<Value> {
        let url = format!("{}/2015-03-31/functions/_/invocations", self.base);
        let answer = self
            .client
            .post(url)
            .body(payload.to_string())
            .send()
            .await?;
        Ok(serde_json::from_str(&answer.text().await?)?)
    }

    /// A Function URL.
    fn url(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}/lambda-url/_{path}", self.base))
    }
}

/// On the path, or where `setup-test.sh` puts it.
fn installed() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let cached = cache.map(|cache| cache.join("compliance/cargo-lambda/bin"));
    let path = variable("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(cached);
    let mut found = folders.map(|folder| folder.join("cargo-lambda"));
    match found.find(|file| file.is_file()) {
        Some(file) => Ok(file),
        None => bail!("cargo-lambda is missing: run `just setup-test`"),
    }
}

#[tokio::test]
async fn the_emulator_drives_a_function_end_to_end() -> Result<()> {
    let world = World::new().await;
    world.catch_up();
    let user = world.user(Role::Client).await?;
    let (project, token) = (world.project(&user).await?, world.session(&user).await?);
    let program = Program::new("upload-signed-url", &world)?;
    let emulator = Emulator::start(&program).await?;

    let video = json!({ "project_id": project.project_id, "original_name": "clip.mp4",
                        "size_bytes": 1000, "content_type": "video/mp4" });
    let create = emulator
        .url(Method::POST, "/")
        .header("cookie", format!("session={token}"))
        .header("content-type", "application/json")
        .body(video.to_string());
    let created = create.send().await?;
    let (status, text) = (created.status().as_u16(), created.text().await?);
    ensure!(status == 201, "{status} {text}");
    let created: Value = serde_json::from_str(&text)?;
    let id = created["video_id"].as_str().context("video_id")?;
    ensure!(created["upload"]["method"] == "PUT", "{created}");

    let abort = emulator
        .url(
            Method::DELETE,
            &format!("/functions/upload-signed-url/{id}"),
        )
        .header("authorization", format!("Bearer {token}"));
    let aborted = abort.send().await?.status().as_u16();
    ensure!(aborted == 204, "{aborted}");

    let malformed = emulator
        .invoke(&json!({ "kind": "Unheard", "id": "x" }))
        .await?;
    ensure!(malformed["statusCode"] == 400, "{malformed}");
    let batch = json!({ "Records": [{ "messageId": "m1", "body": "no message", "attributes": {},
                                      "eventSource": "aws:sqs" }] });
    let answer = emulator.invoke(&batch).await?;
    ensure!(answer == json!({ "batchItemFailures": [] }), "{answer}");
    ensure!(world.count("dead_letters", "kind = 'unreadable'").await? == 1);
    Ok(())
}
