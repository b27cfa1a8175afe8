//! The connections to Redis: one that all share, one for each reader that waits; whether it is away,
//! and when to try again.
//!
//! A server that is full, or that follows another one since a failover, goes on answering questions
//! that change nothing. Away is one that something failed at, and back is one that takes a write:
//! what else succeeds meanwhile proves nothing.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline, pipe};
use tokio::time::Instant;
use tracing::{error, info, warn};

use crate::keys::PROBE;
use crate::{Fault, RedisConfig};

/// The longest that one question may take, connecting included. A request waits for its relay, so
/// that this is what a Redis that swallows packets costs it.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);
/// The wait before a server that is away is tried again: the first, doubled up to the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// A client that remembers how the server fared.
pub(crate) struct Link {
    client: redis::Client,
    place: String,
    shared: Mutex<Option<MultiplexedConnection>>,
    /// Held by the one who opens the shared connection.
    opening: tokio::sync::Mutex<()>,
    /// Connections of readers that do not wait at the moment.
    idle: Mutex<Vec<MultiplexedConnection>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// It has done its work at least once.
    known: bool,
    away: Option<Away>,
}

#[derive(Debug, Clone, Copy)]
struct Away {
    wait: Duration,
    retry_at: Instant,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&self.place).finish()
    }
}

impl Link {
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, Fault> {
        let place = config.place.clone();
        let client = config.client().map_err(|reason| Fault::Refused {
            place: place.clone(),
            reason,
        })?;
        Ok(Self {
            client,
            place,
            shared: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            idle: Mutex::default(),
            state: Mutex::default(),
        })
    }

    pub(crate) fn is_away(&self) -> bool {
        self.state().away.is_some()
    }

    /// Asks on the shared connection; what is asked may be done twice when the connection breaks.
    pub(crate) async fn ask<T: FromRedisValue>(&self, questions: &Pipeline) -> Result<T, Fault> {
        if self.is_away() {
            return Err(self.away());
        }
        let answer = self.exchange(questions).await;
        self.judge(answer)
    }

    /// Finds out whether the server does its work, and with it whether it is back.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        self.admit()?;
        let mut write = pipe();
        write.cmd("SET").arg(PROBE).arg(1).arg("PX").arg(1000);
        let written: Result<(), Fault> = self.exchange(write.ignore()).await;
        self.judge(written)?;
        self.is_back();
        Ok(())
    }

    async fn exchange<T: FromRedisValue>(&self, questions: &Pipeline) -> Result<T, Fault> {
        // Boxed here and below: the client's futures are deep, and every handler's contains them.
        let asking = Box::pin(async {
            let (connection, kept) = self.shared().await?;
            match query(questions, connection).await {
                // An old connection that the server has closed says nothing about the server.
                Err(error) if kept && error.is_connection_dropped() => {
                    self.kept().take();
                    query(questions, self.shared().await?.0).await
                }
                answer => answer,
            }
        });
        match tokio::time::timeout(ANSWER, asking).await {
            Ok(answer) => answer.map_err(|error| Fault::of(&self.place, &error)),
            Err(_) => Err(Fault::silent(&self.place)),
        }
    }

    /// Asks on a connection of its own, because the answer may take as long as `patience`.
    pub(crate) async fn wait_for<T: FromRedisValue>(
        &self,
        question: &Pipeline,
        patience: Duration,
    ) -> Result<T, Fault> {
        if self.is_away() {
            return Err(self.away());
        }
        let kept = self.idle().pop();
        let asking = Box::pin(async {
            if let Some(mut connection) = kept {
                match question.query_async(&mut connection).await {
                    Err(error) if error.is_connection_dropped() => {}
                    answer => return (answer, Some(connection)),
                }
            }
            match self.open().await {
                Ok(mut connection) => {
                    let answer = question.query_async(&mut connection).await;
                    (answer, Some(connection))
                }
                Err(error) => (Err(error), None),
            }
        });
        let answer = match tokio::time::timeout(patience + ANSWER, asking).await {
            Ok((Ok(answer), Some(connection))) => {
                self.idle().push(connection);
                Ok(answer)
            }
            Ok((answer, _)) => answer.map_err(|error| Fault::of(&self.place, &error)),
            Err(_) => Err(Fault::silent(&self.place)),
        };
        self.judge(answer)
    }

    /// While the server is away, one caller at a time finds out whether it still is.
    fn admit(&self) -> Result<(), Fault> {
        let mut state = self.state();
        match &mut state.away {
            Some(away) if Instant::now() < away.retry_at => Err(self.away()),
            Some(away) => {
                away.retry_at = Instant::now() + ANSWER;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A connection on which something failed is not used again: an answer may still be on its way.
    fn judge<T>(&self, answer: Result<T, Fault>) -> Result<T, Fault> {
        match &answer {
            Ok(_) | Err(Fault::Forgotten { .. } | Fault::Exists { .. }) => {}
            Err(fault) => {
                self.kept().take();
                self.idle().clear();
                self.failed(fault);
            }
        }
        answer
    }

    fn is_back(&self) {
        let mut state = self.state();
        let (known, away) = (state.known, state.away.take());
        state.known = true;
        drop(state);
        if !known {
            info!("Connected to {}", self.place);
        } else if away.is_some() {
            info!("Redis is back. Connected to {}", self.place);
        }
    }

    fn failed(&self, fault: &Fault) {
        let mut state = self.state();
        let news = state.away.is_none();
        let wait = state
            .away
            .map_or(RETRY.0, |away| (away.wait * 2).min(RETRY.1));
        let retry_at = Instant::now() + wait;
        state.away = Some(Away { wait, retry_at });
        drop(state);
        match news {
            true if fault.needs_a_person() => {
                error!("Redis is away: {fault}; the queue goes on by the table");
            }
            true => warn!("Redis is away: {fault}; the queue goes on by the table"),
            false => {}
        }
    }

    /// The shared connection, and whether it was there before.
    async fn shared(&self) -> Result<(MultiplexedConnection, bool), redis::RedisError> {
        if let Some(connection) = self.kept().clone() {
            return Ok((connection, true));
        }
        let _one_at_a_time = self.opening.lock().await;
        if let Some(connection) = self.kept().clone() {
            return Ok((connection, true));
        }
        let connection = self.open().await?;
        *self.kept() = Some(connection.clone());
        Ok((connection, false))
    }

    /// The limits are the callers' own.
    async fn open(&self) -> redis::RedisResult<MultiplexedConnection> {
        let unlimited = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER))
            .set_response_timeout(None);
        let client = &self.client;
        client
            .get_multiplexed_async_connection_with_config(&unlimited)
            .await
    }

    fn away(&self) -> Fault {
        Fault::Away {
            place: self.place.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> MutexGuard<'_, Option<MultiplexedConnection>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<MultiplexedConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn query<T: FromRedisValue>(
    questions: &Pipeline,
    mut connection: MultiplexedConnection,
) -> redis::RedisResult<T> {
    questions.query_async(&mut connection).await
}
