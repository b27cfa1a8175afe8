//! Where the record is and how gently it is used.

use std::time::Duration;

use secrecy::SecretString;
use shared_domain::Reader;
use sqlx::postgres::PgConnectOptions;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `postgres://…` or `sqlite://path`.
    pub url: SecretString,
    /// Most connections at a time.
    pub max_connections: u32,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// PostgreSQL: prepared statements kept per connection, where the server is met directly. 0 has it
    /// taken for a pooler such as `PgBouncer` without asking: see `postgres.rs`.
    pub statement_cache: usize,
    /// PostgreSQL: longest run of one statement. SQLite: longest wait for another writer.
    pub statement_timeout: Duration,
    /// PostgreSQL: longest wait of a migration for another one, and for tables that are in use.
    pub migration_wait: Duration,
    /// PostgreSQL: the provider's CA certificate, PEM.
    pub ca_cert: Option<Vec<u8>>,
}

impl StoreConfig {
    /// Sensible figures for this address.
    pub fn new(url: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(10),
            statement_cache: 100,
            statement_timeout: Duration::from_secs(30),
            migration_wait: Duration::from_mins(1),
            ca_cert: None,
        }
    }

    /// Reads `DATABASE_URL` (SQLite in `DATA_DIR` when unset), `DATABASE_MAX_CONNECTIONS`,
    /// `DATABASE_STATEMENT_CACHE`, `DATABASE_STATEMENT_TIMEOUT` (seconds) and `DATABASE_CA_CERT`.
    pub fn read(reader: &Reader<'_>) -> Self {
        let url = reader.find("DATABASE_URL").unwrap_or_else(|| {
            format!(
                "sqlite://{}/compliance.db",
                reader.text_or("DATA_DIR", "./data")
            )
        });
        if let Some(problem) = address_problem(&url) {
            reader.problem("DATABASE_URL", &problem);
        }
        let default = Self::new(url);
        Self {
            max_connections: reader.parse_or("DATABASE_MAX_CONNECTIONS", default.max_connections),
            statement_cache: reader.parse_or("DATABASE_STATEMENT_CACHE", default.statement_cache),
            statement_timeout: Duration::from_secs(reader.parse_or(
                "DATABASE_STATEMENT_TIMEOUT",
                default.statement_timeout.as_secs(),
            )),
            ca_cert: reader.find_pem("DATABASE_CA_CERT"),
            ..default
        }
    }
}

/// What is wrong with an address, without a word of it: it holds a password.
fn address_problem(url: &str) -> Option<String> {
    if is_postgres(url) {
        let error = url.parse::<PgConnectOptions>().err()?;
        return Some(format!(
            "cannot be read ({error}); characters such as @ : / # in user or password are written as \
             %40 %3A %2F %23"
        ));
    }
    (!is_sqlite(url)).then(|| "is neither postgres://… nor sqlite://path".to_owned())
}

pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

pub(crate) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}
