//! The proxy before an action, Apache's and DigitalOcean's: starts the child as `/init` does and
//! brings it calls as `/run` does, with the status codes of both.

use std::io::PipeReader;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use command_fds::{CommandFdExt, FdMapping};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const MARKER: &str = "XXX_THE_END_OF_A_WHISK_ACTIVATION_XXX";
/// Go's scanner gives a stream up at its first longer line.
const LONGEST_LINE: usize = 64 * 1024;
/// A call that has not ended by then hangs: the real proxy would wait on.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a child has to live that is not asked for an acknowledgement.
const ALIVE: Duration = Duration::from_millis(5);

/// Whose proxy it is, and how it was deployed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proxy {
    /// DigitalOcean's: hands `PATH` on, takes objects only, leaves the marker to the child.
    pub digital_ocean: bool,
    /// `OW_WAIT_FOR_ACK`.
    pub waits_for_ack: bool,
    /// `LOG_DESTINATIONS`: no answer before the marker on both streams. DigitalOcean only.
    pub forwards_logs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Log,
}

/// What a child and its proxy wrote to the container's log.
#[derive(Debug, Default)]
pub struct Log {
    /// Standard output.
    pub out: Vec<String>,
    /// Standard error.
    pub log: Vec<String>,
}

impl Log {
    /// Ends of calls on the two streams.
    pub fn markers(&self) -> (usize, usize) {
        let count = |lines: &[String]| lines.iter().filter(|line| *line == MARKER).count();
        (count(&self.out), count(&self.log))
    }

    fn push(&mut self, stream: Stream, line: String) {
        match stream {
            Stream::Out => self.out.push(line),
            Stream::Log => self.log.push(line),
        }
    }
}

/// A proxy and, after `init`, its child.
#[derive(Debug)]
pub struct FakeProxy {
    proxy: Proxy,
    initialized: bool,
    action: Option<Action>,
    log: Log,
}

#[derive(Debug)]
struct Action {
    child: Child,
    calls: ChildStdin,
    answers: BufReader<pipe::Receiver>,
    lines: mpsc::UnboundedReceiver<(Stream, String)>,
    _readers: JoinSet<()>,
}

impl FakeProxy {
    /// A proxy that has nothing to run yet.
    pub fn new(proxy: Proxy) -> Self {
        Self {
            proxy,
            initialized: false,
            action: None,
            log: Log::default(),
        }
    }

    /// `/init` with a ready program and the environment of its deployment.
    pub async fn init(&mut self, program: &Path, env: &[(String, String)]) -> Result<(u16, Value)> {
        if self.initialized {
            return Ok(told(403, "Cannot initialize the action more than once."));
        }
        let mut action = Action::start(self.proxy, program, env)?;
        if let Err(why) = action.is_ready(self.proxy.waits_for_ack).await {
            return Ok(told(502, &format!("cannot start action: {why}")));
        }
        self.action = Some(action);
        self.initialized = true;
        Ok((200, json!({ "ok": true })))
    }

    /// `/run` with this body.
    pub async fn run(&mut self, body: &str) -> Result<(u16, Value)> {
        let Some(action) = &mut self.action else {
            return Ok(told(500, "no action defined yet"));
        };
        if action.child.try_wait()?.is_some() {
            return Ok(told(500, "command exited"));
        }
        let asking = action.ask(body, self.proxy, &mut self.log);
        let answer = tokio::time::timeout(PATIENCE, asking)
            .await
            .context("the call hangs")??;
        if !self.proxy.digital_ocean {
            self.log.push(Stream::Out, MARKER.to_owned());
            self.log.push(Stream::Log, MARKER.to_owned());
        }
        let Some(answer) = answer else {
            self.action = None;
            return Ok(told(400, "command exited"));
        };
        let value: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if value.is_object() || (value.is_array() && !self.proxy.digital_ocean) {
            Ok((200, value))
        } else {
            Ok(told(
                502,
                "The action did not return a dictionary or array.",
            ))
        }
    }

