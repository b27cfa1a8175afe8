//! The migrations, compiled in, and the check that the database has had exactly these.

use std::hash::{Hash, Hasher};

use sqlx::migrate::Migrator;

use crate::StoreError;
use crate::dialect::{Pools, rows};

pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");
pub(crate) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Fails with `SchemaVersion` unless the tables are the ones that this release was built for.
pub(crate) async fn check(pools: &Pools) -> Result<(), StoreError> {
    let (migrator, exists) = match pools {
        Pools::Postgres { .. } => (
            &POSTGRES,
            "select count(*) from pg_tables where tablename = '_sqlx_migrations'",
        ),
        Pools::Sqlite { .. } => (
            &SQLITE,
            "select count(*) from sqlite_master where name = '_sqlx_migrations'",
        ),
    };
    let mut conn = pools.reader().await?;
    let (tables,) = rows!(fetch_one as (i64,), conn.link(), exists)?;
    if tables == 0 {
        return Err(empty());
    }
    let applied = rows!(
        fetch_all as (i64, bool, Vec<u8>),
        conn.link(),
        "select version, success, checksum from _sqlx_migrations order by version"
    )?;
    let found = applied.last().map_or(0, |(version, ..)| *version);
    let same = applied.len() == migrator.iter().count()
        && applied
            .iter()
            .zip(migrator.iter())
            .all(|((version, success, checksum), migration)| {
                *version == migration.version && *success && *checksum == *migration.checksum
            });
    if same { Ok(()) } else { Err(refusal(found)) }
}

/// Differs whenever a migration does: the name of a cache that holds migrated databases.
pub fn schema_fingerprint() -> String {
    let mut seal = std::hash::DefaultHasher::new();
    for migration in POSTGRES.iter() {
        (migration.version, &migration.checksum).hash(&mut seal);
    }
    format!("{:016x}", seal.finish())
}

/// The error of a database without tables.
pub(crate) fn empty() -> StoreError {
    refusal(0)
}

fn refusal(found: i64) -> StoreError {
    let needed = SQLITE
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    let advice = match found {
        found if found < needed => "run `compliance migrate`",
        found if found > needed => "start the release that migrated it, or a newer one",
        _ => {
            "its migrations were changed after they ran; restore it or run the release that made it"
        }
    };
    StoreError::SchemaVersion {
        found,
        needed,
        advice,
    }
}
