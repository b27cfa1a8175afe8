//! Behind `PgBouncer` in transaction mode, with nothing set for it. The rest of this suite runs there
//! too: `TEST_DATABASE=pgbouncer`.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Result;
use shared_domain::{Delivery, EvidenceComplete, ExecutionId, Message, VideoUploaded};
use shared_store::{Outcome, Store, StoreConfig, StoreError};
use shared_testing::{Options, postgres_database};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, PgConnection, Row};
use tokio::task::JoinSet;

const MINUTE: Duration = Duration::from_mins(1);

/// Claims until nothing is left; each event sends one of its own.
async fn consume(store: Store, name: String) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    while let Some(claimed) = store.claim(VideoUploaded::STREAM, &name, MINUTE, 5).await? {
        assert!(store.renew(claimed.event_id, claimed.epoch, MINUTE).await?);
        let delivery = Delivery {
            handler: "frame-extract",
            event_id: claimed.event_id.to_string(),
            lease: Some((claimed.event_id, claimed.epoch)),
            trace: None,
        };
        let mut tx = store.begin(&delivery).await?;
        tx.send(&EvidenceComplete::new(store.fresh::<ExecutionId>()))
            .await?;
        tx.commit().await?;
        store
            .finish(claimed.event_id, claimed.epoch, Outcome::Done)
            .await?;
        let again = store.begin(&delivery).await.map(drop);
        assert!(
            matches!(again, Err(StoreError::AlreadyHandled)),
            "{again:?}"
        );
        seen.push(delivery.event_id);
    }
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn many_workers_share_few_servers_and_handle_each_event_once() -> Result<()> {
    for options in [Options::Refused, Options::Swallowed] {
        let database = postgres_database(Some(options)).await;
        let store = database.store().await;
        let mut tx = store.transaction().await?;
        let messages: Vec<_> = (0..60).map(|_| VideoUploaded::new(store.fresh())).collect();
        tx.send_all(&messages).await?;
        tx.commit().await?;

        let mut workers = JoinSet::new();
        for n in 0..8 {
            let store = Store::connect(database.config()).await?;
            workers.spawn(consume(store, format!("worker {n}")));
        }
        let mut times: BTreeMap<String, u32> = BTreeMap::new();
        for seen in workers.join_all().await {
            for event in seen? {
                *times.entry(event).or_default() += 1;
            }
        }
        assert_eq!(
            (times.len(), times.values().max()),
            (60, Some(&1)),
            "{options:?}"
        );
        let sent = store.unsent(1000).await?;
        let followed = sent
            .iter()
            .filter(|row| row.stream == EvidenceComplete::STREAM);
        assert_eq!(followed.count(), 60);
        let ids: Vec<_> = sent.iter().map(|row| row.event_id).collect();
        store.mark_sent(&ids).await?;
        assert!(store.unsent(10).await?.is_empty());
    }
    Ok(())
}

#[tokio::test]
async fn limits_hold_in_every_transaction_and_do_not_leak_to_other_clients() -> Result<()> {
    let database = postgres_database(Some(Options::Refused)).await;
    let impatient = StoreConfig {
        statement_timeout: Duration::from_millis(300),
        ..database.config()
    };
    let impatient = Store::connect(impatient).await?;
    let mut tx = impatient.transaction().await?;
    tx.send(&VideoUploaded::new(impatient.fresh())).await?;
    tx.commit().await?;

    let mut other = PgConnection::connect(&database.direct_url()).await?;
    let mut holding = other.begin().await?;
    holding.execute("lock table outbox").await?;
    let error = impatient
        .claim(VideoUploaded::STREAM, "a", MINUTE, 5)
        .await
        .expect_err("the table is held");
    assert!(error.is_transient(), "{error:?}");
    let mut tx = impatient.transaction().await?;
    let error = tx
        .send(&VideoUploaded::new(impatient.fresh()))
        .await
        .expect_err("the table is held");
    assert!(error.is_transient(), "{error:?}");
    drop(tx);
    holding.rollback().await?;

    // Every server behind the pooler is as it was: its next client has its own limits.
    let options = PgConnectOptions::from_str(&database.url)?.extra_float_digits(None);
    let mut client = options.connect().await?;
    let shown = client.fetch_one("show statement_timeout").await?;
    assert_eq!(shown.try_get::<String, _>(0)?, "0");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_met_directly_is_not_taken_for_a_pooler() -> Result<()> {
    let database = postgres_database(None).await;
    let store = database.store().await;
    store.queue_status().await?;
    let mut other = PgConnection::connect(&database.url).await?;
    // The last word of a session behind a pooler would be the end of a transaction.
    let sql = "select count(*) from pg_stat_activity where application_name = 'compliance' \
               and datname = current_database() and query like '%dead_letters%'";
    let (open,): (i64,) = sqlx::query_as(sql).fetch_one(&mut other).await?;
    assert_eq!(open, 1);
    Ok(())
}