    /// Ends standard input and waits for the child; answers its exit code and the whole log.
    pub async fn close(mut self) -> Result<(Option<i32>, Log)> {
        let action = self.action.take().context("no action")?;
        let Action {
            mut child,
            calls,
            mut lines,
            ..
        } = action;
        drop(calls);
        let ended = tokio::time::timeout(PATIENCE, child.wait())
            .await
            .context("the child does not end")??;
        while let Some((stream, line)) = lines.recv().await {
            self.log.push(stream, line);
        }
        Ok((ended.code(), self.log))
    }

    /// The child's process.
    pub fn pid(&self) -> Option<u32> {
        self.action.as_ref()?.child.id()
    }
}

fn told(status: u16, error: &str) -> (u16, Value) {
    (status, json!({ "error": error }))
}

impl Action {
    fn start(proxy: Proxy, program: &Path, env: &[(String, String)]) -> Result<Self> {
        let (results, result) = std::io::pipe()?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("__OW_PROXY_VERSION", "1.19.0")
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .fd_mappings(vec![FdMapping {
                parent_fd: result.into(),
                child_fd: 3,
            }])?;
        if proxy.waits_for_ack {
            command.env("__OW_WAIT_FOR_ACK", "1");
        }
        if proxy.digital_ocean {
            command.env("PATH", "/usr/bin:/bin").env("HOME", "/");
        }
        if proxy.forwards_logs {
            command.env("LOG_DESTINATIONS", "[{\"datadog\":{}}]");
        }
        let mut child = command.spawn()?;
        // The parent's end of the result pipe: as long as it is open the pipe has no end.
        drop(command);
        let (line, lines) = mpsc::unbounded_channel();
        let mut readers = JoinSet::new();
        let (out, log) = (child.stdout.take(), child.stderr.take());
        readers.spawn(scan(Stream::Out, out.context("stdout")?, line.clone()));
        readers.spawn(scan(Stream::Log, log.context("stderr")?, line));
        Ok(Self {
            calls: child.stdin.take().context("stdin")?,
            answers: BufReader::new(receiver(results)?),
            child,
            lines,
            _readers: readers,
        })
    }

    /// Without limit where an acknowledgement is awaited; the tests' own limit ends it.
    async fn is_ready(&mut self, waits_for_ack: bool) -> Result<()> {
        if !waits_for_ack {
            return match tokio::time::timeout(ALIVE, self.child.wait()).await {
                Ok(_) => bail!("command exited"),
                Err(_) => Ok(()),
            };
        }
        let Some(line) = self.line().await? else {
            bail!("Command exited abruptly during initialization.");
        };
        match serde_json::from_slice::<Value>(&line)?["ok"].as_bool() {
            Some(true) => Ok(()),
            _ => bail!("The action did not initialize properly."),
        }
    }

    async fn ask(&mut self, body: &str, proxy: Proxy, log: &mut Log) -> Result<Option<Vec<u8>>> {
        // A child that has died shows itself by its missing answer.
        drop(
            self.calls
                .write_all(body.replace('\n', "").as_bytes())
                .await,
        );
        drop(self.calls.write_all(b"\n").await);
        let answer = self.line().await?;
        let (mut out, mut err) = (false, false);
        while proxy.forwards_logs && answer.is_some() && !(out && err) {
            let (stream, line) = self.lines.recv().await.context("the log has ended")?;
            if line.len() > LONGEST_LINE {
                bail!("a line of {} bytes: the proxy stalls", line.len());
            }
            match stream {
                Stream::Out => out |= line == MARKER,
                Stream::Log => err |= line == MARKER,
            }
            log.push(stream, line);
        }
        Ok(answer)
    }

    /// `None` when the child has ended without a line.
    async fn line(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = self.answers.read_until(b'\n', &mut line).await?;
        Ok((read > 0).then_some(line))
    }
}

fn receiver(results: PipeReader) -> Result<pipe::Receiver> {
    Ok(pipe::Receiver::from_owned_fd(results.into())?)
}

async fn scan(
    stream: Stream,
    from: impl AsyncRead + Unpin,
    to: mpsc::UnboundedSender<(Stream, String)>,
) {
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if to.send((stream, line)).is_err() {
            return;
        }
    }
}
