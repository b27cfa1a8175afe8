//! A Redis server for one test: real, private, without persistence, and badly treated when told so.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

/// Below the ports that the system hands to clients: a server that is down keeps its port.
const PORTS: (u32, u32) = (12_000, 20_000);

/// A running server; gone when dropped.
#[derive(Debug)]
pub struct TestRedis {
    port: u16,
    password: Option<String>,
    tls: bool,
    child: Option<Child>,
    folder: TempDir,
    _lock: File,
}

/// A server that asks for no password.
#[expect(clippy::panic, reason = "a test without its server must fail loudly")]
pub fn redis() -> TestRedis {
    match TestRedis::open(None, false) {
        Ok(server) => server,
        Err(error) => panic!("no Redis: {error:?}"),
    }
}

/// A server that asks for a password.
#[expect(clippy::panic, reason = "a test without its server must fail loudly")]
pub fn redis_with_password(password: &str) -> TestRedis {
    match TestRedis::open(Some(password.to_owned()), false) {
        Ok(server) => server,
        Err(error) => panic!("no Redis: {error:?}"),
    }
}

/// A server that speaks TLS only, under a certificate that `authority` has signed.
#[expect(clippy::panic, reason = "a test without its server must fail loudly")]
pub fn redis_with_tls() -> TestRedis {
    match TestRedis::open(None, true) {
        Ok(server) => server,
        Err(error) => panic!("no Redis with TLS: {error:?}"),
    }
}

/// A server that speaks TLS only and asks for a password.
#[expect(clippy::panic, reason = "a test without its server must fail loudly")]
pub fn redis_with_tls_and_password(password: &str) -> TestRedis {
    match TestRedis::open(Some(password.to_owned()), true) {
        Ok(server) => server,
        Err(error) => panic!("no Redis with TLS: {error:?}"),
    }
}

