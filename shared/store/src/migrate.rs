//! Bringing the tables to this release's schema: forward only, one migrator at a time, and gently
//! while the release before it works.
//!
//! - One transaction on a connection of its own holds an advisory lock for as long as the migration
//!   lasts: unlike a session's lock it holds behind a pooler too, and it dies with this process.
//!   Whoever comes second looks again in short transactions, since a waiting statement would stop
//!   `create index concurrently` of the first.
//! - A step that wants a table which others are using gives up after `LOCK_WAIT` and comes back:
//!   whoever queues behind a waiting `alter table` waits no longer than that.
//! - A database that a later release has migrated is left as it is.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, MigrateError, Migration};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row};
use tokio::time::{Instant, sleep};

use crate::dialect::Link;
use crate::postgres::{first, options, set};
use crate::{StoreConfig, StoreError, schema};

/// sqlx's own name for it, which released databases have.
const TABLE: &str = "_sqlx_migrations";
/// The advisory lock of all migrators: "compliance" on a telephone's keys.
const LOCK: i64 = 2_667_542_623;
/// Longest wait of one attempt for a table that is in use.
const LOCK_WAIT: &str = "set local lock_timeout = '2s'";
/// Between two looks at a lock or a table.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest wait for others who open a new SQLite file.
const TURN: Duration = Duration::from_secs(10);

/// Migrates PostgreSQL.
pub(crate) async fn postgres(config: &StoreConfig) -> Result<(), StoreError> {
    // nothing of the migrator's keeps a name, so that it works through a pooler
    let options = options(config)?.statement_cache_capacity(0);
    let deadline = Instant::now() + config.migration_wait;
    let guard = only_one(config, &options, deadline).await?;
    let mut conn = first(&options, config.acquire_timeout).await?;
    conn.ensure_migrations_table(TABLE).await?;
    let mut look = conn.begin().await?;
    let applied = schema::applied(Link::Postgres(&mut look, false)).await?;
    look.rollback().await?;
    for migration in schema::missing(&schema::POSTGRES, &applied)? {
        while !apply(&mut conn, migration).await? {
            if Instant::now() >= deadline {
                return Err(StoreError::TablesInUse {
                    version: migration.version,
                    waited: config.migration_wait,
                });
            }
            sleep(PAUSE).await;
        }
    }
    conn.close().await?;
    guard.close().await?;
    Ok(())
}

/// Waits until no other migrator works; none does until the connection ends.
async fn only_one(
    config: &StoreConfig,
    options: &PgConnectOptions,
    deadline: Instant,
) -> Result<PgConnection, StoreError> {
    let mut conn = first(options, config.acquire_timeout).await?;
    loop {
        set(
            &mut conn,
            "begin; set local idle_in_transaction_session_timeout = 0",
        )
        .await?;
        let ask = format!("select pg_try_advisory_xact_lock({LOCK})");
        let row = conn
            .fetch_one(sqlx::raw_sql(sqlx::AssertSqlSafe(ask)))
            .await?;
        if row.try_get(0)? {
            return Ok(conn);
        }
        set(&mut conn, "rollback").await?;
        if Instant::now() >= deadline {
            return Err(StoreError::MigrationRuns {
                waited: config.migration_wait,
            });
        }
        sleep(PAUSE).await;
    }
}

/// Takes one step; false when a table was in use and nothing has changed.
async fn apply(conn: &mut PgConnection, migration: &Migration) -> Result<bool, StoreError> {
    if migration.no_tx {
        conn.execute(migration.sql.clone()).await?;
        let mut tx = conn.begin().await?;
        tx.skip(TABLE, migration).await?;
        tx.commit().await?;
        return Ok(true);
    }
    let mut tx = conn.begin().await?;
    set(&mut tx, LOCK_WAIT).await?;
    set(&mut tx, "set local statement_timeout = 0").await?;
    match tx.apply(TABLE, migration).await {
        Ok(_) => tx.commit().await?,
        Err(error) if in_use(&error) => {
            tx.rollback().await?;
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

/// The lock timed out, or a deadlock with the working release was resolved against us.
fn in_use(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else {
        return false;
    };
    let code = cause.as_database_error().and_then(DatabaseError::code);
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}

/// Migrates SQLite: all steps in one transaction, which takes the write lock first.
pub(crate) async fn sqlite(options: &SqliteConnectOptions) -> Result<(), StoreError> {
    let mut conn = opened(options).await?;
    let mut tx = conn.begin_with("begin immediate").await?;
    tx.ensure_migrations_table(TABLE).await?;
    let applied = schema::applied(Link::Sqlite(&mut tx)).await?;
    for migration in schema::missing(&schema::SQLITE, &applied)? {
        tx.apply(TABLE, migration).await?;
    }
    tx.commit().await?;
    conn.close().await?;
    Ok(())
}

/// While one of several turns a new file's write-ahead log on, SQLite refuses the others without a wait.
async fn opened(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let deadline = Instant::now() + TURN;
    loop {
        match options.connect().await.map_err(StoreError::from) {
            Err(error) if error.is_transient() && Instant::now() < deadline => sleep(PAUSE).await,
            opened => return opened,
        }
    }
}
