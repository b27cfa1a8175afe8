//! Runs ffmpeg and ffprobe on hostile files: limits, a process group of their own, a private
//! folder, and (on Linux) Landlock and seccomp.
//!
//! The surprise is the dedicated thread. Landlock and seccomp bind a thread and whatever it
//! starts; so a thread restricts itself, starts the program and waits for it. It has to live as
//! long as the program, because the parent-death signal is sent when the starting *thread* ends.

use std::collections::VecDeque;
use std::io::{self, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ffmpeg_sidecar::child::FfmpegChild;
use ffmpeg_sidecar::command::FfmpegCommand;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::error::MediaError;
use crate::pipes::bounded_line;

#[cfg(target_os = "linux")]
mod linux;

/// What stderr is remembered of.
const STDERR_BYTES: usize = 64 * 1024;

/// The bounds of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Address space.
    pub(crate) memory_bytes: u64,
    /// Seconds of processor time.
    pub(crate) cpu_s: u64,
    /// The largest file that may be written.
    pub(crate) file_bytes: u64,
    /// Open files.
    pub(crate) files: u64,
    /// Whether everybody else's work goes first.
    pub(crate) patient: bool,
}

impl Limits {
    pub(crate) fn cpu(cpu_s: u64) -> Self {
        Self {
            memory_bytes: 3 << 29,
            cpu_s,
            file_bytes: 16 << 20,
            files: 64,
            patient: false,
        }
    }
}

/// A private folder that goes away with its owner.
#[derive(Debug)]
pub(crate) struct Job {
    folder: TempDir,
}

impl Job {
    pub(crate) fn new(within: Option<&Path>) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("media-");
        let folder = match within {
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                builder.tempdir_in(folder)?
            }
            None => builder.tempdir()?,
        };
        Ok(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A program to start: the sidecar knows ffmpeg only, and adds options that ffprobe has not.
pub(crate) enum Program {
    Ffmpeg(FfmpegCommand),
    Ffprobe(Command),
}

impl Program {
    pub(crate) fn command(&mut self) -> &mut Command {
        match self {
            Self::Ffmpeg(command) => command.as_inner_mut(),
            Self::Ffprobe(command) => command,
        }
    }

    fn spawn(&mut self) -> io::Result<Started> {
        match self {
            Self::Ffmpeg(command) => command.spawn().map(Started::Ffmpeg),
            Self::Ffprobe(command) => command.spawn().map(Started::Ffprobe),
        }
    }
}

enum Started {
    Ffmpeg(FfmpegChild),
    Ffprobe(Child),
}

impl Started {
    fn child(&mut self) -> &mut Child {
        match self {
            Self::Ffmpeg(child) => child.as_inner_mut(),
            Self::Ffprobe(child) => child,
        }
    }
}

/// What the program may touch.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    /// The only folder it may write to; also its working directory.
    pub(crate) folder: PathBuf,
    /// The only port, on any address, that it may connect to.
    pub(crate) port: u16,
    /// What it may run; their folders are readable.
    pub(crate) programs: Vec<PathBuf>,
}

/// A running program. Dropping it kills the whole process group.
#[derive(Debug)]
pub(crate) struct Running {
    /// Open for as long as it is held.
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
    exit: oneshot::Receiver<io::Result<ExitStatus>>,
    group: Group,
}

