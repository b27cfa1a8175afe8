//! `PgBouncer` in transaction mode in front of a test's database, with so few servers behind it that
//! every client meets the others' leftovers.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

use crate::PASSWORD;
use crate::postgres::{ROLE, give_to_postgres, is_root};
use crate::server::free_port;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct PgBouncer {
    _folder: TempDir,
    port: u16,
    process: Child,
}

/// What is done with start-up options that a pooler does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Options {
    /// The connection is refused, as it is without settings of one's own.
    Refused,
    /// They are swallowed, as some providers have it.
    Swallowed,
}

impl PgBouncer {
    /// Starts one in front of the server whose socket lies in `socket` under `port`.
    pub async fn start(socket: &Path, port: u16, options: Options) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let listen = free_port()?;
        let ignored = match options {
            Options::Refused => "",
            Options::Swallowed => "ignore_startup_parameters = options, extra_float_digits\n",
        };
        let settings = format!(
            "[databases]\n* = host={} port={port} user={ROLE}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {listen}\n\
             unix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 3\n\
             max_client_conn = 300\nauth_type = scram-sha-256\nauth_file = {}\n\
             logfile = {}\nserver_check_delay = 0\n{ignored}",
            socket.display(),
            folder.path().join("users").display(),
            folder.path().join("log").display(),
        );
        fs::write(folder.path().join("pgbouncer.ini"), settings)?;
        fs::write(
            folder.path().join("users"),
            format!("\"{ROLE}\" \"{PASSWORD}\"\n"),
        )?;
        let mut command = if is_root()? {
            give_to_postgres(folder.path())?;
            let mut command = Command::new("setpriv");
            command.args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "pgbouncer",
            ]);
            command
        } else {
            Command::new("pgbouncer")
        };
        let process = command
            .arg(folder.path().join("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("PgBouncer does not start: apt-get install pgbouncer")?;
        let pooler = Self {
            _folder: folder,
            port: listen,
            process,
        };
        pooler.ready().await?;
        Ok(pooler)
    }

    /// As in `DATABASE_URL`.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{ROLE}:{PASSWORD}@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    async fn ready(&self) -> Result<()> {
        // a pooler refuses the start-up parameters that it does not know, and this is one
        let options = PgConnectOptions::from_str(&self.url("postgres"))?.extra_float_digits(None);
        let answered = async {
            while options.connect().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), answered)
            .await
            .context("PgBouncer does not answer")
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
