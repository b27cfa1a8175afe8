//! Opening the record: pools, schema, and the clock and ids that everything written takes.

use std::str::FromStr;
use std::sync::Arc;

use secrecy::ExposeSecret;
use shared_domain::{Clock, Ids, SystemClock, SystemIds};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::config::{is_postgres, is_sqlite};
use crate::dialect::{Conn, Pools};
use crate::values::whole_micros;
use crate::{StoreConfig, StoreError, migrate, postgres, schema};

/// The record. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Store {
    /// Opens the database; fails with `SchemaVersion` when its tables are not this release's.
    pub async fn connect(config: StoreConfig) -> Result<Self, StoreError> {
        let url = config.url.expose_secret();
        let pools = if is_postgres(url) {
            postgres::open(&config).await?
        } else if is_sqlite(url) {
            open_sqlite(&config).await?
        } else {
            return Err(StoreError::Address);
        };
        schema::check(&pools).await?;
        Ok(Self {
            pools,
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        })
    }

    /// Brings the tables to this release's schema, oldest step first; does nothing when they are there
    /// already. Two at once are safe, and so is a release that works meanwhile: see `migrate.rs`.
    pub async fn migrate(config: StoreConfig) -> Result<(), StoreError> {
        let url = config.url.expose_secret();
        if is_postgres(url) {
            migrate::postgres(&config).await
        } else if is_sqlite(url) {
            let options = sqlite_options(&config)?.create_if_missing(true);
            make_folder(&options).await?;
            migrate::sqlite(&options).await
        } else {
            Err(StoreError::Address)
        }
    }

    /// The same record under another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The same record with another source of ids.
    #[must_use]
    pub fn with_ids(self, ids: Arc<dyn Ids>) -> Self {
        Self { ids, ..self }
    }

    /// The present moment, in the microseconds that the record keeps.
    pub fn now(&self) -> OffsetDateTime {
        whole_micros(self.clock.now())
    }

    /// The clock that everything written takes its time from.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// A fresh id.
    pub fn fresh<T: From<Uuid>>(&self) -> T {
        T::from(self.ids.next())
    }

    /// Whether the record is the embedded one.
    pub fn is_embedded(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// Asks the database whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        match self.reader().await? {
            Conn::Postgres(mut conn) => conn.ping().await?,
            Conn::Pooled(mut tx) => tx.ping().await?,
            Conn::Sqlite(mut conn) => conn.ping().await?,
        }
        Ok(())
    }

    /// Closes every connection; SQLite folds its journal into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Postgres { pool, .. } => pool.close().await,
            Pools::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
        }
    }

    pub(crate) async fn reader(&self) -> Result<Conn, StoreError> {
        Ok(self.pools.reader().await?)
    }

    pub(crate) async fn writer(&self) -> Result<Conn, StoreError> {
        Ok(self.pools.writer().await?)
    }
}

fn sqlite_options(config: &StoreConfig) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str(config.url.expose_secret())
        .map_err(|_| StoreError::Address)?
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(config.statement_timeout)
        // As on PostgreSQL.
        .disable_statement_logging();
    Ok(options)
}

async fn open_sqlite(config: &StoreConfig) -> Result<Pools, StoreError> {
    let options = sqlite_options(config)?;
    if !tokio::fs::try_exists(options.get_filename())
        .await
        .unwrap_or(false)
    {
        return Err(schema::empty());
    }
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            // a writer waits for the one before it, whose bulk insert may take a while
            .acquire_timeout(config.statement_timeout)
    };
    let write: SqlitePool = pool(1).connect_with(options.clone()).await?;
    let read = pool(config.max_connections).connect_with(options.pragma("query_only", "on"));
    Ok(Pools::Sqlite {
        read: read.await?,
        write,
    })
}

async fn make_folder(options: &SqliteConnectOptions) -> Result<(), StoreError> {
    if let Some(folder) = options.get_filename().parent() {
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(sqlx::Error::Io)?;
    }
    Ok(())
}
