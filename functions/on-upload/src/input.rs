//! The three ways in which we learn that an object is there.

use shared_domain::{UploadCompleted, VideoId};
use shared_runtime::{Event, FromEvent, Malformed, Source, message};

/// How we learned of it.
#[derive(Debug, Clone)]
pub enum Input {
    /// Storage says so; the signature is checked over the event's raw body.
    Notification,
    /// The client says so.
    ByClient(VideoId),
    /// The sweeper found it.
    Swept(VideoId),
}

impl FromEvent for Input {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        if let Some(found) = message::<UploadCompleted>(event) {
            return Ok(Self::Swept(found?.video_id));
        }
        let Source::Request { path, .. } = &event.source else {
            return Err(Malformed("neither a request nor UploadCompleted".into()));
        };
        let segments: Vec<&str> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect();
        match segments.as_slice() {
            [] => Ok(Self::Notification),
            [id, "complete"] => {
                let id = id
                    .parse()
                    .map_err(|_| Malformed(format!("{id:?} is no video id")))?;
                Ok(Self::ByClient(id))
            }
            _ => Err(Malformed(format!("there is no {path:?} here"))),
        }
    }
}
