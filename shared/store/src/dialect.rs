//! The two engines behind one text.
//!
//! `rows!`, `execute!` and `change!` run one statement on whichever engine is open; `bulk!` inserts
//! many rows. Each statement is a span of the event that it belongs to.
//! The few texts that differ stand at the end of this file.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{
    AssertSqlSafe, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool,
    Transaction,
};

/// The open pools. SQLite has one writer at a time anyway: a pool of one queues writers here, where
/// waiting is fair, and leaves readers alone.
#[derive(Debug, Clone)]
pub(crate) enum Pools {
    Postgres {
        pool: PgPool,
        /// Behind a pooler that hands out servers per transaction: how each of them begins.
        begin: Option<Arc<str>>,
    },
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
}

/// A connection for single statements.
pub(crate) enum Conn {
    Postgres(PoolConnection<Postgres>),
    /// The parts of one statement go to the same server only within a transaction.
    Pooled(Transaction<'static, Postgres>),
    Sqlite(PoolConnection<Sqlite>),
}

/// An open transaction; dropping it rolls it back.
#[derive(Debug)]
pub(crate) enum Open {
    Postgres(Transaction<'static, Postgres>),
    Pooled(Transaction<'static, Postgres>),
    Sqlite(Transaction<'static, Sqlite>),
}

/// Whatever statements run on.
pub(crate) enum Link<'c> {
    /// With whether statements may keep a name: behind a pooler the next one may meet a server on
    /// which another client has given the same name to another statement.
    Postgres(&'c mut PgConnection, bool),
    Sqlite(&'c mut SqliteConnection),
}

impl Pools {
    pub(crate) async fn reader(&self) -> Result<Conn, sqlx::Error> {
        match self {
            Self::Postgres { pool, begin } => postgres(pool, begin.as_ref()).await,
            Self::Sqlite { read, .. } => read.acquire().await.map(Conn::Sqlite),
        }
    }

    pub(crate) async fn writer(&self) -> Result<Conn, sqlx::Error> {
        match self {
            Self::Postgres { pool, begin } => postgres(pool, begin.as_ref()).await,
            Self::Sqlite { write, .. } => write.acquire().await.map(Conn::Sqlite),
        }
    }

    /// SQLite takes the write lock at once: a transaction that reads first and writes later could
    /// otherwise fail in the middle.
    pub(crate) async fn begin(&self) -> Result<Open, sqlx::Error> {
        match self {
            Self::Postgres { pool, begin: None } => pool.begin().await.map(Open::Postgres),
            Self::Postgres {
                pool,
                begin: Some(begin),
            } => pool
                .begin_with(AssertSqlSafe(Arc::clone(begin)))
                .await
                .map(Open::Pooled),
            Self::Sqlite { write, .. } => {
                write.begin_with("begin immediate").await.map(Open::Sqlite)
            }
        }
    }
}

async fn postgres(pool: &PgPool, begin: Option<&Arc<str>>) -> Result<Conn, sqlx::Error> {
    match begin {
        None => pool.acquire().await.map(Conn::Postgres),
        Some(begin) => pool
            .begin_with(AssertSqlSafe(Arc::clone(begin)))
            .await
            .map(Conn::Pooled),
    }
}

impl Conn {
    pub(crate) fn link(&mut self) -> Link<'_> {
        match self {
            Self::Postgres(conn) => Link::Postgres(conn, true),
            Self::Pooled(tx) => Link::Postgres(tx, false),
            Self::Sqlite(conn) => Link::Sqlite(conn),
        }
    }

    /// What was written holds from here on; a reader is simply dropped.
    pub(crate) async fn keep(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(_) | Self::Sqlite(_) => Ok(()),
            Self::Pooled(tx) => tx.commit().await,
        }
    }
}

impl Open {
    pub(crate) fn link(&mut self) -> Link<'_> {
        match self {
            Self::Postgres(tx) => Link::Postgres(tx, true),
            Self::Pooled(tx) => Link::Postgres(tx, false),
            Self::Sqlite(tx) => Link::Sqlite(tx),
        }
    }

    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(tx) | Self::Pooled(tx) => tx.commit().await,
            Self::Sqlite(tx) => tx.commit().await,
        }
    }
}

/// Runs a query: `rows!(fetch_all as Video, link, "select …", bind, …)`.
macro_rules! rows {
    ($fetch:ident as $row:ty, $link:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        use tracing::Instrument as _;
        match $link {
            $crate::dialect::Link::Postgres(conn, named) => {
                sqlx::query_as::<sqlx::Postgres, $row>($sql)
                    $(.bind($bind))*.persistent(named).$fetch(conn)
                    .instrument($crate::statement::span($sql)).await
            }
            $crate::dialect::Link::Sqlite(conn) => {
                sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($bind))*.$fetch(conn)
                    .instrument($crate::statement::span($sql)).await
            }
        }
        .map_err($crate::StoreError::from)
    }};
}

