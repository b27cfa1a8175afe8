//! A database of its own for each test, on the engine that `TEST_DATABASE` names.

use anyhow::{Context, Result, bail};
use shared_store::{Store, StoreConfig};
use tempfile::TempDir;

use crate::postgres::Cluster;

/// A private database; gone when dropped.
#[derive(Debug)]
pub struct TestDatabase {
    /// As in `DATABASE_URL`.
    pub url: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Sqlite(#[expect(dead_code, reason = "the folder is deleted when this is dropped")] TempDir),
    Postgres { cluster: Cluster, name: String },
}

/// A private database with this release's tables.
#[expect(clippy::panic, reason = "a test without its database must fail loudly")]
pub async fn database() -> TestDatabase {
    match open(true).await {
        Ok(database) => database,
        Err(error) => panic!("no test database: {error:?}"),
    }
}

/// A private database without tables.
#[expect(clippy::panic, reason = "a test without its database must fail loudly")]
pub async fn empty_database() -> TestDatabase {
    match open(false).await {
        Ok(database) => database,
        Err(error) => panic!("no test database: {error:?}"),
    }
}

impl TestDatabase {
    /// How to open it.
    pub fn config(&self) -> StoreConfig {
        StoreConfig::new(self.url.clone())
    }

    /// Opens it.
    #[expect(clippy::panic, reason = "a test without its database must fail loudly")]
    pub async fn store(&self) -> Store {
        match Store::connect(self.config()).await {
            Ok(store) => store,
            Err(error) => panic!("the test database does not open: {error:?}"),
        }
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres { .. })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Postgres { cluster, name } = &self.place {
            cluster.drop_database(name);
        }
    }
}

async fn open(migrated: bool) -> Result<TestDatabase> {
    match engine().as_deref() {
        None | Some("" | "sqlite") => sqlite(migrated).await,
        Some("postgres") => postgres(migrated).await,
        Some(other) => bail!("TEST_DATABASE={other}: say sqlite or postgres"),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no other way to be told the engine"
)]
fn engine() -> Option<String> {
    std::env::var("TEST_DATABASE").ok()
}

async fn sqlite(migrated: bool) -> Result<TestDatabase> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}", folder.path().join("compliance.db").display());
    if migrated {
        Store::migrate(StoreConfig::new(url.clone()))
            .await
            .context("migrating SQLite")?;
    }
    Ok(TestDatabase {
        url,
        place: Place::Sqlite(folder),
    })
}

async fn postgres(migrated: bool) -> Result<TestDatabase> {
    let cluster = Cluster::ready().await?;
    let name = cluster.create_database(migrated).await?;
    Ok(TestDatabase {
        url: cluster.url(&name),
        place: Place::Postgres { cluster, name },
    })
}
