//! The whole system with every part that production has, in one process or in one for each function, and the
//! client who uses it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shared_objects::local::{LocalConfig, LocalServer, Notify};
use shared_testing::{Ingress, NOTIFICATION_SECRET};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::program::{binary, inherited};

/// A process with its models is there after so long, on a machine that does other things as well.
const START: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(200);
const BUCKET: &str = "videos-of-a-site";
const EMAIL: &str = "operator@example.org";

/// How many processes the functions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    OneProcess,
    ProcessPerFunction,
}

/// Storage, an ingress, the processes. Everything ends with it.
pub(crate) struct Site {
    pub(crate) ingress: Ingress,
    settings: Vec<(String, String)>,
    processes: Vec<Process>,
    servers: JoinSet<()>,
    folder: TempDir,
}

impl Site {
    /// A site whose record and transport are where `settings` say, with an empty database; nothing runs yet.
    pub(crate) async fn prepare(settings: &[(&str, &str)]) -> Result<Self> {
        let (folder, ingress) = (tempfile::tempdir()?, Ingress::start().await?);
        let mut servers = JoinSet::new();
        let storage = storage(&folder, &ingress, &mut servers).await?;
        let (data, public) = (folder.path().join("data"), ingress.url().to_owned());
        let mut site = Self {
            ingress,
            settings: Vec::new(),
            processes: Vec::new(),
            servers,
            folder,
        };
        for (name, value) in [
            (
                "DATA_DIR",
                data.to_str().context("a folder that is no text")?,
            ),
            ("PUBLIC_URL", &public),
            ("BACKBLAZE_ENDPOINT_URL", &storage),
            ("BACKBLAZE_APPLICATION_KEY_ID", "site"),
            ("BACKBLAZE_APPLICATION_KEY", "secret-of-the-site"),
            ("BACKBLAZE_BUCKET_NAME", BUCKET),
            ("B2_NOTIFICATION_SECRET", NOTIFICATION_SECRET),
            ("LANG", "en_US.UTF-8"),
            ("LOG_LEVEL", "info"),
        ] {
            site.set(name, value);
        }
        for (name, value) in settings {
            site.set(name, value);
        }
        site.finished("compliance", &["migrate"])?;
        Ok(site)
    }

    /// A setting for every process that is started from here on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the functions; returns when all doors are open.
    pub(crate) async fn start(&mut self, shape: Shape) -> Result<()> {
        match shape {
            Shape::OneProcess => {
                let port = free_port()?;
                self.run("compliance", &["serve", "--port", &port.to_string()], &[])?;
                self.open("/", port).await
            }
            Shape::ProcessPerFunction => self.start_functions().await,
        }
    }

    async fn start_functions(&mut self) -> Result<()> {
        let models = free_port()?;
        self.set(
            "REPLICATE_API_BASE_URL",
            &format!("http://127.0.0.1:{models}/v1"),
        );
        self.set(
            "REPLICATE_API_TOKEN",
            "r8_0123456789012345678901234567890123456",
        );
        self.set(
            "REPLICATE_WEBHOOK_SECRET",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        );
        let address = format!("127.0.0.1:{models}");
        self.run("inference", &[], &[("INFERENCE_ADDR", &address)])?;
        self.listening(models).await?;
        for (name, path) in [
            ("console", "/"),
            ("upload-signed-url", "/functions/upload-signed-url"),
            ("on-upload", "/functions/on-upload"),
            ("replicate-webhook", "/functions/replicate-webhook"),
        ] {
            let port = free_port()?;
            self.run(
                name,
                &[],
                &[("FN_HOST", "http"), ("PORT", &port.to_string())],
            )?;
            self.open(path, port).await?;
        }
        for name in [
            "on-upload",
            "frame-extract",
            "replicate-webhook",
            "report-finalize",
            "send-email",
        ] {
            self.run(name, &[], &[("FN_HOST", "worker")])?;
        }
        self.sweep_every_second()
    }

    /// `cleanup` is started by a clock and ends when it is done, well or not.
    fn sweep_every_second(&mut self) -> Result<()> {
        let mut sweep = self.command("cleanup", &[])?;
        sweep.env("FN_HOST", "once").stdout(Stdio::null());
        let mut sweep = tokio::process::Command::from(sweep);
        sweep.kill_on_drop(true);
        let mut clock = tokio::time::interval(Duration::from_secs(1));
        self.servers.spawn(async move {
            loop {
                clock.tick().await;
                drop(sweep.status().await);
            }
        });
        Ok(())
    }

    /// The door of a path is open behind the ingress.
    async fn open(&mut self, path: &str, port: u16) -> Result<()> {
        self.listening(port).await?;
        self.ingress.route(path, port);
        Ok(())
    }