/// Runs a statement and tells how many rows it changed.
macro_rules! execute {
    ($link:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        use tracing::Instrument as _;
        match $link {
            $crate::dialect::Link::Postgres(conn, named) => sqlx::query::<sqlx::Postgres>($sql)
                $(.bind($bind))*.persistent(named).execute(conn)
                .instrument($crate::statement::span($sql)).await.map(|done| done.rows_affected()),
            $crate::dialect::Link::Sqlite(conn) => sqlx::query::<sqlx::Sqlite>($sql)
                $(.bind($bind))*.execute(conn)
                .instrument($crate::statement::span($sql)).await.map(|done| done.rows_affected()),
        }
        .map_err($crate::StoreError::from)
    }};
}

/// Runs one statement of `Store` that writes, for good, and tells how many rows it changed.
macro_rules! change {
    ($store:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::retry::whole!({
            let mut db = $store.writer().await?;
            let rows = $crate::dialect::execute!(db.link(), $sql $(, $bind)*)?;
            db.keep().await?;
            Ok(rows)
        })
    };
}

/// Inserts many rows in few statements, too long to be worth a name:
/// `bulk!(link, "insert into t (a, b) ", items, |item| [item.a, item.b], " on conflict do nothing")`.
macro_rules! bulk {
    ($link:expr, $head:literal, $items:expr, |$item:pat_param| [$($bind:expr),+ $(,)?], $tail:literal) => {{
        match $link {
            $crate::dialect::Link::Postgres(conn, _) => {
                $crate::dialect::bulk!(@run sqlx::Postgres, conn, $head, $items, $item, [$($bind),+], $tail)
            }
            $crate::dialect::Link::Sqlite(conn) => {
                $crate::dialect::bulk!(@run sqlx::Sqlite, conn, $head, $items, $item, [$($bind),+], $tail)
            }
        }
    }};
    (@run $engine:ty, $conn:ident, $head:literal, $items:expr, $item:pat_param, [$($bind:expr),+], $tail:literal) => {{
        use tracing::Instrument as _;
        for chunk in $items.chunks($crate::dialect::BULK_ROWS) {
            let mut query = sqlx::QueryBuilder::<$engine>::new($head);
            query.push_values(chunk, |mut row, $item| {
                $(row.push_bind($bind);)+
            });
            query.push($tail);
            let statement = query.build().persistent(false).execute(&mut *$conn);
            let span = $crate::statement::span(concat!($head, " ", $tail));
            statement.instrument(span).await?;
        }
        Ok::<(), sqlx::Error>(())
    }};
}

pub(crate) use {bulk, change, execute, rows};

/// Rows of one bulk statement: with 20 columns well below the 32,766 binds that SQLite allows.
pub(crate) const BULK_ROWS: usize = 500;

macro_rules! claim {
    ($only:literal, $lock:literal) => {
        concat!(
            "with due as (select event_id from outbox \
              where stream = $1 and finished_at is null and due_at <= $2 \
                and (lease_until is null or lease_until <= $2) ",
            $only,
            "order by priority desc, event_id limit 1 ",
            $lock,
            ") update outbox set lease_owner = $3, lease_until = $4, \
                 lease_epoch = lease_epoch + 1, attempts = attempts + 1, \
                 strikes = strikes + case when lease_until is null then 0 else 1 end \
              from due where outbox.event_id = due.event_id \
              returning outbox.event_id, stream, kind, body, trace, created_at, attempts, strikes, \
                 lease_epoch, last_error"
        )
    };
}

impl Link<'_> {
    /// Takes the most urgent free message of a stream ($1) at a moment ($2) for an owner ($3)
    /// until ($4). A lease that is still written down has run out: its worker died, which is a
    /// strike. PostgreSQL steps over rows that another worker is taking; SQLite has one writer.
    pub(crate) fn claim_sql(&self) -> &'static str {
        match self {
            Self::Postgres(..) => claim!("", "for update skip locked"),
            Self::Sqlite(_) => claim!("", ""),
        }
    }

    /// As `claim_sql`, of one message only ($5).
    pub(crate) fn claim_event_sql(&self) -> &'static str {
        match self {
            Self::Postgres(..) => claim!("and event_id = $5 ", "for update skip locked"),
            Self::Sqlite(_) => claim!("and event_id = $5 ", ""),
        }
    }
}
