//! Opening PostgreSQL: found out at the start whether a pooler stands between, and limits that hold
//! either way.
//!
//! A pooler such as `PgBouncer` in transaction mode hands out another server for each transaction:
//! neither prepared statements nor session settings outlive one. Whether one is there is asked with a
//! start-up option that the server echoes; a pooler refuses or swallows it. Then every statement runs
//! in a transaction that sets its own limits, and no statement keeps a name.

use std::io::ErrorKind;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row};
use tokio::time::{Instant, sleep, timeout_at};

use crate::dialect::Pools;
use crate::{Fault, StoreConfig, StoreError};

/// A setting that no server knows and every server takes.
const MARK: (&str, &str) = ("compliance.direct", "on");

/// How to reach the server, with no limits set yet.
pub(crate) fn options(config: &StoreConfig) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(config.url.expose_secret())
        .map_err(|_| StoreError::Address)?
        .application_name("compliance")
        .statement_cache_capacity(config.statement_cache)
        // poolers refuse start-up parameters that they do not know; answers are binary anyway
        .extra_float_digits(None)
        // Asking whether a statement would be logged leaves a mark on the thread that hides the next
        // event's span from logs and traces; our own spans tell what a statement took.
        .disable_statement_logging();
    Ok(match &config.ca_cert {
        Some(pem) => options.ssl_root_cert_from_pem(pem.clone()),
        None => options,
    })
}

/// Limits that keep one stuck statement or transaction from holding the others up.
fn limits(statement_timeout: Duration) -> [(&'static str, String); 3] {
    [
        (
            "statement_timeout",
            statement_timeout.as_millis().to_string(),
        ),
        ("lock_timeout", "10000".to_owned()),
        ("idle_in_transaction_session_timeout", "60000".to_owned()),
    ]
}

/// Opens the pool; the first connection tells what stands in the way of all others.
pub(crate) async fn open(config: &StoreConfig) -> Result<Pools, StoreError> {
    let options = options(config)?;
    let limits = limits(config.statement_timeout);
    let pooler = behind_pooler(config, &options).await?;
    let (options, begin) = if pooler {
        let set = limits.map(|(name, value)| format!("; set local {name} = {value}"));
        let begin: Arc<str> = format!("begin{}", set.concat()).into();
        (options.statement_cache_capacity(0), Some(begin))
    } else {
        (options.options(limits), None)
    };
    let pool = PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|conn, _| Box::pin(async move { Ok(may_write(conn).await) }))
        .connect_lazy_with(options);
    Ok(Pools::Postgres { pool, begin })
}

/// After a failover a kept connection answers pings but refuses to write (25006): it must not be kept.
async fn may_write(conn: &mut PgConnection) -> bool {
    let row = conn
        .fetch_one(sqlx::raw_sql("show transaction_read_only"))
        .await;
    row.and_then(|row| row.try_get::<String, _>(0))
        .is_ok_and(|read_only| read_only == "off")
}

async fn behind_pooler(
    config: &StoreConfig,
    options: &PgConnectOptions,
) -> Result<bool, StoreError> {
    if config.statement_cache == 0 {
        first(options, config.acquire_timeout)
            .await?
            .close()
            .await?;
        return Ok(true);
    }
    let marked = options.clone().options([MARK]);
    let mut conn = match first(&marked, config.acquire_timeout).await {
        Err(error) if refuses_the_mark(&error) => {
            first(options, config.acquire_timeout)
                .await?
                .close()
                .await?;
            return Ok(true);
        }
        conn => conn?,
    };
    let ask = sqlx::raw_sql("select current_setting('compliance.direct', true)");
    let echo: Option<String> = conn.fetch_one(ask).await?.try_get(0)?;
    conn.close().await?;
    Ok(echo.as_deref() != Some(MARK.1))
}

fn refuses_the_mark(error: &StoreError) -> bool {
    let StoreError::Connect { source, .. } = error else {
        return false;
    };
    source
        .as_ref()
        .and_then(sqlx::Error::as_database_error)
        .is_some_and(|error| error.message().contains("unsupported startup parameter"))
}

/// One connection. A server that is absent, starting or full is waited for, as long as for a place in
/// the pool; everything else is told at once.
pub(crate) async fn first(
    options: &PgConnectOptions,
    wait: Duration,
) -> Result<PgConnection, StoreError> {
    let deadline = Instant::now() + wait;
    let mut pause = Duration::from_millis(50);
    loop {
        let (fault, source) = match timeout_at(deadline, options.connect()).await {
            Ok(Ok(conn)) => return Ok(conn),
            // without a socket the only file that is opened is a certificate's
            Ok(Err(error)) if no_file(&error) && options.get_socket().is_none() => {
                (Fault::Tls, Some(error))
            }
            Ok(Err(error)) => (Fault::of(&error), Some(error)),
            Err(_) => (Fault::Unreachable, None),
        };
        let over = Instant::now() + pause >= deadline;
        if over || !fault.may_pass() {
            return Err(StoreError::Connect {
                place: place(options),
                fault,
                source,
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

fn no_file(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == ErrorKind::NotFound)
}

/// The server and the database, without user and password.
fn place(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or("");
    match options.get_socket() {
        Some(socket) => format!("{} ({database})", socket.display()),
        None => format!("{}:{}/{database}", options.get_host(), options.get_port()),
    }
}

/// A statement without a name and without binds, for settings of one transaction.
pub(crate) async fn set(conn: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    conn.execute(AssertSqlSafe(sql.to_owned())).await.map(drop)
}
