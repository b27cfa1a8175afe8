//! The spool of notifications: written down before the object can be seen, kept until delivered.
//!
//! An intent is a file in `events/pending`. When the object is there it moves to `events/due`; when
//! nothing came of it, it is removed. A request that is dropped half-way, or a killed process,
//! leaves its intent behind: [`Events::recover`] then asks the disk whether the object came to be.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use shared_domain::{Clock, Ids, SystemClock, SystemIds};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;

use super::files::{Files, is_absent};
use crate::notification::BucketEvent;

#[derive(Debug)]
pub(super) struct Events {
    pending: PathBuf,
    due: PathBuf,
    files: Files,
    prefix: String,
    /// Intents whose request is still running.
    running: Mutex<HashSet<String>>,
    /// Something may have become due.
    pub(super) changed: Notify,
}

/// A notification that becomes due with its object.
#[derive(Debug)]
pub(super) struct Intent {
    events: Arc<Events>,
    event: BucketEvent,
}

impl Events {
    pub(super) fn new(root: &Path, files: Files, prefix: String) -> Self {
        Self {
            pending: root.join("events/pending"),
            due: root.join("events/due"),
            files,
            prefix,
            running: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Writes down that an object is about to come to be.
    pub(super) async fn begin(
        self: &Arc<Self>,
        key: &str,
        event_type: &str,
    ) -> io::Result<Option<Intent>> {
        if !key.starts_with(&self.prefix) {
            return Ok(None);
        }
        let event = BucketEvent {
            event_id: SystemIds.next().to_string(),
            event_type: event_type.to_owned(),
            event_timestamp: i64::try_from(SystemClock.now().unix_timestamp_nanos() / 1_000_000)
                .unwrap_or_default(),
            event_version: 1,
            account_id: "embedded".to_owned(),
            bucket_id: "embedded".to_owned(),
            bucket_name: self.files.bucket_name().to_owned(),
            matched_rule_name: "uploads".to_owned(),
            object_name: Some(key.to_owned()),
            object_size: None,
            object_version_id: Some("null".to_owned()),
        };
        self.running().insert(event.event_id.clone());
        let intent = Intent {
            events: self.clone(),
            event,
        };
        write(&self.pending, &intent.event).await?;
        Ok(Some(intent))
    }

    /// The notifications to deliver, oldest first.
    pub(super) async fn due(&self) -> io::Result<Vec<BucketEvent>> {
        read_all(&self.due).await
    }

    /// Forgets a notification that was delivered.
    pub(super) async fn delivered(&self, event: &BucketEvent) -> io::Result<()> {
        remove(&self.due, event).await
    }

    /// Settles the intents that nobody works on any more.
    pub(super) async fn recover(&self) -> io::Result<()> {
        for event in read_all(&self.pending).await? {
            if !self.running().contains(&event.event_id) {
                self.settle(event).await?;
            }
        }
        Ok(())
    }

    async fn settle(&self, mut event: BucketEvent) -> io::Result<()> {
        let intended = match fs::metadata(file(&self.pending, &event)).await {
            Ok(intent) => intent.modified()?,
            // Settled by its own request in the meantime.
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let key = event.object_name.as_deref().unwrap_or_default();
        // Both times are of the same disk. An older object is what this intent failed to replace.
        if let Some(object) = self.files.find(key).await?
            && object.modified()? >= intended
        {
            event.object_size = Some(object.len());
            write(&self.due, &event).await?;
        }
        remove(&self.pending, &event).await
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intent {
    /// The object is there: the notification is due.
    pub(super) async fn commit(self) -> io::Result<()> {
        self.events.settle(self.event.clone()).await
    }

    /// Nothing came of it.
    pub(super) async fn cancel(self) -> io::Result<()> {
        remove(&self.events.pending, &self.event).await
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        self.events.running().remove(&self.event.event_id);
        self.events.changed.notify_one();
    }
}

fn file(folder: &Path, event: &BucketEvent) -> PathBuf {
    // The id is our own, or one read back from the folder.
    folder.join(format!("{}.json", event.event_id))
}

async fn write(folder: &Path, event: &BucketEvent) -> io::Result<()> {
    let path = file(folder, event);
    let half = path.with_extension("tmp");
    let mut out = File::create(&half).await?;
    out.write_all(&serde_json::to_vec(event)?).await?;
    out.sync_all().await?;
    fs::rename(&half, &path).await
}

async fn remove(folder: &Path, event: &BucketEvent) -> io::Result<()> {
    match fs::remove_file(file(folder, event)).await {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

async fn read_all(folder: &Path) -> io::Result<Vec<BucketEvent>> {
    let mut events = Vec::new();
    let mut files = fs::read_dir(folder).await?;
    while let Some(entry) = files.next_entry().await? {
        let path = entry.path();
        if path.extension().is_none_or(|ext| ext != "json") {
            continue;
        }
        match fs::read(&path).await {
            Ok(bytes) => events.push(serde_json::from_slice::<BucketEvent>(&bytes)?),
            // Settled in the meantime.
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    // Ids begin with their time.
    events.sort_by(|a, b| a.event_id.cmp(&b.event_id));
    Ok(events)
}
