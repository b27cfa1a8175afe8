//! `compliance migrate` in company: other migrators, and a release that works meanwhile.

use std::time::Duration;

use anyhow::Result;
use shared_domain::{Message, VideoUploaded};
use shared_store::{Store, StoreConfig, StoreError};
use shared_testing::{Options, TestDatabase, empty_database, postgres_database};
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinSet;

/// As a release left it whose next migration changes a table that is in use.
async fn before_mails_changed(database: &TestDatabase) -> Result<PgConnection> {
    let mut conn = PgConnection::connect(&database.direct_url()).await?;
    conn.execute(
        "alter table mails drop column maybe_sent; drop table purges; drop table walks; \
          alter table held drop column lane; drop table policy_packs; drop table risk_definitions; \
          drop table project_words; drop table operator_labels; \
          alter table videos drop column previous_video_id; \
          delete from _sqlx_migrations where version >= 12",
    )
    .await?;
    Ok(conn)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_migrators_at_once_migrate_once() -> Result<()> {
    let database = empty_database().await;
    let mut migrators = JoinSet::new();
    for _ in 0..5 {
        migrators.spawn(Store::migrate(database.config()));
    }
    for migrated in migrators.join_all().await {
        migrated?;
    }
    database.store().await.ping().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_does_not_break_the_lock_of_migrators() -> Result<()> {
    let database = postgres_database(Some(Options::Refused)).await;
    before_mails_changed(&database).await?;
    let mut migrators = JoinSet::new();
    for _ in 0..5 {
        migrators.spawn(Store::migrate(database.config()));
    }
    for migrated in migrators.join_all().await {
        migrated?;
    }
    database.store().await.ping().await?;
    Ok(())
}

#[tokio::test]
async fn a_migrator_waits_for_another_and_not_for_ever() -> Result<()> {
    let database = postgres_database(None).await;
    let mut other = PgConnection::connect(&database.direct_url()).await?;
    let mut holding = other.begin().await?;
    holding
        .execute("select pg_advisory_xact_lock(2667542623)")
        .await?;
    let impatient = StoreConfig {
        migration_wait: Duration::from_millis(300),
        ..database.config()
    };
    let error = Store::migrate(impatient)
        .await
        .expect_err("another one runs");
    assert!(
        matches!(error, StoreError::MigrationRuns { .. }),
        "{error:?}"
    );
    holding.rollback().await?;
    Store::migrate(database.config()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_release_before_works_on_while_a_migration_waits_and_runs() -> Result<()> {
    let database = postgres_database(None).await;
    // The old release: its connections are open, and it goes on.
    let store = database.store().await;
    let mut watch = before_mails_changed(&database).await?;
    let work = async || {
        let mut tx = store.transaction().await?;
        tx.send(&VideoUploaded::new(store.fresh())).await?;
        tx.commit().await?;
        let claimed = store
            .claim(VideoUploaded::STREAM, "old", Duration::from_mins(1), 5)
            .await?;
        anyhow::ensure!(claimed.is_some(), "nothing to claim");
        // what queues behind the waiting migration is let through before its own time-out
        let mut conn = PgConnection::connect(&database.direct_url()).await?;
        conn.execute("set statement_timeout = '8s'; select count(*) from held")
            .await?;
        Ok(())
    };
    // Somebody reads the table that the migration changes, for longer than the migration has.
    let mut reader = PgConnection::connect(&database.direct_url()).await?;
    let mut reading = reader.begin().await?;
    reading.execute("select count(*) from held").await?;
    let impatient = StoreConfig {
        migration_wait: Duration::from_millis(500),
        ..database.config()
    };
    let mut migrating = JoinSet::new();
    migrating.spawn(Store::migrate(impatient));
    let mut worked = 0;
    let refused = loop {
        work().await?;
        worked += 1;
        if let Some(ended) = migrating.try_join_next() {
            break ended?;
        }
    };
    assert!(
        matches!(refused, Err(StoreError::TablesInUse { .. })),
        "{refused:?}"
    );
    assert!(worked > 0, "the old release did nothing");
    let sql = "select count(*) from information_schema.columns \
               where table_name = 'held' and column_name = 'lane'";
    let (columns,): (i64,) = sqlx::query_as(sql).fetch_one(&mut watch).await?;
    assert_eq!(columns, 0, "half a migration is none");

    reading.rollback().await?;
    Store::migrate(database.config()).await?;
    work().await?;
    let (columns,): (i64,) = sqlx::query_as(sql).fetch_one(&mut watch).await?;
    assert_eq!(columns, 1);
    Ok(())
}
