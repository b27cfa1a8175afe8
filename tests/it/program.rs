//! The built binary, as a user runs it: in a data folder of its own, with nothing configured.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::tree::root;

/// A place to run in.
pub(crate) struct Program {
    folder: TempDir,
}

impl Program {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
        })
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// `compliance` with these arguments; settings of the machine do not leak in.
    pub(crate) fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("compliance")?);
        command
            .args(args)
            .env_clear()
            .envs(inherited())
            .env("DATA_DIR", self.data())
            .env("LANG", "en_US.UTF-8")
            .env("LOG_LEVEL", "warn")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }

    /// `compliance check FILE --json -`, to its end.
    pub(crate) fn check(&self, file: &Path) -> Result<Checked> {
        Checked::of(&self.checking(file)?.output()?)
    }

    /// The same, not yet started.
    pub(crate) fn checking(&self, file: &Path) -> Result<Command> {
        let out = self.out();
        let args = ["check", text(file)?, "--json", "-", "--out", text(&out)?];
        self.command(&args)
    }

    /// The same, running.
    pub(crate) fn start(&self, file: &Path) -> Result<Child> {
        Ok(self.checking(file)?.spawn()?)
    }

    /// Mails that a check has sent.
    pub(crate) fn mails(&self) -> Result<Vec<String>> {
        let folder = self.data().join("check/mail");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let files = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
        let mails = files
            .iter()
            .filter(|file| file.path().extension().is_some_and(|e| e == "eml"));
        Ok(mails
            .map(|file| std::fs::read_to_string(file.path()))
            .collect::<std::io::Result<_>>()?)
    }
}

/// How a check ended.
pub(crate) struct Checked {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Checked {
    fn of(output: &Output) -> Result<Self> {
        let code = output.status.code().context("the program was killed")?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Self {
            code,
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        })
    }

    /// The report on standard output.
    pub(crate) fn report(&self) -> Result<Value> {
        let told = || {
            format!(
                "no report, exit code {}: {}{}",
                self.code, self.stdout, self.stderr
            )
        };
        serde_json::from_str(&self.stdout).with_context(told)
    }
}

/// Where tools and weights are; nothing else of the machine's settings.
#[expect(
    clippy::disallowed_methods,
    reason = "a child needs the machine's paths"
)]
pub(crate) fn inherited() -> impl Iterator<Item = (OsString, OsString)> {
    let names = [
        "PATH",
        "HOME",
        "XDG_CACHE_HOME",
        "MODELS_DIR",
        "MODELS_SOURCE",
    ];
    std::env::vars_os().filter(move |(name, _)| names.iter().any(|known| name == known))
}

/// A binary beside this test: built with it by `just test`.
pub(crate) fn binary(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let built = test.ancestors().nth(2).map(|folder| folder.join(name));
    match built.filter(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => bail!("{name} is not built: run `cargo build -p {name}`"),
    }
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

/// Labelled clips: their folder, as the script that builds them prints it.
pub(crate) fn fixtures() -> Result<PathBuf> {
    let script = root().join("tests/fixtures/build.py");
    let built = Command::new("python3")
        .arg(script)
        .output()
        .context("python3 is missing")?;
    let told = String::from_utf8_lossy(&built.stdout);
    let folder = told.lines().last().map(PathBuf::from);
    match folder.filter(|folder| built.status.success() && folder.is_dir()) {
        Some(folder) => Ok(folder),
        None => bail!(
            "the clips could not be built: {}",
            String::from_utf8_lossy(&built.stderr)
        ),
    }
}

/// What was planted in a clip.
pub(crate) fn labels(clip: &Path) -> Result<Value> {
    let path = format!("{}.labels.json", text(clip)?);
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    Ok(serde_json::from_str(&text)?)
}
