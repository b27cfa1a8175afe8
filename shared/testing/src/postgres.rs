//! A PostgreSQL cluster for tests: made once, started when it is down, shared by every test process.
//!
//! Speed stands above safety: nothing is synced to disk. A lock file keeps two processes from making
//! or starting it at the same time.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use shared_domain::{Ids, SystemIds};
use shared_store::{Store, StoreConfig, schema_fingerprint};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

pub(crate) const ROLE: &str = "compliance";
const SETTINGS: &str = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB -c autovacuum=off";

/// A running cluster.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    /// The server refuses to run as root: then everything of its is done as its own user.
    as_postgres: bool,
}

impl Cluster {
    /// Finds the cluster, makes and starts it when needed, and sees to its template.
    pub(crate) async fn ready() -> Result<Self> {
        let cluster = Self::locate()?;
        let lock = File::create(cluster.folder.join("lock"))?;
        let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
        if cluster.connect("postgres").await.is_err() {
            cluster.start()?;
            cluster.sweep().await?;
        }
        cluster.make_template().await?;
        drop(lock);
        Ok(cluster)
    }

    fn locate() -> Result<Self> {
        let programs = programs()?;
        // one folder per user of the machine: what another user made could not be used
        let owner = tempfile::tempfile()?.metadata()?.uid();
        let folder = std::env::temp_dir().join(format!("compliance-test-postgres-{owner}"));
        fs::create_dir_all(&folder)?;
        let cluster = Self {
            folder,
            programs,
            as_postgres: owner == 0,
        };
        if cluster.as_postgres {
            give_to_postgres(&cluster.folder)?;
        }
        Ok(cluster)
    }

    fn start(&self) -> Result<()> {
        let data = self.folder.join("data");
        if !data.join("PG_VERSION").exists() {
            succeed(
                self.program("initdb")
                    .args(["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"])
                    .args(["--username", ROLE, "--pgdata"])
                    .arg(&data),
            )?;
        }
        let options = format!("{SETTINGS} -k {}", self.folder.display());
        succeed(
            self.program("pg_ctl")
                .args([
                    "start",
                    "--wait",
                    "--silent",
                    "--options",
                    &options,
                    "--pgdata",
                ])
                .arg(&data)
                .arg("--log")
                .arg(self.folder.join("log")),
        )
        .with_context(|| format!("see {}", self.folder.join("log").display()))
    }

    /// Databases of tests that were killed.
    async fn sweep(&self) -> Result<()> {
        let mut conn = self.connect("postgres").await?;
        let left: Vec<(String,)> =
            sqlx::query_as("select datname from pg_database where datname like 'test\\_%'")
                .fetch_all(&mut conn)
                .await?;
        for (name,) in left {
            conn.execute(AssertSqlSafe(format!(
                "drop database \"{name}\" with (force)"
            )))
            .await?;
        }
        Ok(())
    }

    async fn make_template(&self) -> Result<()> {
        let name = template();
        let mut conn = self.connect("postgres").await?;
        let (known,): (i64,) =
            sqlx::query_as("select count(*) from pg_database where datname = $1")
                .bind(&name)
                .fetch_one(&mut conn)
                .await?;
        if known == 1 {
            return Ok(());
        }
        let raw = format!("test_{name}");
        conn.execute(AssertSqlSafe(format!("drop database if exists \"{raw}\"")))
            .await?;
        conn.execute(AssertSqlSafe(format!("create database \"{raw}\"")))
            .await?;
        Store::migrate(StoreConfig::new(self.url(&raw)))
            .await
            .context("migrating PostgreSQL")?;
        conn.execute(AssertSqlSafe(format!(
            "alter database \"{raw}\" rename to \"{name}\""
        )))
        .await?;
        Ok(())
    }

    /// A fresh database, from the template or empty.
    pub(crate) async fn create_database(&self, migrated: bool) -> Result<String> {
        let name = format!("test_{}", SystemIds.next().simple());
        let source = if migrated {
            template()
        } else {
            "template0".to_owned()
        };
        let mut conn = self.connect("postgres").await?;
        let create = format!("create database \"{name}\" template \"{source}\"");
        conn.execute(AssertSqlSafe(create)).await?;
        Ok(name)
    }

    /// Called where nothing can be awaited; what cannot be dropped goes with the next sweep.
    pub(crate) fn drop_database(&self, name: &str) {
        let mut dropdb = self.program("dropdb");
        dropdb.args(["--force", "--if-exists", "--username", ROLE, "--host"]);
        drop(succeed(dropdb.arg(&self.folder).arg(name)));
    }

    /// Where its socket is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgres://{ROLE}@localhost/{database}?host={}&sslmode=disable",
            self.folder.display()
        )
    }

    async fn connect(&self, database: &str) -> Result<PgConnection> {
        Ok(PgConnection::connect(&self.url(database)).await?)
    }

    fn program(&self, name: &str) -> Command {
        program(&self.programs, name, &self.folder, self.as_postgres)
    }
}

/// One of the server's programs. It refuses to run as root: then it is run as its own user.
pub(crate) fn program(programs: &Path, name: &str, folder: &Path, as_postgres: bool) -> Command {
    let program = programs.join(name);
    let mut command = if as_postgres {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    // the server inherits these: an open pipe would keep the test runner waiting
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.current_dir(folder);
    command
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> Result<bool> {
    Ok(tempfile::tempfile()?.metadata()?.uid() == 0)
}

/// Gives a file or folder to the server's user.
pub(crate) fn give_to_postgres(path: &Path) -> Result<()> {
    succeed(Command::new("chown").arg("postgres").arg(path))
}

fn template() -> String {
    format!("template_{}", schema_fingerprint())
}

/// Debian keeps the server's programs out of `PATH`.
pub(crate) fn programs() -> Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(_, folder)| folder.join("initdb").exists())
        .collect();
    versions.sort();
    if let Some((_, folder)) = versions.pop() {
        return Ok(folder);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    match std::env::split_paths(&path).find(|folder| Path::exists(&folder.join("initdb"))) {
        Some(folder) => Ok(folder),
        None => bail!(
            "TEST_DATABASE=postgres needs PostgreSQL 15 or newer: apt-get install postgresql, \
             or brew install postgresql"
        ),
    }
}

pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{command:?} does not start"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
