//! A database of its own for each test, on the engine that `TEST_DATABASE` names.

use anyhow::{Context, Result, bail};
use shared_store::{Store, StoreConfig};
use tempfile::TempDir;

use crate::postgres::Cluster;
use crate::{Options, PgBouncer};

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
    Postgres {
        cluster: Cluster,
        name: String,
        pooler: Option<PgBouncer>,
    },
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

/// A private database with this release's tables in PostgreSQL, whatever `TEST_DATABASE` says; behind a
/// `PgBouncer` when it is told what to do with options.
#[expect(clippy::panic, reason = "a test without its database must fail loudly")]
pub async fn postgres_database(pooler: Option<Options>) -> TestDatabase {
    match postgres(true, pooler).await {
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

    /// The way past the pooler, where there is one.
    pub fn direct_url(&self) -> String {
        match &self.place {
            Place::Sqlite(_) => self.url.clone(),
            Place::Postgres { cluster, name, .. } => cluster.url(name),
        }
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres { .. })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Place::Postgres {
            cluster,
            name,
            pooler,
        } = &mut self.place
        {
            drop(pooler.take());
            cluster.drop_database(name);
        }
    }
}

async fn open(migrated: bool) -> Result<TestDatabase> {
    match engine().as_deref() {
        None | Some("" | "sqlite") => sqlite(migrated).await,
        Some("postgres") => postgres(migrated, None).await,
        Some("pgbouncer") => postgres(migrated, Some(Options::Refused)).await,
        Some(other) => bail!("TEST_DATABASE={other}: say sqlite, postgres or pgbouncer"),
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

async fn postgres(migrated: bool, pooler: Option<Options>) -> Result<TestDatabase> {
    let cluster = Cluster::ready().await?;
    let name = cluster.create_database(migrated).await?;
    let mut url = cluster.url(&name);
    let mut process = None;
    if let Some(options) = pooler {
        let pooler = PgBouncer::start(cluster.folder(), 5432, options).await?;
        url = pooler.url(&name);
        process = Some(pooler);
    }
    Ok(TestDatabase {
        url,
        place: Place::Postgres {
            cluster,
            name,
            pooler: process,
        },
    })
}
