//! What the record holds, as a test has to see it and no function does.

use anyhow::Result;
use shared_domain::Message;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::World;

impl World {
    /// Every message of a kind that was ever sent, the oldest first.
    pub async fn messages<M: Message>(&self) -> Result<Vec<M>> {
        let sql = format!(
            "select cast(body as text) from outbox where kind = '{}' order by event_id",
            M::KIND
        );
        let bodies: Vec<(String,)> = if self.database.is_postgres() {
            let mut conn = PgConnection::connect(&self.database.url).await?;
            sqlx::query_as(AssertSqlSafe(sql))
                .fetch_all(&mut conn)
                .await?
        } else {
            let mut conn = SqliteConnection::connect(&self.database.url).await?;
            sqlx::query_as(AssertSqlSafe(sql))
                .fetch_all(&mut conn)
                .await?
        };
        let parsed = bodies.iter().map(|(body,)| serde_json::from_str(body));
        Ok(parsed.collect::<Result<_, _>>()?)
    }

    /// How many rows of a table fit a condition.
    pub async fn count(&self, table: &str, condition: &str) -> Result<i64> {
        count(&self.database.url, table, condition).await
    }
}

/// How many rows of a table fit a condition, in the database at this address.
pub async fn count(url: &str, table: &str, condition: &str) -> Result<i64> {
    let sql = AssertSqlSafe(format!("select count(*) from {table} where {condition}"));
    let (count,): (i64,) = if url.starts_with("postgres") {
        let mut conn = PgConnection::connect(url).await?;
        sqlx::query_as(sql).fetch_one(&mut conn).await?
    } else {
        let mut conn = SqliteConnection::connect(url).await?;
        sqlx::query_as(sql).fetch_one(&mut conn).await?
    };
    Ok(count)
}