impl TestRedis {
    fn open(password: Option<String>, tls: bool) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (port, lock) = free_port()?;
        let mut server = Self {
            port,
            _lock: lock,
            password,
            tls,
            child: None,
            folder,
        };
        if tls {
            server.certify()?;
        }
        server.start()?;
        Ok(server)
    }

    /// As in `REDIS_URL`.
    pub fn url(&self) -> String {
        match (&self.password, self.tls) {
            (None, true) => format!("rediss://localhost:{}/0", self.port),
            (Some(password), true) => format!("rediss://:{password}@localhost:{}/0", self.port),
            (None, false) => format!("redis://127.0.0.1:{}/0", self.port),
            (Some(password), false) => format!("redis://:{password}@127.0.0.1:{}/0", self.port),
        }
    }

    /// `127.0.0.1:6379`.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The certificate of the authority that is to be trusted, PEM.
    pub fn authority(&self) -> Result<Vec<u8>> {
        Ok(fs::read(self.path("ca.crt"))?)
    }

    /// One command, as `redis-cli` would say it; the answer's text.
    pub fn ask(&self, command: &[&str]) -> Result<String> {
        let mut cli = Command::new("redis-cli");
        cli.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if let Some(password) = &self.password {
            cli.args(["--no-auth-warning", "-a", password]);
        }
        let output = cli.args(command).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{command:?}: {output:?}");
        let text = String::from_utf8(output.stdout)?.trim().to_owned();
        ensure!(
            !["ERR ", "NOAUTH ", "WRONGTYPE ", "NOGROUP "]
                .iter()
                .any(|error| text.starts_with(error)),
            "{command:?}: {text}"
        );
        Ok(text)
    }

    /// Forgets everything.
    pub fn flush_all(&self) -> Result<()> {
        self.ask(&["FLUSHALL"]).map(drop)
    }

    /// Dies at once, and with it everything that it knew.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it is not running")?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Starts it on the same port, knowing nothing.
    pub fn start(&mut self) -> Result<()> {
        let mut child = self.spawn(&[])?;
        let told = child.stdout.take().context("no log")?;
        self.child = Some(child);
        ready(BufReader::new(told))
    }

    fn spawn(&self, more: &[&str]) -> Result<Child> {
        let mut server = Command::new("redis-server");
        let port = self.port.to_string();
        let (plain, secure) = if self.tls {
            ("0", port.as_str())
        } else {
            (port.as_str(), "0")
        };
        server.args(["--port", plain, "--bind", "127.0.0.1 -::1"]);
        server.args(["--save", "", "--appendonly", "no"]);
        server.arg("--dir").arg(self.folder.path());
        if let Some(password) = &self.password {
            server.args(["--requirepass", password]);
        }
        if self.tls {
            server.args(["--tls-port", secure, "--tls-auth-clients", "no"]);
            server.arg("--tls-cert-file").arg(self.path("server.crt"));
            server.arg("--tls-key-file").arg(self.path("server.key"));
            server.arg("--tls-ca-cert-file").arg(self.path("ca.crt"));
        }
        server
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("redis-server does not start: apt-get install redis-server")
    }

    /// Asks for another password from now on, or for none, and sends everybody away.
    pub fn change_password(&mut self, password: Option<&str>) -> Result<()> {
        self.ask(&["CONFIG", "SET", "requirepass", password.unwrap_or("")])?;
        self.password = password.map(str::to_owned);
        self.ask(&["CLIENT", "KILL", "TYPE", "normal"]).map(drop)
    }

    /// Dies and is started again with all that it knew, and more than it can read soon: it answers
    /// that it is loading, until `read_on`.
    pub fn restart_loading(&mut self) -> Result<()> {
        // While it reads it hears clients out after every 2 MB.
        let weight = "for i = 1, 60 do redis.call('SETRANGE', 'weight:' .. i, 1048575, 'x') end";
        self.ask(&["EVAL", weight, "0"])?;
        self.ask(&["CONFIG", "SET", "rdbcompression", "no"])?;
        self.ask(&["SAVE"])?;
        self.kill()?;
        let child = self.spawn(&["--rdbcompression", "no", "--key-load-delay", "150000"])?;
        let child = self.child.insert(child);
        let mut told = child.stdout.take().context("no log")?;
        std::thread::spawn(move || io::copy(&mut told, &mut io::sink()));
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = child.try_wait()?;
            ensure!(ended.is_none(), "redis-server ended: {ended:?}");
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Reads what is left at once.
    pub fn read_on(&self) -> Result<()> {
        self.ask(&["CONFIG", "SET", "key-load-delay", "0"])
            .map(drop)
    }

    /// Lives on and answers nothing.
    pub fn pause(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Goes on after `pause`.
    pub fn go_on(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let child = self.child.as_ref().context("it is not running")?;
        succeed(Command::new("kill").args([signal, &child.id().to_string()]))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An authority of its own and a certificate for `localhost`.
    fn certify(&self) -> Result<()> {
        let openssl = |args: &[&str]| {
            let mut openssl = Command::new("openssl");
            succeed(openssl.args(args).current_dir(self.folder.path()))
        };
        let key = "ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        let key: Vec<&str> = key.split(' ').collect();
        let authority = ["req", "-x509", "-subj", "/CN=authority", "-newkey"];
        let files = ["-keyout", "ca.key", "-out", "ca.crt"];
        openssl(&[&authority[..], &key, &files].concat())?;
        fs::write(
            self.path("names"),
            "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n",
        )?;
        let request = ["req", "-subj", "/CN=localhost", "-newkey"];
        let files = ["-keyout", "server.key", "-out", "server.csr"];
        let no_days = &key[..key.len() - 2];
        openssl(&[&request[..], no_days, &files].concat())?;
        let sign = "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 \
                    -extfile names -out server.crt";
        openssl(&sign.split_whitespace().collect::<Vec<_>>())
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        if self.child.is_some() {
            drop(self.kill());
        }
    }
}

/// Waits until the server says that it is, then lets it say what it likes.
fn ready(mut told: BufReader<impl io::Read + Send + 'static>) -> Result<()> {
    let mut said = String::new();
    loop {
        let start = said.len();
        if told.read_line(&mut said)? == 0 {
            bail!("redis-server ended: {said}");
        }
        if said[start..].contains("Ready to accept connections") {
            break;
        }
    }
    std::thread::spawn(move || io::copy(&mut told, &mut io::sink()));
    Ok(())
}

/// A port that nobody listens at, and the lock that keeps other tests from choosing it as well.
fn free_port() -> Result<(u16, File)> {
    let (first, after) = PORTS;
    let span = after - first;
    let start = std::process::id().wrapping_mul(17) % span;
    for step in 0..span {
        let port = u16::try_from(first + (start + step) % span)?;
        let lock = std::env::temp_dir().join(format!("compliance-test-redis-{port}.lock"));
        // one that another user made cannot be opened, and its port is left alone
        let Ok(lock) = File::create(lock) else {
            continue;
        };
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok((port, lock));
        }
    }
    bail!("no port is free")
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("{command:?} does not start"))?;
    ensure!(output.status.success(), "{command:?}: {output:?}");
    Ok(())
}
