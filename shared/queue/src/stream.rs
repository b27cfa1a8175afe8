//! What is said to Redis: announce, read, claim what a dead reader left, delete, mirror the dead.

use std::collections::HashMap;
use std::time::Duration;

use redis::streams::{StreamAutoClaimReply, StreamId, StreamInfoConsumersReply, StreamReadReply};
use redis::{Pipeline, Value, pipe};
use shared_store::{Claimed, Unsent};

use crate::keys::{DEAD, GROUP, MOST_DEAD, stream};
use crate::link::Link;
use crate::{Fault, RedisConfig};

/// A consumer without entries that did not ask for so long is gone.
const GONE: Duration = Duration::from_hours(1);
/// Of a reason, the dead stream keeps so many characters; the table has it whole.
const REASON: usize = 1000;

/// An entry that this process has read and has to delete.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: String,
    fields: HashMap<String, Value>,
}

impl From<StreamId> for Entry {
    fn from(read: StreamId) -> Self {
        Self {
            id: read.id,
            fields: read.map,
        }
    }
}

/// The streams of one process.
#[derive(Debug)]
pub(crate) struct Streams {
    link: Link,
    consumer: String,
    most: usize,
}

impl Streams {
    pub(crate) fn new(config: &RedisConfig, consumer: &str) -> Result<Self, Fault> {
        Ok(Self {
            link: Link::new(config)?,
            consumer: consumer.to_owned(),
            most: config.most,
        })
    }

    pub(crate) fn is_away(&self) -> bool {
        self.link.is_away()
    }

    /// Whether the server does its work.
    pub(crate) async fn probe(&self) -> Result<(), Fault> {
        self.link.probe().await
    }

    /// One entry for each row, in the order given.
    #[tracing::instrument(level = "debug", name = "redis.announce", skip_all, fields(otel.kind = "client"))]
    pub(crate) async fn announce(&self, rows: &[Unsent]) -> Result<(), Fault> {
        let mut pipe = pipe();
        for row in rows {
            self.add(&mut pipe, &row.stream);
            pipe.arg("event_id").arg(row.event_id.to_string());
            pipe.arg("kind").arg(&row.kind);
            pipe.arg("priority").arg(row.priority);
            pipe.arg("trace")
                .arg(row.trace.as_deref().unwrap_or(""))
                .ignore();
        }
        self.link.ask(&pipe).await
    }

    fn add(&self, pipe: &mut Pipeline, function: &str) {
        pipe.cmd("XADD").arg(stream(function));
        pipe.arg("MAXLEN").arg("~").arg(self.most).arg("*");
    }

    /// The next entry that nobody has read, if one comes within `patience`.
    pub(crate) async fn read(
        &self,
        function: &str,
        patience: Duration,
    ) -> Result<Option<Entry>, Fault> {
        // 0 would wait for ever
        let block = u64::try_from(patience.as_millis()).unwrap_or(1).max(1);
        let mut question = pipe();
        question
            .cmd("XREADGROUP")
            .arg("GROUP")
            .arg(GROUP)
            .arg(&self.consumer);
        question.arg("COUNT").arg(1).arg("BLOCK").arg(block);
        question.arg("STREAMS").arg(stream(function)).arg(">");
        let (read,): (Option<StreamReadReply>,) = self.link.wait_for(&question, patience).await?;
        let entries = read.into_iter().flat_map(|read| read.keys);
        Ok(entries.flat_map(|key| key.ids).next().map(Entry::from))
    }

