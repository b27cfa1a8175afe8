//! The client: bytes in, bytes out.
//!
//! Checksums are sent only where the wire demands them, because older Backblaze clusters refuse
//! the headers; and every read has a deadline that grows with its size, because a server that
//! trickles one byte a second would otherwise hold a worker for ever.

use std::ops::Range;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    Config, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};
use secrecy::ExposeSecret;
use time::OffsetDateTime;
use tokio::time::timeout;

use crate::{ObjectsConfig, ObjectsError};

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_mins(1);
const STALL: Duration = Duration::from_secs(20);
/// The slowest transfer that is still waited for, in bytes a second.
const SLOWEST: u64 = 32 * 1024;

/// Object storage. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Objects {
    pub(crate) client: Client,
    pub(crate) bucket: String,
}

/// What HEAD tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// In bytes.
    pub size: u64,
    /// As given at the upload.
    pub content_type: Option<String>,
    /// Changes with the content; not a checksum that means anything.
    pub etag: Option<String>,
    /// When it was written.
    pub modified: Option<OffsetDateTime>,
}

impl Objects {
    /// A client for the configured bucket. Nothing is sent yet.
    pub fn connect(config: &ObjectsConfig) -> Self {
        let key = config.key.expose_secret();
        let credentials = Credentials::new(&config.key_id, key, None, None, "settings");
        let retries = RetryConfig::standard()
            .with_max_attempts(config.max_retries.saturating_add(1))
            .with_initial_backoff(config.backoff)
            .with_max_backoff(config.backoff_max);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .read_timeout(ANSWER)
            .build();
        let sdk = Config::builder()
            .behavior_version_latest()
            .endpoint_url(&config.endpoint_url)
            .region(Region::new(config.region()))
            .credentials_provider(credentials)
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .retry_config(retries)
            .timeout_config(timeouts)
            .stalled_stream_protection(
                StalledStreamProtectionConfig::enabled()
                    .grace_period(STALL)
                    .build(),
            )
            .build();
        Self {
            client: Client::from_conf(sdk),
            bucket: config.bucket.clone(),
        }
    }

    /// Whether the bucket answers.
    #[tracing::instrument(level = "debug", name = "objects.ping", skip_all, fields(otel.kind = "client"))]
    pub async fn ping(&self) -> Result<(), ObjectsError> {
        let call = self.client.head_bucket().bucket(&self.bucket);
        call.send()
            .await
            .map_err(|e| ObjectsError::of("reach", &self.bucket, e))?;
        Ok(())
    }

    /// Writes an object.
    #[tracing::instrument(level = "debug", name = "objects.put", skip_all, fields(otel.kind = "client"))]
    pub async fn put(
        &self,
        key: &str,
        body: Bytes,
        content_type: &str,
    ) -> Result<(), ObjectsError> {
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        call.content_type(content_type)
            .body(ByteStream::from(body))
            .send()
            .await
            .map_err(|e| ObjectsError::of("write", key, e))?;
        Ok(())
    }

    /// Reads a whole object of at most `limit` bytes.
    #[tracing::instrument(level = "debug", name = "objects.get", skip_all, fields(otel.kind = "client"))]
    pub async fn get(&self, key: &str, limit: u64) -> Result<Bytes, ObjectsError> {
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = call
            .send()
            .await
            .map_err(|e| ObjectsError::of("read", key, e))?;
        let announced = announced(answer.content_length);
        collect(key, answer.body, announced, limit).await
    }

    /// Reads a part of an object: less than asked for where the object ends before the range.
    #[tracing::instrument(level = "debug", name = "objects.get_range", skip_all, fields(otel.kind = "client"))]
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Bytes, ObjectsError> {
        let Some(last) = range.end.checked_sub(1).filter(|last| *last >= range.start) else {
            return Ok(Bytes::new());
        };
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        let call = call.range(format!("bytes={}-{last}", range.start));
        let answer = call
            .send()
            .await
            .map_err(|e| ObjectsError::of("read", key, e))?;
        let announced = announced(answer.content_length);
        // A server that ignores the range would send everything: the limit catches it.
        collect(key, answer.body, announced, range.end - range.start).await
    }

    /// Size, type and tag of an object.
    #[tracing::instrument(level = "debug", name = "objects.head", skip_all, fields(otel.kind = "client"))]
    pub async fn head(&self, key: &str) -> Result<ObjectHead, ObjectsError> {
        let call = self.client.head_object().bucket(&self.bucket).key(key);
        let answer = call
            .send()
            .await
            .map_err(|e| ObjectsError::of("look at", key, e))?;
        Ok(ObjectHead {
            size: announced(answer.content_length).unwrap_or_default(),
            modified: answer.last_modified.as_ref().and_then(moment),
            content_type: answer.content_type,
            etag: answer.e_tag,
        })
    }
}

/// The SDK's time as ours.
pub(crate) fn moment(stamp: &aws_sdk_s3::primitives::DateTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(stamp.as_nanos()).ok()
}

fn announced(length: Option<i64>) -> Option<u64> {
    length.and_then(|length| u64::try_from(length).ok())
}

async fn collect(
    key: &str,
    body: ByteStream,
    announced: Option<u64>,
    limit: u64,
) -> Result<Bytes, ObjectsError> {
    let expected = announced.unwrap_or(limit);
    if expected > limit {
        return Err(ObjectsError::TooLarge {
            key: key.to_owned(),
            limit,
        });
    }
    let deadline = ANSWER + Duration::from_secs(expected / SLOWEST);
    let bytes = timeout(deadline, drain(key, body, expected, limit))
        .await
        .map_err(|_| ObjectsError::Slow {
            key: key.to_owned(),
        })??;
    let got = bytes.len() as u64;
    match announced {
        Some(expected) if got != expected => Err(ObjectsError::Short {
            key: key.to_owned(),
            got,
            expected,
        }),
        _ => Ok(bytes),
    }
}

async fn drain(
    key: &str,
    mut body: ByteStream,
    expected: u64,
    limit: u64,
) -> Result<Bytes, ObjectsError> {
    // An announcement is a hint, not a reason to reserve gigabytes.
    let hint = usize::try_from(expected.min(8 << 20)).unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(hint);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|source| ObjectsError::Body {
            key: key.to_owned(),
            source,
        })?;
        if (bytes.len() + piece.len()) as u64 > limit {
            return Err(ObjectsError::TooLarge {
                key: key.to_owned(),
                limit,
            });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}
