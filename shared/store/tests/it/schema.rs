//! Migrations and the refusal of foreign tables.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use secrecy::ExposeSecret;
use shared_domain::{Lang, Message, VideoUploaded};
use shared_store::{NewUser, Role, Store, StoreConfig, StoreError};
use shared_testing::{TestDatabase, database, empty_database};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

async fn run(database: &TestDatabase, sql: &'static str) -> Result<()> {
    if database.is_postgres() {
        PgConnection::connect(&database.direct_url())
            .await?
            .execute(AssertSqlSafe(sql))
            .await?;
    } else {
        SqliteConnection::connect(&database.url)
            .await?
            .execute(AssertSqlSafe(sql))
            .await?;
    }
    Ok(())
}

/// Table to columns, each with whether it may be null, as the open engine sees them.
async fn columns(database: &TestDatabase) -> Result<BTreeMap<String, Vec<String>>> {
    let found: Vec<(String, String)> = if database.is_postgres() {
        let mut conn = PgConnection::connect(&database.direct_url()).await?;
        let sql = "select table_name::text, column_name || ' ' || is_nullable \
                   from information_schema.columns where table_schema = 'public' \
                   and table_name <> '_sqlx_migrations' order by table_name, column_name";
        sqlx::query_as(sql).fetch_all(&mut conn).await?
    } else {
        let mut conn = SqliteConnection::connect(&database.url).await?;
        let sql = "select t.name, c.name || ' ' || case when c.\"notnull\" = 1 then 'NO' else 'YES' end \
                   from sqlite_master t join pragma_table_info(t.name) c \
                   where t.type = 'table' and t.name <> '_sqlx_migrations' order by t.name, c.name";
        sqlx::query_as(sql).fetch_all(&mut conn).await?
    };
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in found {
        tables.entry(table).or_default().push(column);
    }
    Ok(tables)
}

/// The same, read from the migrations of the other engine.
fn written(engine: &str) -> Result<BTreeMap<String, Vec<String>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../migrations")
        .join(engine);
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in fs::read_dir(folder)? {
        let text = fs::read_to_string(file?.path())?;
        for added in text
            .lines()
            .filter_map(|line| line.strip_prefix("alter table "))
        {
            if let Some((table, column)) = added.split_once(" add column ") {
                let name = column.split(' ').next().unwrap_or_default();
                let null = if column.contains(" not null") {
                    "NO"
                } else {
                    "YES"
                };
                tables
                    .entry(table.to_owned())
                    .or_default()
                    .push(format!("{name} {null}"));
            }
        }
        for table in text.split("create table ").skip(1) {
            let (name, rest) = table.split_once(" (").context("a table has columns")?;
            let (body, _) = rest.split_once("\n);").context("a table ends")?;
            let columns = body.lines().map(str::trim).filter(|line| {
                let word = line.split(' ').next().unwrap_or_default();
                !matches!(word, "" | "--" | "primary" | "unique" | "foreign" | "check")
            });
            let columns = columns.map(|line| {
                let name = line.split(' ').next().unwrap_or_default();
                format!(
                    "{name} {}",
                    if line.contains(" not null") {
                        "NO"
                    } else {
                        "YES"
                    }
                )
            });
            tables.entry(name.to_owned()).or_default().extend(columns);
        }
    }
    for columns in tables.values_mut() {
        columns.sort();
    }
    Ok(tables)
}

#[tokio::test]
async fn migrations_from_empty_give_both_engines_the_same_columns() -> Result<()> {
    let database = empty_database().await;
    Store::migrate(database.config()).await?;

    let real = columns(&database).await?;

    assert_eq!(real, written("postgres")?);
    assert_eq!(real, written("sqlite")?);
    assert!(real.len() >= 15, "{}", real.len());
    Ok(())
}

#[tokio::test]
async fn every_column_of_postgresql_has_a_comment() -> Result<()> {
    let database = database().await;
    if !database.is_postgres() {
        return Ok(());
    }
    let mut conn = PgConnection::connect(&database.direct_url()).await?;
    let bare: Vec<(String, String)> = sqlx::query_as(
        "select relname::text, attname::text from pg_attribute \
         join pg_class on pg_class.oid = attrelid \
         where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 \
         and relname <> '_sqlx_migrations' and col_description(attrelid, attnum) is null",
    )
    .fetch_all(&mut conn)
    .await?;
    assert_eq!(bare, []);
    Ok(())
}

#[tokio::test]
async fn migrating_twice_changes_nothing() -> Result<()> {
    let database = database().await;
    Store::migrate(database.config()).await?;
    database.store().await.ping().await?;
    Ok(())
}

/// The last migration of this release.
fn last() -> Result<i64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let mut last = 0;
    for file in fs::read_dir(folder)? {
        let name = file?.file_name();
        let number = name.to_str().and_then(|name| name.get(..4));
        last = last.max(number.context("a number")?.parse()?);
    }
    Ok(last)
}

