//! A client that is not ours, Python's boto3, works against the embedded storage, unchanged.
#![expect(
    clippy::panic,
    reason = "a test fails by panicking, its own functions too"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use shared_objects::local::{LocalConfig, LocalServer};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

const CLIENT: &str = "boto3==1.44.8";
const BUCKET: &str = "videos-local";

/// A Python with the client, made once per target folder.
async fn python() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(CLIENT.replace("==", "-"));
    let python = folder.join("bin/python");
    let ready = folder.join("ready");
    if !ready.exists() {
        let place = folder.to_str().context("a folder with an ordinary name")?;
        let make = ["-m", "venv", "--clear", place];
        run("python3", &make, "python3 with venv is needed").await;
        let program = python.to_str().context("an ordinary name")?;
        let install = ["-m", "pip", "install", "--quiet", CLIENT];
        run(program, &install, "the client cannot be installed").await;
        std::fs::write(ready, CLIENT)?;
    }
    Ok(python)
}

async fn run(program: &str, arguments: &[&str], need: &str) {
    let output = Command::new(program).args(arguments).output().await;
    let output = output.unwrap_or_else(|error| panic!("{need}: {program}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{need}: {program} {arguments:?}: {said}"
    );
}

#[tokio::test]
async fn an_ordinary_client_works_unchanged() -> Result<()> {
    let python = python().await?;
    let folder = tempfile::tempdir()?;
    let server = LocalServer::bind(LocalConfig {
        root: folder.path().to_owned(),
        addr: "127.0.0.1:0".parse()?,
        access_key: "local".to_owned(),
        secret_key: "local-secret".into(),
        bucket: BUCKET.to_owned(),
        allowed_origins: Vec::new(),
        notify: None,
    })
    .await?;
    let url = format!("http://{}", server.addr());
    let given = json!({ "url": url, "key_id": "local", "key": "local-secret", "bucket": BUCKET });
    let stop = CancellationToken::new();
    let play = async {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python_client.py");
        let mut child = Command::new(python)
            .arg(script)
            // Neither the machine's own settings nor its proxy.
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("its input")?;
        stdin.write_all(format!("{given}\n").as_bytes()).await?;
        let status = child.wait().await?;
        stop.cancel();
        Ok::<_, anyhow::Error>(status)
    };
    let both = async { tokio::join!(server.serve(stop.clone().cancelled_owned()), play) };
    let ((), status) = tokio::time::timeout(Duration::from_mins(2), both).await?;
    assert!(status?.success(), "the script failed; its words are above");
    Ok(())
}
