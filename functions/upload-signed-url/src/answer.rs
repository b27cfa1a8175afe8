//! What callers are answered.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Serialize;
use shared_domain::VideoId;
use shared_objects::Presigned;
use shared_runtime::{Reply, Response};
use time::OffsetDateTime;

/// An answer of this door.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 201: the video and where to put it.
    Created(Box<Created>),
    /// 200: parts that have arrived.
    Uploaded(Vec<Arrived>),
    /// 200: URLs of parts.
    Parts(Vec<Part>),
    /// 200: completed.
    Completed,
    /// 204: aborted.
    Aborted,
}

/// The video and where to put it.
#[derive(Debug, Clone, Serialize)]
pub struct Created {
    /// The new video, or the one that the same key made before.
    pub video_id: VideoId,
    /// Its key in storage.
    pub object_key: String,
    /// How to put the bytes there.
    pub upload: Upload,
    /// What the check will take.
    pub estimate: Estimate,
    /// When the URLs stop working.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// What the check will take, as far as it can be known before the bytes are here.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Estimate {
    /// Minutes that will be reserved; absent while the duration is unknown.
    pub minutes: Option<u64>,
}

impl Estimate {
    /// Of a video that lasts so long, as the client says.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number that is no duration becomes 0"
    )]
    pub(crate) fn of(seconds: Option<f64>) -> Self {
        let minutes = |seconds: f64| (seconds / 60.0).ceil().max(0.0) as u64;
        Self {
            minutes: seconds.map(minutes),
        }
    }
}

/// How to put the bytes into storage.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Upload {
    /// One PUT.
    Single {
        /// `PUT`.
        method: String,
        /// Signed; size and type are part of the signature.
        url: String,
        /// Headers to send exactly so.
        headers: BTreeMap<String, String>,
    },
    /// Parts, each with its own PUT.
    Multipart {
        /// Storage's own id of the upload.
        upload_id: String,
        /// Bytes of every part but the last.
        part_size: u64,
        /// The first parts.
        parts: Vec<Part>,
        /// Where to ask for the other parts and for those that have arrived.
        more_parts_url: String,
        /// Where to say that all parts have arrived.
        complete_url: String,
        /// Where to give up.
        abort_url: String,
    },
}

/// The PUT of one part.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// From 1.
    pub number: u16,
    /// Signed; the size is part of the signature.
    pub url: String,
    /// Headers to send exactly so.
    pub headers: BTreeMap<String, String>,
}

/// A part that has arrived.
#[derive(Debug, Clone, Serialize)]
pub struct Arrived {
    /// From 1.
    pub number: u16,
    /// Bytes.
    pub size: u64,
}

impl From<Presigned> for Upload {
    fn from(put: Presigned) -> Self {
        let headers = put.headers.into_iter().collect();
        Self::Single {
            method: put.method,
            url: put.url,
            headers,
        }
    }
}

impl Reply for Answer {
    fn reply(self) -> Response {
        match self {
            Self::Created(created) => Response::json(StatusCode::CREATED, &created),
            Self::Uploaded(parts) => {
                Response::json(StatusCode::OK, &serde_json::json!({ "parts": parts }))
            }
            Self::Parts(parts) => {
                Response::json(StatusCode::OK, &serde_json::json!({ "parts": parts }))
            }
            Self::Completed => ().reply(),
            Self::Aborted => Response::typed(StatusCode::NO_CONTENT, "application/json", ""),
        }
    }
}