#[derive(Debug)]
struct Group {
    pid: Option<Pid>,
    gone: Arc<AtomicBool>,
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Group {
    fn kill(&self) {
        if let Some(pid) = self.pid
            && !self.gone.load(Ordering::Acquire)
        {
            // It may have ended by itself in between, which is what is wanted.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Running {
    /// Waits for the end.
    pub(crate) async fn wait(&mut self) -> Result<ExitStatus, MediaError> {
        let lost = || io::Error::other("the thread that watches the program is gone");
        Ok((&mut self.exit).await.map_err(|_| lost())??)
    }

    pub(crate) fn kill(&self) {
        self.group.kill();
    }
}

/// Starts the program within the fence.
pub(crate) async fn start(
    mut program: Program,
    fence: Fence,
    limits: Limits,
) -> Result<Running, MediaError> {
    let inner = program.command();
    if inner.get_current_dir().is_none() {
        inner.current_dir(&fence.folder);
    }
    inner
        .env_clear()
        // Each arena reserves 64 MiB of address space, which is what is limited.
        .env("MALLOC_ARENA_MAX", "2")
        .process_group(0);
    let (started, starting) = oneshot::channel();
    let (ended, exit) = oneshot::channel();
    let gone = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&gone);
    std::thread::Builder::new()
        .name("media-child".into())
        .spawn(move || {
            // What is missing was said at the start of the process.
            let _ = confine(&fence);
            let mut spawned = match program.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            let child = spawned.child();
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            limit(pid, limits);
            let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            if started.send(Ok((pid, pipes))).is_err() {
                // Nobody waits any more: the guard that would kill the group was never made.
                drop(Group {
                    pid,
                    gone: Arc::clone(&flag),
                });
            }
            let status = child.wait();
            flag.store(true, Ordering::Release);
            let _ = ended.send(status);
        })?;
    let lost = || io::Error::other("the thread that starts the program is gone");
    let (pid, (stdin, stdout, stderr)) = starting.await.map_err(|_| lost())??;
    Ok(Running {
        stdin,
        stdout,
        stderr,
        exit,
        group: Group { pid, gone },
    })
}

/// Runs a program to its end inside the fence: what it said, and what the system lacks.
pub(crate) fn try_out(command: &mut Command, fence: &Fence) -> io::Result<(Output, Vec<String>)> {
    let run = || -> io::Result<(Output, Vec<String>)> {
        let missing = confine(fence);
        command.env_clear().current_dir(&fence.folder);
        Ok((command.output()?, missing))
    };
    let lost = |_| io::Error::other("the thread that starts the program is gone");
    std::thread::scope(|scope| scope.spawn(run).join().map_err(lost))?
}

#[cfg(target_os = "linux")]
fn confine(fence: &Fence) -> Vec<String> {
    linux::confine(fence)
}

#[cfg(not(target_os = "linux"))]
fn confine(_fence: &Fence) -> Vec<String> {
    vec!["Landlock, seccomp and resource limits: this system has none of them".to_owned()]
}

#[cfg(target_os = "linux")]
fn limit(pid: Option<Pid>, limits: Limits) {
    linux::limit(pid, limits);
}

#[cfg(not(target_os = "linux"))]
fn limit(_pid: Option<Pid>, _limits: Limits) {}

/// What a program wrote to stderr: the last 64 KB of it, and how many errors.
#[derive(Debug, Default, Clone)]
pub(crate) struct Complaints {
    lines: VecDeque<String>,
    bytes: usize,
    pub(crate) errors: u64,
}

impl Complaints {
    /// Reads to the end; to be called on a thread of its own.
    pub(crate) fn read(stderr: ChildStderr) -> Self {
        let mut lines = BufReader::new(stderr);
        let mut complaints = Self::default();
        while let Some(line) = bounded_line(&mut lines) {
            complaints.add(line);
        }
        complaints
    }

    pub(crate) fn add(&mut self, line: String) {
        let is_error = line.contains("[error]") || line.contains("[fatal]");
        // A track beside the chosen ones, whose decoder stays shut, is no damage.
        self.errors += u64::from(is_error && !line.contains("not on whitelist"));
        self.bytes += line.len();
        self.lines.push_back(line);
        while self.bytes > STDERR_BYTES
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= oldest.len();
        }
    }

    pub(crate) fn mention(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.contains(text))
    }

    /// What stands between two texts in the first line that has both.
    pub(crate) fn between(&self, before: &str, after: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| {
            let (_, rest) = line.split_once(before)?;
            Some(rest.split_once(after)?.0)
        })
    }

    /// The last few lines, for the log.
    pub(crate) fn tail(&self) -> String {
        let skip = self.lines.len().saturating_sub(5);
        let lines: Vec<_> = self.lines.iter().skip(skip).map(String::as_str).collect();
        lines.join(" | ").escape_debug().take(1000).collect()
    }
}

/// The signal that ended a program, if one did.
pub(crate) fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}

#[cfg(test)]
mod tests;