/// What the refusal says: found, needed, advice.
async fn refused(database: &TestDatabase) -> Result<(i64, i64, &'static str)> {
    match Store::connect(database.config()).await {
        Err(StoreError::SchemaVersion {
            found,
            needed,
            advice,
        }) => Ok((found, needed, advice)),
        other => bail!("{other:?}"),
    }
}

/// Takes the record of the last migration away, and what it made.
async fn without_the_last(database: &TestDatabase) -> Result<()> {
    run(
        database,
        "drop table operator_labels; delete from _sqlx_migrations \
         where version = (select max(version) from _sqlx_migrations)",
    )
    .await
}

/// As a later release would: its migration is in the database, not in this program.
async fn with_a_later_one(database: &TestDatabase, description: &str) -> Result<()> {
    let sql = format!(
        "alter table mails add column later_column text; \
         insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         select 9998, '{description}', success, checksum, 0 from _sqlx_migrations where version = 9",
    );
    run(database, sql.leak()).await
}

#[tokio::test]
async fn an_empty_database_is_refused_with_advice() -> Result<()> {
    let database = empty_database().await;
    let said = refused(&database).await?;
    assert_eq!(said, (0, last()?, "run `compliance migrate`"));
    Ok(())
}

#[tokio::test]
async fn an_older_schema_is_refused_and_migrated() -> Result<()> {
    let database = database().await;
    without_the_last(&database).await?;
    let (found, needed, advice) = refused(&database).await?;
    assert!(found < needed, "{found} {needed}");
    assert_eq!((needed, advice), (last()?, "run `compliance migrate`"));
    Store::migrate(database.config()).await?;
    assert!(database.store().await.risk_definitions().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_program_starts_and_works_on_what_a_later_release_has_migrated() -> Result<()> {
    let database = database().await;
    with_a_later_one(&database, "later column").await?;
    let store = database.store().await;
    let mut tx = store.transaction().await?;
    tx.send(&VideoUploaded::new(store.fresh())).await?;
    tx.commit().await?;
    assert_eq!(store.queue_status().await?[0].waiting, 1);
    // Its own `migrate` leaves the later one's work alone.
    Store::migrate(database.config()).await?;
    database.store().await.ping().await?;
    Ok(())
}

#[tokio::test]
async fn a_program_refuses_what_was_taken_from_under_it() -> Result<()> {
    let database = database().await;
    with_a_later_one(&database, "drop mails needs 9997").await?;
    let (found, _, advice) = refused(&database).await?;
    assert_eq!(found, 9998);
    assert!(advice.contains("newer"), "{advice}");
    let error = Store::migrate(database.config()).await.unwrap_err();
    assert!(error.to_string().contains("newer"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_changed_migration_is_refused() -> Result<()> {
    let database = database().await;
    run(
        &database,
        "update _sqlx_migrations set checksum = (select checksum from _sqlx_migrations \
         where version = 1) where version = 2",
    )
    .await?;
    let (found, needed, advice) = refused(&database).await?;
    assert_eq!((found, needed), (last()?, last()?));
    assert!(advice.contains("changed after they ran"), "{advice}");
    Ok(())
}

#[tokio::test]
async fn an_address_of_neither_engine_is_refused() {
    let error = Store::connect(StoreConfig::new("mysql://localhost/x")).await;
    assert!(matches!(error, Err(StoreError::Address)), "{error:?}");
}

#[tokio::test]
async fn behind_a_pooler_single_statements_and_transactions_last() -> Result<()> {
    let database = database().await;
    let config = StoreConfig {
        statement_cache: 0,
        ..database.config()
    };
    let pooled = Store::connect(config).await?;
    let new = NewUser {
        email: "a@example.org".into(),
        password_hash: "$argon2id$".into(),
        role: Role::Client,
        company_name: String::new(),
        balance_minutes: 0,
        language: Lang::En,
    };
    let user = pooled.insert_user(new).await?;
    let mut tx = pooled.transaction().await?;
    let event_id = tx.send(&VideoUploaded::new(pooled.fresh())).await?;
    tx.commit().await?;
    let minute = Duration::from_mins(1);
    let claimed = pooled.claim(VideoUploaded::STREAM, "a", minute, 5).await?;
    assert_eq!(claimed.map(|claimed| claimed.event_id), Some(event_id));
    pooled.ping().await?;

    let direct = database.store().await;
    assert_eq!(direct.user(user.user_id).await?, user);
    assert_eq!(direct.queue_status().await?[0].leased, 1);
    Ok(())
}

#[test]
fn settings_default_to_sqlite_in_the_data_folder() {
    let mut settings = shared_domain::Settings::default();
    settings.set("DATA_DIR", "/srv/data");
    let config = StoreConfig::read(&settings.reader());
    assert_eq!(
        config.url.expose_secret(),
        "sqlite:///srv/data/compliance.db"
    );

    settings.set("DATABASE_URL", "mysql://x");
    let reader = settings.reader();
    StoreConfig::read(&reader);
    assert!(reader.finish().is_err());
}
