//! A PostgreSQL server of a test's own: over TCP with TLS and passwords, to be restarted and followed.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::Certificates;
use crate::postgres::{ROLE, give_to_postgres, is_root, program, programs, succeed};

/// The password of the role `compliance` at a `PostgresServer` and a `PgBouncer`.
pub const PASSWORD: &str = "s3cret-of-the-database";

/// What was promised to survive must survive: commits reach the operating system before they are
/// answered. The machine itself does not fail, so that nothing needs to reach the disk.
const SETTINGS: &str = "fsync = off\nsynchronous_commit = on\nfull_page_writes = off\n\
    shared_buffers = 32MB\nmax_connections = 60\nautovacuum = off\nrestart_after_crash = on\n\
    wal_level = replica\nmax_wal_senders = 4\nhot_standby = on\nssl = on\n";

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    as_postgres: bool,
}

impl PostgresServer {
    /// Makes and starts one that takes connections over TLS only, by password, at 127.0.0.1.
    pub async fn start(certificates: &Certificates) -> Result<Self> {
        let server = Self::prepare()?;
        let password = server.folder.path().join("password");
        fs::write(&password, PASSWORD)?;
        server.own(&password)?;
        let mut initdb = server.program("initdb");
        initdb.args([
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
        ]);
        initdb.args(["--username", ROLE, "--pwfile"]).arg(&password);
        succeed(initdb.arg("--pgdata").arg(server.data()))?;
        for (from, to) in [
            (certificates.server(), "server.crt"),
            (certificates.key(), "server.key"),
        ] {
            let to = server.data().join(to);
            fs::copy(from, &to)?;
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600))?;
            server.own(&to)?;
        }
        // the socket is the harness's own way in: copies, and databases for tests
        let rules = "local all all trust\nlocal replication all trust\n\
                     hostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(server.data().join("pg_hba.conf"), rules)?;
        server.settle()?;
        server.run(&["start", "--wait", "--silent"]).await?;
        Ok(server)
    }

    /// A standby that follows this server and refuses to write.
    pub async fn standby(&self) -> Result<Self> {
        let standby = Self::prepare()?;
        let mut copy = standby.program("pg_basebackup");
        copy.args(["--write-recovery-conf", "--no-sync", "--checkpoint=fast"]);
        copy.args([
            "--username",
            ROLE,
            "--port",
            &self.port.to_string(),
            "--host",
        ]);
        copy.arg(self.folder.path())
            .arg("--pgdata")
            .arg(standby.data());
        tokio::task::spawn_blocking(move || succeed(&mut copy)).await??;
        standby.settle()?;
        standby.run(&["start", "--wait", "--silent"]).await?;
        Ok(standby)
    }

    /// Kills every process of the server at once and starts it again.
    pub async fn crash(&self) -> Result<()> {
        self.run(&["restart", "--mode=immediate", "--wait", "--silent"])
            .await
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// As in `DATABASE_URL`, with everything after the `?`.
    pub fn url(&self, database: &str, parameters: &str) -> String {
        format!(
            "postgres://{ROLE}:{PASSWORD}@localhost:{}/{database}?{parameters}",
            self.port
        )
    }

    /// The way in that asks for no password.
    pub fn socket_url(&self, database: &str) -> String {
        let folder = self.folder.path().display();
        format!(
            "postgres://{ROLE}@localhost:{}/{database}?host={folder}&sslmode=disable",
            self.port
        )
    }

    fn prepare() -> Result<Self> {
        let server = Self {
            folder: tempfile::tempdir()?,
            programs: programs()?,
            port: free_port()?,
            as_postgres: is_root()?,
        };
        server.own(server.folder.path())?;
        Ok(server)
    }

    fn settle(&self) -> Result<()> {
        let settings = format!(
            "{SETTINGS}listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n",
            self.port,
            self.folder.path().display()
        );
        let file = self.data().join("postgresql.conf");
        fs::write(&file, settings)?;
        self.own(&file)
    }

    fn own(&self, path: &std::path::Path) -> Result<()> {
        if self.as_postgres {
            give_to_postgres(path)?;
        }
        Ok(())
    }

    async fn run(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.program("pg_ctl");
        let log = self.folder.path().join("log");
        command.args(arguments).arg("--pgdata").arg(self.data());
        command.arg("--log").arg(&log);
        tokio::task::spawn_blocking(move || {
            succeed(&mut command).with_context(|| fs::read_to_string(log).unwrap_or_default())
        })
        .await?
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn program(&self, name: &str) -> std::process::Command {
        program(&self.programs, name, self.folder.path(), self.as_postgres)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let mut command = self.program("pg_ctl");
        command.args(["stop", "--mode=immediate", "--wait", "--silent", "--pgdata"]);
        drop(succeed(command.arg(self.data())));
    }
}

/// A port that nobody listens at now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
