//! The third transport: a queue of Amazon SQS for each function, from which Lambda calls it.
//!
//! A message names its row and repeats nothing of it. So none is too large, whatever the row holds,
//! and none is out of date: whoever receives it claims the row, and the row's own body counts.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{Config, Credentials, Region};
use aws_sdk_sqs::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use shared_domain::{OutboxId, Reader};
use shared_store::Unsent;
use time::OffsetDateTime;
use tracing::{error, warn};
use url::{Host, Url};

use crate::link::ANSWER;

/// Messages of one call.
const BATCH: usize = 10;
/// The longest that SQS keeps a message back.
pub(crate) const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// Where the queues are, and who may send to them.
#[derive(Clone)]
pub struct SqsConfig {
    /// What the URL of each queue begins with; the function's name follows.
    prefix: String,
    endpoint: String,
    region: String,
    key_id: String,
    key: SecretString,
    session: Option<SecretString>,
}

impl fmt::Debug for SqsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SqsConfig").field(&self.prefix).finish()
    }
}

impl SqsConfig {
    /// Reads `SQS_QUEUE_URL_PREFIX` and what Lambda sets for each function (`AWS_REGION` and the
    /// keys of its role); `None` when there is no SQS.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        let prefix = reader.find("SQS_QUEUE_URL_PREFIX")?;
        if reader.find("REDIS_URL").is_some() {
            reader.problem("SQS_QUEUE_URL_PREFIX", "and REDIS_URL exclude each other");
        }
        let endpoint = endpoint(&prefix);
        if let Err(problem) = &endpoint {
            reader.problem("SQS_QUEUE_URL_PREFIX", problem);
        }
        Some(Self {
            prefix,
            endpoint: endpoint.unwrap_or_default(),
            region: reader.text("AWS_REGION"),
            key_id: reader.text("AWS_ACCESS_KEY_ID"),
            key: reader.secret("AWS_SECRET_ACCESS_KEY"),
            session: reader.find_secret("AWS_SESSION_TOKEN"),
        })
    }
}

/// Scheme and host, to which every request goes.
fn endpoint(prefix: &str) -> Result<String, &'static str> {
    const SHAPE: &str =
        "is not the beginning of URLs such as https://sqs.REGION.amazonaws.com/ACCOUNT/NAME-";
    let url = Url::parse(prefix).map_err(|_| SHAPE)?;
    let is_here = match url.host().ok_or(SHAPE)? {
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    match url.scheme() {
        "https" => Ok(url.origin().ascii_serialization()),
        "http" if is_here => Ok(url.origin().ascii_serialization()),
        _ => Err("must begin with https:// (http:// is for this machine only)"),
    }
}

/// The queues of all functions.
pub(crate) struct Sqs {
    client: Client,
    prefix: String,
}

impl fmt::Debug for Sqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sqs").field(&self.prefix).finish()
    }
}

impl Sqs {
    /// Nothing is sent yet.
    pub(crate) fn new(config: &SqsConfig) -> Self {
        let session = config.session.as_ref();
        let credentials = Credentials::new(
            &config.key_id,
            config.key.expose_secret(),
            session.map(|token| token.expose_secret().to_owned()),
            None,
            "settings",
        );
        // A request waits for its relay, and what is not sent now is sent by the next.
        let timeouts = TimeoutConfig::builder().operation_timeout(ANSWER).build();
        let sdk = Config::builder()
            .behavior_version_latest()
            .endpoint_url(&config.endpoint)
            .region(Region::new(config.region.clone()))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .timeout_config(timeouts)
            .build();
        Self {
            client: Client::from_conf(sdk),
            prefix: config.prefix.clone(),
        }
    }

    /// Sends one message for each row; answers which of them SQS has taken.
    pub(crate) async fn announce(&self, rows: &[Unsent], now: OffsetDateTime) -> Vec<OutboxId> {
        let mut functions: BTreeMap<&str, Vec<&Unsent>> = BTreeMap::new();
        for row in rows {
            functions.entry(&row.stream).or_default().push(row);
        }
        let mut taken = Vec::new();
        for (function, rows) in functions {
            for batch in rows.chunks(BATCH) {
                match Box::pin(self.send(function, batch, now)).await {
                    Ok(sent) => taken.extend(sent),
                    // The other functions have queues of their own.
                    Err(()) => break,
                }
            }
        }
        taken
    }

    async fn send(
        &self,
        function: &str,
        batch: &[&Unsent],
        now: OffsetDateTime,
    ) -> Result<Vec<OutboxId>, ()> {
        let queue = format!("{}{function}", self.prefix);
        let entries = batch.iter().enumerate();
        let entries: Result<Vec<_>, BuildError> =
            entries.map(|(place, row)| entry(place, row, now)).collect();
        let entries = entries.map_err(|error| error!(%error, queue, "no message can be made"))?;
        let request = self.client.send_message_batch().queue_url(&queue);
        let answer = request.set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| tell(&queue, &error))?;
        for failed in answer.failed() {
            tell_entry(&queue, failed);
        }
        let places = answer.successful().iter().map(|sent| sent.id().parse());
        let rows = places.filter_map(|place: Result<usize, _>| batch.get(place.ok()?));
        Ok(rows.map(|row| row.event_id).collect())
    }
}

/// As the Lambda host reads it.
fn entry(
    place: usize,
    row: &Unsent,
    now: OffsetDateTime,
) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let message = json!({ "kind": row.kind, "id": row.event_id, "trace": row.trace });
    SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(message.to_string())
        .delay_seconds(delay(row.due_at - now))
        .build()
}

/// In whole seconds, upwards: a message that comes before its time would find nothing to do.
fn delay(wait: time::Duration) -> i32 {
    let whole = wait.whole_seconds() + i64::from(wait.subsec_nanoseconds() > 0);
    let longest = i64::try_from(LONGEST_DELAY.as_secs()).unwrap_or(i64::MAX);
    i32::try_from(whole.clamp(0, longest)).unwrap_or(0)
}

/// What is wrong with the settings calls a person; everything else passes by itself.
fn tell<E, R>(queue: &str, failure: &SdkError<E, R>)
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: fmt::Debug,
{
    let code = failure.code().unwrap_or_default();
    let passes = [
        "Throttl",
        "Overload",
        "Unavailable",
        "InternalFailure",
        "InternalError",
    ];
    let is_refused = !code.is_empty() && !passes.iter().any(|word| code.contains(word));
    let reason = DisplayErrorContext(failure).to_string();
    match is_refused {
        true => error!(
            queue,
            code, reason, "SQS refuses what is sent to {queue}: {code}"
        ),
        false => warn!(
            queue,
            reason, "SQS takes nothing for {queue}; the next relay sends it"
        ),
    }
}

fn tell_entry(queue: &str, failed: &BatchResultErrorEntry) {
    let (code, reason) = (failed.code(), failed.message().unwrap_or_default());
    match failed.sender_fault() {
        true => error!(
            queue,
            code, reason, "SQS refuses a message to {queue}: {code}"
        ),
        false => warn!(
            queue,
            code, "SQS has not taken a message to {queue}; the next relay sends it"
        ),
    }
}
