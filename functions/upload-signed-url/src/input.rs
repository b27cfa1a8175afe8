//! What callers may ask.

use http::Method;
use serde::Deserialize;
use shared_domain::{ProjectId, Refusal, VideoId};
use shared_runtime::{Event, FromEvent, Malformed, Source};

use crate::{Error, Limits};

/// One call at this door.
#[derive(Debug, Clone)]
pub enum Input {
    /// A new video.
    Create(Create),
    /// Which parts have arrived?
    Uploaded(VideoId),
    /// URLs for these parts.
    MoreParts(VideoId, PartNumbers),
    /// All parts have arrived.
    Complete(VideoId),
    /// The upload is given up.
    Abort(VideoId),
}

/// A new video.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// Where it belongs.
    pub project_id: ProjectId,
    /// The file's name on the client's disk: data, never a path of ours.
    pub original_name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// MIME type; what browsers leave empty is `application/octet-stream`.
    #[serde(default)]
    pub content_type: String,
    /// SHA-256 of the file in lower-case hex, when the client knows it.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The version before, of the same project; without it the newest of the same name is meant.
    #[serde(default)]
    pub previous_video_id: Option<VideoId>,
    /// Seconds, when the client knows: makes the estimate possible.
    #[serde(default)]
    pub duration_seconds: Option<f64>,
}

/// Numbers of parts, from 1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartNumbers {
    /// At most 100 a call.
    pub numbers: Vec<u16>,
}

impl FromEvent for Input {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        let Source::Request { method, path, .. } = &event.source else {
            return Err(Malformed("this function answers requests only".into()));
        };
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        let video = |text: &str| {
            text.parse::<VideoId>()
                .map_err(|_| Malformed(format!("{text:?} is no video id")))
        };
        match (method, segments.as_slice()) {
            (&Method::POST, []) => Ok(Self::Create(event.json()?)),
            (&Method::GET, [id, "parts"]) => Ok(Self::Uploaded(video(id)?)),
            (&Method::POST, [id, "parts"]) => Ok(Self::MoreParts(video(id)?, event.json()?)),
            (&Method::POST, [id, "complete"]) => Ok(Self::Complete(video(id)?)),
            (&Method::DELETE, [id]) => Ok(Self::Abort(video(id)?)),
            _ => Err(Malformed(format!("there is no {method} {path:?} here"))),
        }
    }
}

impl Create {
    /// Checks every field; answers the file's ending in lower case.
    pub(crate) fn check(&self, limits: &Limits) -> Result<String, Error> {
        let name = &self.original_name;
        if name.trim().is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Err(Error::Field {
                field: "original_name",
                must: [
                    "от 1 до 255 байт, без управляющих символов",
                    "1 to 255 bytes, without control characters",
                ],
            });
        }
        let ext = name
            .rsplit_once('.')
            .map(|(_, ext)| ext.to_lowercase())
            .unwrap_or_default();
        if !limits.formats.contains(&ext) {
            let allowed = limits.formats.clone();
            return Err(Error::Refused(Refusal::FormatNotAllowed {
                given: ext,
                allowed,
            }));
        }
        match self.size_bytes {
            0 => return Err(Error::Refused(Refusal::Empty)),
            bytes if bytes > limits.max_bytes => {
                return Err(Error::Refused(Refusal::TooLarge {
                    bytes,
                    limit: limits.max_bytes,
                }));
            }
            _ => {}
        }
        let hex = |sha: &String| {
            sha.len() == 64 && sha.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !self.sha256.as_ref().is_none_or(hex) {
            return Err(Error::Field {
                field: "sha256",
                must: [
                    "64 шестнадцатеричные цифры в нижнем регистре",
                    "64 lower-case hex digits",
                ],
            });
        }
        let kind = self.content_type();
        if kind.len() > 100
            || !kind
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/.+-".contains(&b))
        {
            return Err(Error::Field {
                field: "content_type",
                must: [
                    "тип MIME, например video/mp4",
                    "a MIME type such as video/mp4",
                ],
            });
        }
        Ok(ext)
    }

    /// The MIME type to store.
    pub(crate) fn content_type(&self) -> &str {
        if self.content_type.is_empty() {
            "application/octet-stream"
        } else {
            &self.content_type
        }
    }
}
