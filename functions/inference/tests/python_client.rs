//! Replicate's official Python client works against the service, unchanged.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its own functions too"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use inference::http::{Service, ServiceConfig};
use inference::predictor::{Cancel, Input, ModelCard, PredictError, Predictor};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_domain::{SystemClock, SystemIds, Task};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

const CLIENT: &str = "replicate==1.0.7";
const VERSION: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Weighs a file.
struct Scales(ModelCard);

impl Predictor for Scales {
    fn card(&self) -> &ModelCard {
        &self.0
    }

    fn predict(&self, input: &Input, cancel: &Cancel) -> Result<Value, PredictError> {
        let file = input.file("image")?;
        let hold = input
            .fields
            .get("hold_ms")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(hold) {
            cancel.check()?;
            std::thread::park_timeout(Duration::from_millis(20));
        }
        if input.fields.contains_key("trouble") {
            return Err(PredictError::Input("the picture is upside down".into()));
        }
        Ok(json!({ "bytes": file.len(), "sha256": hex::encode(Sha256::digest(file)) }))
    }
}

fn scales() -> Arc<dyn Predictor> {
    Arc::new(Scales(ModelCard {
        task: Task::Nudity,
        owner_name: "local/scales",
        version: VERSION.into(),
        adapter: "scores",
        file_fields: &["image"],
        licence: "MIT",
        summary: "Weighs a file.",
        limits: Vec::new(),
    }))
}

/// A Python with the client, made once per target folder.
async fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(CLIENT.replace("==", "-"));
    let python = folder.join("bin/python");
    let ready = folder.join("ready");
    if !ready.exists() {
        let place = folder.to_str().unwrap();
        run(
            "python3",
            &["-m", "venv", "--clear", place],
            "python3 with venv is needed",
        )
        .await;
        let program = python.to_str().unwrap();
        let install = ["-m", "pip", "install", "--quiet", CLIENT];
        run(program, &install, "the client cannot be installed").await;
        std::fs::write(ready, CLIENT).unwrap();
    }
    python
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

fn config(base: String, folder: &Path, hooks: &str) -> ServiceConfig {
    ServiceConfig {
        token: "r8_local_test".into(),
        webhook_secret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into(),
        state_dir: folder.join("state"),
        public_base_url: base,
        workers: 2,
        input_urls: Vec::new(),
        webhook_urls: vec![hooks.parse().unwrap()],
        webhook_pauses: ServiceConfig::usual_pauses(),
    }
}

#[tokio::test]
async fn official_python_client_works_unchanged() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python_client.py");
    let mut child = Command::new(python().await)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = said
        .next_line()
        .await
        .unwrap()
        .expect("the script ended before it began");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("frame.jpg");
    std::fs::write(&file, "12345").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let config = config(
        base.clone(),
        folder.path(),
        &format!("http://127.0.0.1:{port}"),
    );
    let service = Service::new(
        config,
        vec![scales()],
        Arc::new(SystemClock),
        Arc::new(SystemIds),
    )
    .unwrap();

    let given = json!({ "base": base, "token": "r8_local_test", "version": VERSION, "file": file });
    let stop = CancellationToken::new();
    let play = async {
        let mut stdin = child.stdin.take().unwrap();
        stdin
            .write_all(format!("{given}\n").as_bytes())
            .await
            .unwrap();
        let last = said.next_line().await.unwrap();
        let status = child.wait().await.unwrap();
        stop.cancel();
        assert!(status.success(), "the script failed; its words are above");
        assert_eq!(last.as_deref(), Some("done"));
    };
    let both = async { tokio::join!(service.serve(listener, stop.clone()), play) };
    let (served, ()) = tokio::time::timeout(Duration::from_mins(2), both)
        .await
        .unwrap();
    served.unwrap();
}
