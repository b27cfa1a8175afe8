//! Posts what is due, as Backblaze does: signed, three seconds to answer, only 200 counts, and the
//! same event id at every repetition.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode, redirect};
use serde::Serialize;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::events::Events;
use super::{LocalError, Notify};
use crate::notification::{BucketEvent, SIGNATURE_HEADER, sign};

const ANSWER: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Deliver {
    notify: Notify,
    events: Arc<Events>,
    http: Client,
}

#[derive(Serialize)]
struct Body<'a> {
    events: [&'a BucketEvent; 1],
}

impl Deliver {
    pub(super) fn new(notify: Notify, events: Arc<Events>) -> Result<Self, LocalError> {
        let http = Client::builder()
            .timeout(ANSWER)
            .redirect(redirect::Policy::none())
            // The door is on this machine: a proxy of the environment has no business there.
            .no_proxy()
            .build()?;
        Ok(Self {
            notify,
            events,
            http,
        })
    }

    /// Delivers until it is told to stop.
    pub(super) async fn run(&self, stop: &CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let left = tokio::select! {
                () = stop.cancelled() => return,
                left = self.pass() => left,
            };
            let quiet = match left {
                Ok(0) => {
                    pause = FIRST_PAUSE;
                    None
                }
                Ok(left) => {
                    debug!(left, "notifications were not accepted");
                    Some(pause)
                }
                Err(error) => {
                    warn!(%error, "the notification spool cannot be used");
                    Some(pause)
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.events.changed.notified() => {}
                () = async { sleep(quiet.unwrap_or_default()).await }, if quiet.is_some() => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Tries everything that is due once, and answers how much of it is still due.
    async fn pass(&self) -> io::Result<usize> {
        self.events.recover().await?;
        let mut left = 0;
        for event in self.events.due().await? {
            if self.post(&event).await? {
                self.events.delivered(&event).await?;
            } else {
                left += 1;
            }
        }
        Ok(left)
    }

    async fn post(&self, event: &BucketEvent) -> io::Result<bool> {
        let body = serde_json::to_vec(&Body { events: [event] })?;
        let answer = self
            .http
            .post(self.notify.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE_HEADER, sign(&self.notify.secret, &body))
            .body(body)
            .send()
            .await;
        Ok(match answer {
            Ok(answer) if answer.status() == StatusCode::OK => true,
            Ok(answer) => {
                warn!(event.id = %event.event_id, status = answer.status().as_u16(),
                    "the door refused notification {}", event.event_id);
                false
            }
            Err(error) => {
                debug!(event.id = %event.event_id, error = %error.without_url(),
                    "the door does not answer");
                false
            }
        })
    }
}
