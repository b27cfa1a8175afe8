//! Amazon SQS: standard queues, as a sender and Lambda's poller meet them.
//!
//! It keeps the rules that a sender trips over: requests are signed, a batch has ten messages and 1 MiB
//! at most, each of them may fail alone, none is kept back for longer than a quarter of an hour. And
//! those of a reader: a message that was handed out and not deleted is seen again after a while, and is
//! moved to the dead letters when that has happened too often.

mod door;
mod signature;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shared_domain::{Clock, Ids, SystemIds};
use time::OffsetDateTime;
use tokio::task::JoinSet;

use crate::Hosted;
use crate::listen::Port;

/// Messages that Lambda takes at once.
const BATCH: usize = 10;
const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "000000000000";
const KEY_ID: &str = "ASIAWORLD";
const KEY: &str = "canary-of-the-role";
const SESSION: &str = "canary-of-the-session";
/// What the name of each queue begins with.
const STACK: &str = "world-";

/// How a queue treats its messages.
#[derive(Debug, Clone, Copy)]
pub struct QueueRules {
    /// How long one that was handed out is not seen.
    pub visibility: Duration,
    /// How often it is handed out before it is given up.
    pub max_receives: u32,
}

impl Default for QueueRules {
    fn default() -> Self {
        Self {
            visibility: Duration::from_secs(90),
            max_receives: 5,
        }
    }
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqsMishap {
    /// So many messages of the batch are not taken, the first ones.
    SomeFail(usize),
    /// Nothing is taken: too many calls.
    Throttled,
}

#[derive(Debug, Clone)]
struct Message {
    id: String,
    body: String,
    seen_from: OffsetDateTime,
    sent_at: OffsetDateTime,
    receives: u32,
}

#[derive(Debug, Default)]
struct Queue {
    rules: QueueRules,
    messages: Vec<Message>,
}

#[derive(Debug, Default)]
struct State {
    queues: BTreeMap<String, Queue>,
    dead: Vec<Message>,
    mishaps: VecDeque<SqsMishap>,
    /// Messages of each batch that came in, taken or not.
    batches: Vec<usize>,
}

#[derive(Debug)]
struct Inner {
    clock: Arc<dyn Clock>,
    base: String,
    state: Mutex<State>,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service, as the test steers it.
#[derive(Debug)]
pub struct FakeSqs {
    inner: Arc<Inner>,
    _server: JoinSet<()>,
}

impl FakeSqs {
    /// Starts it with one queue for each of these functions; its delays go by this clock.
    pub async fn start(clock: Arc<dyn Clock>, functions: &[&str]) -> Result<Self> {
        let port = Port::take().await?;
        let base = port.url()?;
        let mut state = State::default();
        for function in functions {
            let name = format!("{STACK}{function}");
            state.queues.insert(name, Queue::default());
        }
        let state = Mutex::new(state);
        let inner = Arc::new(Inner { clock, base, state });
        let (router, mut server) = (door::router(inner.clone()), JoinSet::new());
        port.serve(router, &mut server);
        Ok(Self {
            inner,
            _server: server,
        })
    }

    /// The setting, and what Lambda sets for a function whose role may send here.
    pub fn environment(&self) -> Vec<(String, String)> {
        let prefix = format!("{}/{ACCOUNT}/{STACK}", self.inner.base);
        let pairs = [
            ("SQS_QUEUE_URL_PREFIX", prefix.as_str()),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", KEY),
            ("AWS_SESSION_TOKEN", SESSION),
        ];
        let owned = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        owned.to_vec()
    }

    /// Other rules for the queue of a function.
    pub fn set_rules(&self, function: &str, rules: QueueRules) -> Result<()> {
        let mut state = self.inner.state();
        let queue = state.queues.get_mut(&format!("{STACK}{function}"));
        queue.context("no such queue")?.rules = rules;
        Ok(())
    }

    /// The next calls go wrong, one each.
    pub fn expect_mishaps(&self, mishaps: impl IntoIterator<Item = SqsMishap>) {
        self.inner.state().mishaps.extend(mishaps);
    }

    /// Messages of each batch that came in.
    pub fn batches(&self) -> Vec<usize> {
        self.inner.state().batches.clone()
    }