    /// An entry whose reader has not been heard of for `silence`, which outlasts its lease. Deletes
    /// consumers that are gone, too: each process is another one.
    pub(crate) async fn stale(
        &self,
        function: &str,
        silence: Duration,
    ) -> Result<Option<Entry>, Fault> {
        let (key, silence) = (stream(function), millis(silence));
        let mut pipe = pipe();
        pipe.cmd("XAUTOCLAIM").arg(&key).arg(GROUP);
        pipe.arg(&self.consumer)
            .arg(silence)
            .arg("0-0")
            .arg("COUNT")
            .arg(1);
        pipe.cmd("XINFO").arg("CONSUMERS").arg(&key).arg(GROUP);
        let (claimed, known): (StreamAutoClaimReply, StreamInfoConsumersReply) =
            self.link.ask(&pipe).await?;
        let gone = known.consumers.iter().filter(|consumer| {
            consumer.pending == 0
                && u128::try_from(consumer.idle).unwrap_or(0) > GONE.as_millis()
                && consumer.name != self.consumer
        });
        let names: Vec<&str> = gone.map(|consumer| consumer.name.as_str()).collect();
        self.delete_consumers(function, &names).await?;
        Ok(claimed.claimed.into_iter().next().map(Entry::from))
    }

    /// Its reader still works: nobody else may claim the entry yet.
    pub(crate) async fn hold(&self, function: &str, id: &str) -> Result<(), Fault> {
        let mut pipe = pipe();
        pipe.cmd("XCLAIM").arg(stream(function)).arg(GROUP);
        pipe.arg(&self.consumer)
            .arg(0)
            .arg(id)
            .arg("JUSTID")
            .ignore();
        self.link.ask(&pipe).await
    }

    /// What the entry was read for is over.
    pub(crate) async fn delete(&self, function: &str, id: &str) -> Result<(), Fault> {
        let mut pipe = pipe();
        delete(&mut pipe, function, id);
        self.link.ask(&pipe).await
    }

    /// Nothing was done about the entry: another reader gets it.
    pub(crate) async fn hand_back(&self, function: &str, entry: &Entry) -> Result<(), Fault> {
        let mut pipe = pipe();
        self.add(&mut pipe, function);
        for (name, value) in &entry.fields {
            let Value::BulkString(value) = value else {
                continue;
            };
            pipe.arg(name).arg(value);
        }
        pipe.ignore();
        delete(&mut pipe, function, &entry.id);
        self.link.ask(&pipe).await
    }

    /// Makes the stream and its group, from the first entry on, unless they are there.
    pub(crate) async fn make_group(&self, function: &str) -> Result<(), Fault> {
        let mut pipe = pipe();
        pipe.cmd("XGROUP").arg("CREATE").arg(stream(function));
        pipe.arg(GROUP).arg("0").arg("MKSTREAM").ignore();
        match self.link.ask(&pipe).await {
            Err(Fault::Exists { .. }) => Ok(()),
            made => made,
        }
    }

    /// Mirrors a burial.
    pub(crate) async fn mourn(&self, buried: &Claimed, reason: &str) -> Result<(), Fault> {
        let reason: String = reason.chars().take(REASON).collect();
        let mut pipe = pipe();
        pipe.cmd("XADD").arg(DEAD);
        pipe.arg("MAXLEN").arg("~").arg(MOST_DEAD).arg("*");
        pipe.arg("event_id").arg(buried.event_id.to_string());
        pipe.arg("function").arg(&buried.stream);
        pipe.arg("kind").arg(&buried.kind);
        pipe.arg("attempts").arg(buried.attempt);
        pipe.arg("reason").arg(reason).ignore();
        self.link.ask(&pipe).await
    }

    /// This process reads no more. An entry that it left pending loses its owner with it, and the
    /// next look at the table finds the row.
    pub(crate) async fn leave(&self, function: &str) -> Result<(), Fault> {
        self.delete_consumers(function, &[&self.consumer]).await
    }

    async fn delete_consumers(&self, function: &str, names: &[&str]) -> Result<(), Fault> {
        if names.is_empty() {
            return Ok(());
        }
        let mut pipe = pipe();
        for name in names {
            pipe.cmd("XGROUP").arg("DELCONSUMER").arg(stream(function));
            pipe.arg(GROUP).arg(*name).ignore();
        }
        self.link.ask(&pipe).await
    }
}

fn delete(pipe: &mut Pipeline, function: &str, id: &str) {
    let key = stream(function);
    pipe.cmd("XACK").arg(&key).arg(GROUP).arg(id).ignore();
    pipe.cmd("XDEL").arg(&key).arg(id).ignore();
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
