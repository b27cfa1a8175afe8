//! A run, live: server-sent events from the record. Works whoever does the work, and after a
//! reconnection goes on with the present state.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use http::HeaderMap;
use serde_json::Value;
use shared_domain::{Lang, Step, VideoId};
use shared_store::StoreError;

use crate::auth::{Caller, lang};
use crate::videos::about;
use crate::{Error, Inner};

/// How often the record is looked at.
const LOOK: Duration = Duration::from_millis(700);

struct Watch {
    inner: Arc<Inner>,
    id: VideoId,
    lang: Lang,
    looked: bool,
    last: Option<Value>,
    ended: bool,
}

/// `GET /api/videos/{id}/progress/`: one `progress` event per change, the last with a final status.
pub(crate) async fn progress(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
    Path(id): Path<VideoId>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    inner.video(&user, id).await?;
    let watch = Watch {
        inner,
        id,
        lang: lang(&headers),
        looked: false,
        last: None,
        ended: false,
    };
    let events = stream::unfold(watch, |watch| async move { watch.next().await });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

impl Watch {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        while !self.ended {
            if std::mem::replace(&mut self.looked, true) {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    // The page comes back by itself, to whoever serves then.
                    () = self.inner.stop.cancelled() => return None,
                }
            }
            // A database that is away for a moment is no news for the page.
            let Ok(now) = self.look().await else { continue };
            if self.last.as_ref() != Some(&now) {
                let event = Event::default().event("progress").data(now.to_string());
                self.last = Some(now);
                return Some((Ok(event), self));
            }
        }
        None
    }

    async fn look(&mut self) -> Result<Value, StoreError> {
        let video = self.inner.store.video(self.id).await?;
        let mut now = about(&self.inner.store, &video, self.lang).await?;
        if let Some(run) = self.inner.store.latest_execution(self.id).await? {
            let counts = self.inner.store.task_counts(run.execution_id).await?;
            now["tasks"] = counts
                .iter()
                .map(
                    |c| serde_json::json!({ "task": c.task, "planned": c.planned, "done": c.done }),
                )
                .collect();
        }
        self.ended = matches!(
            video.step,
            Step::Verification | Step::Completed | Step::Failed | Step::Expired
        );
        Ok(now)
    }
}
