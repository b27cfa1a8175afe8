//! What can go wrong with the record, told apart by what the caller does about it.

use std::fmt::Display;
use std::time::Duration;

use shared_domain::{IllegalMove, Step, VideoId};
use sqlx::error::DatabaseError;

use crate::Fault;
use crate::fault::hung_up;

/// Why the record could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such row.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// Its key.
        id: String,
    },
    /// An earlier delivery of the event had its effect.
    #[error("the event was handled before")]
    AlreadyHandled,
    /// Somebody else claimed the event since: whatever this worker found is dropped.
    #[error("the lease went to another worker")]
    Fenced,
    /// The video is already where the move leads, or past it.
    #[error("video {video_id} is at {at} already, not before {to}")]
    Stale {
        /// Which video.
        video_id: VideoId,
        /// Where it stands.
        at: Step,
        /// Where it should have gone.
        to: Step,
    },
    /// The table of moves has no such move.
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
    /// A row with the same unique key stands in the way.
    #[error("{what} {key} exists already")]
    Conflict {
        /// The kind of thing.
        what: &'static str,
        /// The key that is taken.
        key: String,
    },
    /// The event came through a door: nothing here can send it again.
    #[error("event {event_id} came from outside: only its sender can repeat it")]
    NotRepeatable {
        /// Which event.
        event_id: String,
    },
    /// It may work in a moment: run the whole handler again.
    #[error("the database cannot answer now")]
    Transient(#[source] sqlx::Error),
    /// It will not work by itself.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
    /// A message or a figure cannot be written down.
    #[error("{what} cannot be stored")]
    Unstorable {
        /// The kind of thing.
        what: &'static str,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// The database's tables are not the ones that this release was built for.
    #[error("the database is at schema {found}, this release needs {needed}: {advice}")]
    SchemaVersion {
        /// What the database says; 0 for an empty one.
        found: i64,
        /// The last migration of this release.
        needed: i64,
        /// What to do.
        advice: &'static str,
    },
    /// The server cannot be reached or does not let us in.
    #[error("the database at {place} cannot be opened: {fault}")]
    Connect {
        /// Server and database, without user and password.
        place: String,
        /// What stands in the way, and what to do about it.
        fault: Fault,
        /// What the driver said; none when nobody answered in time.
        #[source]
        source: Option<sqlx::Error>,
    },
    /// Another migration has not ended.
    #[error(
        "another migration has been running for {} s: wait for its end, or end it, and start this one \
         again",
        waited.as_secs()
    )]
    MigrationRuns {
        /// How long it was waited for.
        waited: Duration,
    },
    /// The tables that a migration changes are in use all the time.
    #[error(
        "migration {version} found its tables in use for {} s and has changed nothing: end long \
         transactions (pg_stat_activity shows them) and start it again",
        waited.as_secs()
    )]
    TablesInUse {
        /// Which migration.
        version: i64,
        /// How long it was tried.
        waited: Duration,
    },
    /// The migrations could not be run.
    #[error("the migrations failed")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The address of the database is not understood.
    #[error("DATABASE_URL is neither postgres://… nor sqlite://…")]
    Address,
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transient(_) => true,
            Self::Connect { fault, .. } => fault.may_pass(),
            _ => false,
        }
    }

    /// Whether the server was not there: it went away in the middle, or has not come back. The call is
    /// not to blame, and may succeed as soon as the server answers.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Transient(sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed) => true,
            Self::Transient(error) if hung_up(error) => true,
            Self::Transient(sqlx::Error::Database(error)) => error.code().is_some_and(|code| {
                let goes = matches!(code.as_ref(), "57P01" | "57P02" | "57P03" | "25006");
                goes || (code.len() == 5 && code.starts_with("08"))
            }),
            Self::Connect { fault, .. } => fault.may_pass(),
            _ => false,
        }
    }

    /// Whether the database undid the whole transaction for the sake of others: a deadlock or a failed
    /// serialization.
    pub(crate) fn is_undone(&self) -> bool {
        let Self::Transient(sqlx::Error::Database(error)) = self else {
            return false;
        };
        matches!(error.code().as_deref(), Some("40001" | "40P01"))
    }

    pub(crate) fn missing(what: &'static str, id: impl Display) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if may_pass(&error) {
            Self::Transient(error)
        } else {
            Self::Database(error)
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            other => Self::Migrate(other),
        }
    }
}

fn may_pass(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => may_pass_by_code(error.as_ref()),
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        error => hung_up(error),
    }
}

/// `SQLSTATE` of PostgreSQL, extended result code of SQLite: the two never look alike, since the
/// former has five characters and the latter is a short number.
fn may_pass_by_code(error: &dyn DatabaseError) -> bool {
    let Some(code) = error.code() else {
        return false;
    };
    match code.as_ref() {
        // serialization failure, deadlock, lock timeout, statement timeout, idle in transaction
        "40001" | "40P01" | "55P03" | "57014" | "25P03"
        // shutting down, crashed, starting up, read-only after a failover, too many connections
        | "57P01" | "57P02" | "57P03" | "25006" | "53300" | "53100"
        // password changed, database gone: no event is to blame, and an operator can mend it
        | "28P01" | "28000" | "3D000" => true,
        code if code.len() == 5 => code.starts_with("08"),
        // SQLITE_BUSY 5, SQLITE_LOCKED 6, SQLITE_FULL 13, in the low byte of the extended code
        code => code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 13)),
    }
}
