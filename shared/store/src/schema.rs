//! The migrations, compiled in, and the check that the database fits this release.
//!
//! A release needs its own migrations, unchanged. It also works on what a *later* release has
//! migrated, because migrations expand first and contract later: while a new release is rolled out, and
//! when it is rolled back, the old one starts and works on the new schema. A migration that takes away
//! what older releases use says so in its name, `0042_drop_x_needs_0041.sql`: a release that does not
//! know migration 41 refuses that database.

use std::hash::{Hash, Hasher};

use sqlx::migrate::{Migration, Migrator};

use crate::StoreError;
use crate::dialect::{Link, Pools, rows};

pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");
pub(crate) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// A migration that the database has had.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Applied {
    version: i64,
    description: String,
    success: bool,
    checksum: Vec<u8>,
}

/// Fails with `SchemaVersion` unless this release can work on the tables.
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
    let applied = applied(conn.link()).await?;
    if missing(migrator, &applied)?.is_empty() {
        return Ok(());
    }
    let found = applied.last().map_or(0, |last| last.version);
    Err(refusal(found, "run `compliance migrate`"))
}

/// What the database has had, oldest first.
pub(crate) async fn applied(link: Link<'_>) -> Result<Vec<Applied>, StoreError> {
    rows!(
        fetch_all as Applied,
        link,
        "select version, description, success, checksum from _sqlx_migrations order by version"
    )
}

/// What this release still has to do; fails when the database is none of its past or future.
pub(crate) fn missing<'m>(
    migrator: &'m Migrator,
    applied: &[Applied],
) -> Result<Vec<&'m Migration>, StoreError> {
    let found = applied.last().map_or(0, |last| last.version);
    let ours = last_of(migrator);
    for step in applied {
        let known = migrator.iter().find(|known| known.version == step.version);
        let same = known.is_some_and(|known| step.success && *known.checksum == *step.checksum);
        if known.is_none() && needs(&step.description) > ours {
            return Err(refusal(
                found,
                "start the release that migrated it, or a newer one",
            ));
        }
        if !same && step.version <= ours {
            return Err(refusal(
                found,
                "its migrations were changed after they ran; restore it or run the release that made it",
            ));
        }
    }
    let had = |version| applied.iter().any(|step| step.version == version);
    Ok(migrator.iter().filter(|step| !had(step.version)).collect())
}

fn last_of(migrator: &Migrator) -> i64 {
    migrator.iter().map(|step| step.version).max().unwrap_or(0)
}

/// The last migration that a release must know to work after this one; 0 for any.
fn needs(description: &str) -> i64 {
    let number = description.rsplit_once(" needs ");
    number
        .and_then(|(_, number)| number.parse().ok())
        .unwrap_or(0)
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
    refusal(0, "run `compliance migrate`")
}

fn refusal(found: i64, advice: &'static str) -> StoreError {
    StoreError::SchemaVersion {
        found,
        needed: last_of(&SQLITE),
        advice,
    }
}
