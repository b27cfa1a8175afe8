//! Where the record is and how gently it is used.

use std::time::Duration;

use secrecy::SecretString;
use shared_domain::Reader;

/// How to reach the database.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `postgres://…` or `sqlite://path`.
    pub url: SecretString,
    /// Most connections at a time.
    pub max_connections: u32,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// PostgreSQL: prepared statements kept per connection. 0 suits `PgBouncer` in transaction mode,
    /// where neither they nor session settings outlive a transaction.
    pub statement_cache: usize,
    /// PostgreSQL: longest run of one statement. SQLite: longest wait for another writer.
    pub statement_timeout: Duration,
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
        }
    }

    /// Reads `DATABASE_URL` (SQLite in `DATA_DIR` when unset), `DATABASE_MAX_CONNECTIONS`,
    /// `DATABASE_STATEMENT_CACHE` and `DATABASE_STATEMENT_TIMEOUT` (seconds).
    pub fn read(reader: &Reader<'_>) -> Self {
        let url = reader.find("DATABASE_URL").unwrap_or_else(|| {
            format!(
                "sqlite://{}/compliance.db",
                reader.text_or("DATA_DIR", "./data")
            )
        });
        if !is_postgres(&url) && !is_sqlite(&url) {
            reader.problem("DATABASE_URL", "is neither postgres://… nor sqlite://path");
        }
        let default = Self::new(url);
        Self {
            max_connections: reader.parse_or("DATABASE_MAX_CONNECTIONS", default.max_connections),
            statement_cache: reader.parse_or("DATABASE_STATEMENT_CACHE", default.statement_cache),
            statement_timeout: Duration::from_secs(reader.parse_or(
                "DATABASE_STATEMENT_TIMEOUT",
                default.statement_timeout.as_secs(),
            )),
            ..default
        }
    }
}

pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

pub(crate) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}
