//! An answer comes by webhook or by the poller.

use shared_domain::{PredictionFinished, PredictionId};
use shared_runtime::{Event, FromEvent, Malformed, Source, message};
use url::form_urlencoded;

/// How the answer came.
#[derive(Debug, Clone)]
pub enum Input {
    /// The provider posted it; the signature is checked over the event's raw body.
    Webhook(PredictionId),
    /// The poller fetched it.
    Polled(PredictionFinished),
}

impl FromEvent for Input {
    fn from_event(event: &Event) -> Result<Self, Malformed> {
        if let Some(finished) = message::<PredictionFinished>(event) {
            return finished.map(Self::Polled);
        }
        let Source::Request { query, .. } = &event.source else {
            return Err(Malformed("neither a request nor PredictionFinished".into()));
        };
        let id = form_urlencoded::parse(query.as_bytes())
            .find_map(|(name, value)| (name == "prediction").then(|| value.into_owned()))
            .ok_or_else(|| Malformed("the query names no prediction".into()))?;
        id.parse()
            .map(Self::Webhook)
            .map_err(|_| Malformed(format!("{id:?} is no prediction id")))
    }
}
