//! A function's own binary in a process of its own, on any platform, asked in the platform's way.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::wire::{classic_call, current_call, http_v2, line, of_v2, of_web_action};
use crate::{Answer, Call, Failed, FakeLambda, FakeProxy, Proxy, World};

/// Enough for anything that a test asks.
const TIME: Duration = Duration::from_mins(1);

/// Where a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Behind a port.
    Http,
    /// Lambda, asked through a Function URL or an HTTP API.
    Lambda,
    /// DigitalOcean Functions, `http` dialect.
    DigitalOcean,
    /// Apache `OpenWhisk`, classic dialect.
    OpenWhisk,
}

impl Platform {
    /// Every one that answers requests.
    pub const ALL: [Self; 4] = [
        Self::Http,
        Self::Lambda,
        Self::DigitalOcean,
        Self::OpenWhisk,
    ];
    /// Those that also bring messages and ticks.
    pub const DIRECT: [Self; 3] = [Self::Lambda, Self::DigitalOcean, Self::OpenWhisk];
}

/// A binary and the world that it is to live in.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    name: String,
    env: Vec<(String, String)>,
}

impl Program {
    /// The function `name`, built beside this test.
    pub fn new(name: &str, world: &World) -> Result<Self> {
        let test = std::env::current_exe()?;
        let built = test.ancestors().nth(2).map(|folder| folder.join(name));
        match built.filter(|path| path.is_file()) {
            Some(path) => Ok(Self {
                path,
                name: name.to_owned(),
                env: world.environment(),
            }),
            None => bail!("the program is not built: run `cargo build -p {name}`"),
        }
    }

    /// With one setting more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its settings.
    pub fn env(&self) -> &[(String, String)] {
        &self.env
    }

    /// The process, with nothing of this machine's settings; it ends with its handle.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        command
    }

    /// Once, with this on standard input: exit code and what it says.
    pub async fn once(&self, input: &str) -> Result<(Option<i32>, Value)> {
        let mut child = self.command().stdin(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("stdin")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let ended = tokio::time::timeout(TIME, child.wait_with_output()).await??;
        let said = serde_json::from_slice(&ended.stdout).unwrap_or_default();
        Ok((ended.status.code(), said))
    }

    /// Starts it on a platform.
    pub async fn on(self, platform: Platform) -> Result<Hosted> {
        match platform {
            Platform::Http => self.listening().await,
            Platform::Lambda => self.on_lambda().await,
            Platform::DigitalOcean => {
                self.behind(Proxy {
                    digital_ocean: true,
                    waits_for_ack: true,
                    forwards_logs: true,
                })
                .await
            }
            Platform::OpenWhisk => self.behind(Proxy::default()).await,
        }
    }

    async fn listening(self) -> Result<Hosted> {
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let mut command = self.command();
        command.env("PORT", port.to_string()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stderr.take().context("stderr")?).lines();
        loop {
            let line = lines.next_line().await?;
            let line = line.context("the function ended before it listened")?;
            if line.contains("listening") {
                break;
            }
        }
        let mut log = JoinSet::new();
        log.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Hosted {
            name: self.name,
            way: Way::Http {
                base: format!("http://127.0.0.1:{port}"),
                _child: child,
                _log: log,
            },
        })
    }

    async fn on_lambda(self) -> Result<Hosted> {
        let api = FakeLambda::start().await?;
        let child = self.command().envs(api.environment()).spawn()?;
        Ok(Hosted {
            name: self.name,
            way: Way::Lambda { api, child },
        })
    }

    /// Starts it behind a proxy.
    pub async fn behind(self, proxy: Proxy) -> Result<Hosted> {
        let mut fake = FakeProxy::new(proxy);
        let (status, said) = fake.init(&self.path, &self.env).await?;
        ensure!(status == 200, "init: {status} {said}");
        Ok(Hosted {
            name: self.name,
            way: Way::Loop {
                proxy: Box::new(fake),
                classic: !proxy.digital_ocean,
            },
        })
    }
}

/// A function that runs on a platform.
#[derive(Debug)]
pub struct Hosted {
    name: String,
    way: Way,
}

#[derive(Debug)]
enum Way {
    Http {
        base: String,
        _child: Child,
        _log: JoinSet<()>,
    },
    Lambda {
        api: FakeLambda,
        child: Child,
    },
    Loop {
        proxy: Box<FakeProxy>,
        classic: bool,
    },
}

impl Hosted {
    /// Brings a request the way the platform does.
    pub async fn ask(&mut self, call: Call) -> Result<Answer> {
        let name = &self.name;
        match &mut self.way {
            Way::Http { base, .. } => over_http(base, call).await,
            Way::Lambda { api, child } => {
                let invoked = api.invoke(http_v2(&call), TIME);
                let ended = tokio::select! {
                    ended = invoked => ended?,
                    ended = child.wait() => bail!("the function has ended: {ended:?}"),
                };
                of_v2(&ended.map_err(|failed| anyhow::anyhow!("{failed:?}"))?)
            }
            Way::Loop { proxy, classic } => {
                let value = match classic {
                    true => classic_call(&call, name),
                    false => current_call(&call, name),
                };
                let (status, said) = proxy.run(&line(&value)).await?;
                ensure!(status == 200, "run: {status} {said}");
                of_web_action(&said)
            }
        }
    }

    /// Brings JSON that is no request: a batch, a schedule, a message, nothing.
    pub async fn invoke(&mut self, payload: Value) -> Result<Result<Value, Failed>> {
        match &mut self.way {
            Way::Http { .. } => bail!("behind a port there are requests only"),
            Way::Lambda { api, child } => tokio::select! {
                ended = api.invoke(payload, TIME) => ended,
                ended = child.wait() => bail!("the function has ended: {ended:?}"),
            },
            Way::Loop { proxy, .. } => {
                let (status, said) = proxy.run(&line(&payload)).await?;
                ensure!(status == 200, "run: {status} {said}");
                match said["error"].as_str() {
                    Some(error) => Ok(Err(Failed {
                        error_type: "application error".to_owned(),
                        error_message: error.to_owned(),
                    })),
                    None => Ok(Ok(said)),
                }
            }
        }
    }

    /// The proxy that it runs behind.
    pub fn into_proxy(self) -> Result<FakeProxy> {
        match self.way {
            Way::Loop { proxy, .. } => Ok(*proxy),
            _ => bail!("there is no proxy here"),
        }
    }
}

async fn over_http(base: &str, call: Call) -> Result<Answer> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut request = client.request(call.method, format!("{base}{}", call.path));
    for (name, value) in call.headers {
        request = request.header(name, value);
    }
    let response = request.body(call.body).send().await?;
    let (status, mut headers) = (response.status(), response.headers().clone());
    // These are the connection's, not the function's.
    headers.remove("date");
    headers.remove("content-length");
    Ok(Answer {
        status,
        headers,
        body: response.bytes().await?,
    })
}