    /// Messages that were handed out too often.
    pub fn dead(&self) -> usize {
        self.inner.state().dead.len()
    }

    /// Bodies in a function's queue and how long each is kept back, seen or not.
    pub fn bodies(&self, function: &str) -> Result<Vec<(Value, Duration)>> {
        let state = self.inner.state();
        let queue = state.queues.get(&format!("{STACK}{function}"));
        let messages = queue.context("no such queue")?.messages.iter();
        let told = messages.map(|message| {
            let delay = message.seen_from - message.sent_at;
            Ok((serde_json::from_str(&message.body)?, delay.try_into()?))
        });
        told.collect()
    }

    /// Hands out what can be seen, as Lambda's poller takes it: an event for the function, or nothing.
    pub fn receive(&self, function: &str) -> Result<Option<Value>> {
        let (now, mut state) = (self.inner.clock.now(), self.inner.state());
        let name = format!("{STACK}{function}");
        let queue = state.queues.get_mut(&name).context("no such queue")?;
        let (rules, mut records) = (queue.rules, Vec::new());
        let (spent, kept) = queue
            .messages
            .drain(..)
            .partition(|m| m.seen_from <= now && m.receives >= rules.max_receives);
        queue.messages = kept;
        let seen = queue.messages.iter_mut().filter(|m| m.seen_from <= now);
        for message in seen.take(BATCH) {
            message.receives += 1;
            message.seen_from = now + rules.visibility;
            records.push(message.record(&name));
        }
        state.dead.extend::<Vec<_>>(spent);
        let event = json!({ "Records": records });
        Ok((!records.is_empty()).then_some(event))
    }

    /// Deletes what a function has done with: everything but what its answer names. A failed
    /// invocation, or an answer that names nobody, has done with nothing.
    pub fn settle<E>(
        &self,
        function: &str,
        event: &Value,
        answer: &Result<Value, E>,
    ) -> Result<()> {
        let Ok(answer) = answer else { return Ok(()) };
        let id = |value: &Value| value.as_str().map(str::to_owned);
        let records = event["Records"].as_array().context("Records")?;
        let taken: Vec<_> = records.iter().filter_map(|r| id(&r["messageId"])).collect();
        let failed = answer["batchItemFailures"].as_array();
        let failed = failed.map(Vec::as_slice).unwrap_or_default().iter();
        let failed: Vec<_> = failed.filter_map(|f| id(&f["itemIdentifier"])).collect();
        ensure!(
            failed.iter().all(|id| taken.contains(id)),
            "the answer names a message that was not in the batch: {answer}"
        );
        let mut state = self.inner.state();
        let queue = state.queues.get_mut(&format!("{STACK}{function}"));
        let queue = queue.context("no such queue")?;
        queue
            .messages
            .retain(|m| failed.contains(&m.id) || !taken.contains(&m.id));
        Ok(())
    }

    /// Brings one batch to a function on Lambda, as its event source mapping does; false when its
    /// queue shows nothing.
    pub async fn deliver(&self, function: &str, hosted: &mut Hosted) -> Result<bool> {
        let Some(event) = self.receive(function)? else {
            return Ok(false);
        };
        let answer = hosted.invoke(event.clone()).await?;
        self.settle(function, &event, &answer)?;
        Ok(true)
    }
}

impl Message {
    fn new(body: &str, now: OffsetDateTime, delay: i64) -> Self {
        Self {
            id: SystemIds.next().to_string(),
            body: body.to_owned(),
            seen_from: now + time::Duration::seconds(delay),
            sent_at: now,
            receives: 0,
        }
    }

    fn record(&self, queue: &str) -> Value {
        let sent_ms = self.sent_at.unix_timestamp_nanos() / 1_000_000;
        json!({
            "messageId": self.id,
            "receiptHandle": format!("{}#{}", self.id, self.receives),
            "body": self.body,
            "attributes": { "ApproximateReceiveCount": self.receives.to_string(),
                            "SentTimestamp": sent_ms.to_string(), "SenderId": KEY_ID },
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
            "awsRegion": REGION,
        })
    }
}
