//! What can go wrong with object storage, sorted by whether another attempt may help.

use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// No server's advice to wait is followed for longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(64);

/// A failed call to object storage.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// There is no such object, or no such upload.
    #[error("{key} is not in object storage")]
    NotFound {
        /// What was asked for.
        key: String,
    },
    /// The object is larger than the caller is ready to hold.
    #[error("{key} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        key: String,
        /// The caller's limit.
        limit: u64,
    },
    /// The server understood and said no; asking again changes nothing.
    #[error("object storage refused to {action} {key} ({code}, status {status})")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// On which key.
        key: String,
        /// HTTP status; 0 when the request was never sent.
        status: u16,
        /// The server's error code.
        code: String,
        /// The client's own words.
        #[source]
        source: Box<aws_sdk_s3::Error>,
    },
    /// No answer, or one that says "later".
    #[error("object storage could not {action} {key} now")]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// On which key.
        key: String,
        /// The server's `Retry-After`, capped.
        retry_after: Option<Duration>,
        /// The client's own words.
        #[source]
        source: Box<aws_sdk_s3::Error>,
    },
    /// The answer broke off.
    #[error("{key} broke off while it was read")]
    Body {
        /// What was read.
        key: String,
        /// Why.
        #[source]
        source: aws_sdk_s3::primitives::ByteStreamError,
    },
    /// The answer was shorter than the server had announced.
    #[error("{key} ended after {got} of {expected} bytes")]
    Short {
        /// What was read.
        key: String,
        /// Bytes received.
        got: u64,
        /// Bytes announced.
        expected: u64,
    },
    /// The answer came too slowly.
    #[error("{key} came too slowly")]
    Slow {
        /// What was read.
        key: String,
    },
    /// A URL cannot be signed for so long, or for so short.
    #[error("a URL cannot be signed for that time")]
    Expiry(#[from] aws_sdk_s3::presigning::PresigningConfigError),
}

impl ObjectsError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. }
            | Self::Body { .. }
            | Self::Short { .. }
            | Self::Slow { .. } => true,
            Self::NotFound { .. }
            | Self::TooLarge { .. }
            | Self::Refused { .. }
            | Self::Expiry(_) => false,
        }
    }

    /// Whether a person has to act: bad key, missing capability, spending cap.
    pub fn is_denied(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 401..=403,
                ..
            }
        )
    }

    /// How long the server asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Sorts a failure of the client.
    pub(crate) fn of<E>(action: &'static str, key: &str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata,
        aws_sdk_s3::Error: From<SdkError<E, HttpResponse>>,
    {
        let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let retry_after = error
            .raw_response()
            .and_then(|raw| raw.headers().get("retry-after"))
            .and_then(|value| value.parse().ok())
            .map(|secs| Duration::from_secs(secs).min(LONGEST_WAIT));
        let later = match &error {
            SdkError::ConstructionFailure(_) => false,
            SdkError::DispatchFailure(failure) => !failure.is_user(),
            SdkError::ServiceError(_) => is_later(status, &code),
            // Time-outs, and answers that no S3 server would give.
            _ => true,
        };
        let key = key.to_owned();
        if status == 404 && code != "NoSuchBucket" {
            return Self::NotFound { key };
        }
        let source = Box::new(aws_sdk_s3::Error::from(error));
        if later {
            Self::Unavailable {
                action,
                key,
                retry_after,
                source,
            }
        } else {
            Self::Refused {
                action,
                key,
                status,
                code,
                source,
            }
        }
    }
}

/// `CompleteMultipartUpload` may fail inside a 200: there only the code tells.
fn is_later(status: u16, code: &str) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
        || matches!(
            code,
            "InternalError" | "SlowDown" | "ServiceUnavailable" | "RequestTimeout"
        )
}