    async fn listening(&mut self, port: u16) -> Result<()> {
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            self.ensure_alive()?;
            ensure!(started.elapsed() < START, "nobody listens: {}", self.log()?);
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Processes outlive what their services do.
    pub(crate) fn ensure_alive(&mut self) -> Result<()> {
        let mut gone = Vec::new();
        for process in &mut self.processes {
            if let Some(ended) = process.child.try_wait()? {
                gone.push(format!("{} ended with {ended}", process.name));
            }
        }
        ensure!(gone.is_empty(), "{gone:?}: {}", self.log()?);
        Ok(())
    }

    /// Somebody who may do everything, signed in.
    pub(crate) async fn sign_in(&self) -> Result<Client> {
        let told = self.finished("compliance", &["createsuperuser", EMAIL])?;
        let password = told.split_whitespace().last().context("no password")?;
        Client::sign_in(self.ingress.url(), password).await
    }

    /// What waits, runs or was given up in the queue.
    pub(crate) fn unfinished(&self) -> Result<u64> {
        let told = self.finished("compliance", &["queue", "status", "--json"])?;
        let streams: Vec<Value> = serde_json::from_str(&told)?;
        let count = |stream: &Value| -> u64 {
            let counts = ["waiting", "due_later", "running", "dead"];
            counts.iter().filter_map(|name| stream[name].as_u64()).sum()
        };
        Ok(streams.iter().map(count).sum())
    }

    /// How many mails were sent.
    pub(crate) fn mails(&self) -> Result<usize> {
        Ok(fs::read_dir(self.folder.path().join("data/mail"))?.count())
    }

    /// A command to its end; what it printed.
    fn finished(&self, name: &str, args: &[&str]) -> Result<String> {
        let ended = self.command(name, args)?.output()?;
        ensure!(ended.status.success(), "{name} {args:?}: {}", self.log()?);
        Ok(String::from_utf8(ended.stdout)?)
    }

    fn run(&mut self, name: &str, args: &[&str], settings: &[(&str, &str)]) -> Result<()> {
        let mut command = self.command(name, args)?;
        let child = command.envs(settings.iter().copied()).stdout(Stdio::null());
        let child = child.spawn()?;
        let name = name.to_owned();
        self.processes.push(Process { name, child });
        Ok(())
    }

    fn command(&self, name: &str, args: &[&str]) -> Result<Command> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())?;
        let mut command = Command::new(binary(name)?);
        command
            .args(args)
            .env_clear()
            .envs(inherited())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(log);
        Ok(command)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The last that all processes said.
    pub(crate) fn log(&self) -> Result<String> {
        let text = String::from_utf8_lossy(&fs::read(self.log_file())?).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(60)..].join("\n"))
    }
}

/// Killed with the site.
struct Process {
    name: String,
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An S3 server that tells the ingress of new uploads.
async fn storage(folder: &TempDir, ingress: &Ingress, servers: &mut JoinSet<()>) -> Result<String> {
    let server = LocalServer::bind(LocalConfig {
        root: folder.path().join("objects"),
        addr: ([127, 0, 0, 1], 0).into(),
        access_key: "site".to_owned(),
        secret_key: "secret-of-the-site".into(),
        bucket: BUCKET.to_owned(),
        allowed_origins: vec![ingress.url().to_owned()],
        notify: Some(Notify {
            url: format!("{}/functions/on-upload", ingress.url()).parse()?,
            secret: NOTIFICATION_SECRET.into(),
            prefix: "videos/raw/".into(),
        }),
    })
    .await?;
    let url = format!("http://{}", server.addr());
    servers.spawn(server.serve(std::future::pending()));
    Ok(url)
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}

/// Uses the doors as a program of a client's does: what failed is asked again under the same key.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
    project: String,
}

impl Client {
    async fn sign_in(url: &str, password: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let login = json!({ "email": EMAIL, "password": password });
        let login = http.post(format!("{url}/api/auth/login/")).json(&login);
        let answer = login.send().await?.error_for_status()?;
        let cookie = answer.headers().get("set-cookie").context("no cookie")?;
        let token = cookie
            .to_str()?
            .split(['=', ';'])
            .nth(1)
            .context("no token")?;
        let mut client = Self {
            http,
            url: url.to_owned(),
            token: token.to_owned(),
            project: String::new(),
        };
        let projects = client.get("/api/projects/").await?;
        let project = projects["results"][0]["id"]
            .as_str()
            .context("no project")?;
        project.clone_into(&mut client.project);
        Ok(client)
    }

    /// Announces a file and puts it into storage; answers the video's id.
    pub(crate) async fn upload(&self, file: &Path) -> Result<String> {
        let bytes = fs::read(file)?;
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.context("a file without a name")?;
        let body =
            json!({ "project_id": self.project, "original_name": name, "size_bytes": bytes.len() });
        let path = format!("{}/functions/upload-signed-url", self.url);
        let create = self.http.post(path).bearer_auth(&self.token).json(&body);
        let created = self.again(create.header("idempotency-key", name)).await?;
        let mut put = self.http.put(text(&created["upload"], "url")?).body(bytes);
        for (name, value) in created["upload"]["headers"]
            .as_object()
            .into_iter()
            .flatten()
        {
            put = put.header(name, value.as_str().context("a header that is no text")?);
        }
        put.send().await?.error_for_status()?;
        Ok(text(&created, "video_id")?.to_owned())
    }

    /// `PROCESSING`, `VERIFICATION`, `FAILED`…
    pub(crate) async fn status(&self, video: &str) -> Result<String> {
        let video = self.get(&format!("/api/videos/{video}/")).await?;
        Ok(text(&video, "status")?.to_owned())
    }

    pub(crate) async fn report(&self, video: &str) -> Result<Value> {
        self.get(&format!("/api/videos/{video}/report/")).await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        let request = self.http.get(format!("{}{path}", self.url));
        self.again(request.bearer_auth(&self.token)).await
    }

    /// The answer, when those behind the door are well again.
    async fn again(&self, request: reqwest::RequestBuilder) -> Result<Value> {
        let started = Instant::now();
        loop {
            let request = request.try_clone().context("a body that streams")?;
            let answer = request.send().await?;
            let status = answer.status();
            if !status.is_server_error() {
                let body = answer.text().await?;
                ensure!(status.is_success(), "{status}: {body}");
                return Ok(serde_json::from_str(&body)?);
            }
            ensure!(started.elapsed() < START, "{status} for {START:?}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name]
        .as_str()
        .with_context(|| format!("no {name} in {value}"))
}
