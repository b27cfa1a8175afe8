//! Transactions that PostgreSQL undoes for the sake of others.

use anyhow::{Context, Result};
use shared_domain::{OutboxId, VideoUploaded};
use shared_store::Store;
use shared_testing::postgres_database;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Transaction};
use tokio::task::JoinSet;

/// Waits until the store's session waits for a lock.
async fn until_it_waits(conn: &mut PgConnection) -> Result<()> {
    let waiting = "select count(*) from pg_stat_activity where application_name = 'compliance' \
                   and datname = current_database() and wait_event_type = 'Lock'";
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let (count,): (i64,) = sqlx::query_as(waiting).fetch_one(&mut *conn).await?;
        if count > 0 {
            return Ok(());
        }
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

async fn lock(tx: &mut Transaction<'_, Postgres>, event_id: OutboxId) -> Result<()> {
    let sql = format!("select 1 from outbox where event_id = '{event_id}' for update");
    tx.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

async fn two(store: &Store) -> Result<[OutboxId; 2]> {
    let mut tx = store.transaction().await?;
    let first = tx.send(&VideoUploaded::new(store.fresh())).await?;
    let second = tx.send(&VideoUploaded::new(store.fresh())).await?;
    tx.commit().await?;
    Ok([first, second])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_of_the_stores_own_is_run_again() -> Result<()> {
    let database = postgres_database(None).await;
    let mut watch = PgConnection::connect(&database.direct_url()).await?;
    let mut other = PgConnection::connect(&database.direct_url()).await?;
    // Only the store's session looks for the circle: it is the one that is undone.
    other.execute("set deadlock_timeout = '1h'").await?;
    let store = database.store().await;
    let [first, second] = two(&store).await?;

    let mut holding = other.begin().await?;
    lock(&mut holding, second).await?;
    let mut marking = JoinSet::new();
    let marker = store.clone();
    marking.spawn(async move { marker.mark_sent(&[first, second]).await });
    until_it_waits(&mut watch).await?;
    let mut look = watch.begin().await?;
    let held = format!("select 1 from outbox where event_id = '{first}' for update nowait");
    look.execute(AssertSqlSafe(held))
        .await
        .expect_err("the store holds the first and waits for the second");
    look.rollback().await?;

    // Closes the circle, and ends only because the store was undone.
    lock(&mut holding, first).await?;
    holding.commit().await?;
    marking.join_all().await.pop().context("the task")??;
    assert!(store.unsent(10).await?.is_empty());
    Ok(())
}
