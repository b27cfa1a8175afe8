//! The predictions of this service: one JSON file each, replaced whole, so that a killed process
//! leaves either the old or the new state. Memory holds an index only.
//!
//! The surprise: ids sort by creation, so that the index is the queue, the list and the cursor.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;
use tokio::sync::watch;

use super::record::{Phase, Record};

/// What has to be known of a prediction without reading its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) phase: Phase,
    pub(super) created_at: OffsetDateTime,
    pub(super) completed_at: Option<OffsetDateTime>,
    pub(super) deadline: Option<OffsetDateTime>,
    pub(super) webhook_due: bool,
    pub(super) data_removed: bool,
}

impl From<&Record> for Entry {
    fn from(record: &Record) -> Self {
        Self {
            phase: record.phase,
            created_at: record.created_at,
            completed_at: record.completed_at,
            deadline: record.deadline,
            webhook_due: record.webhook_due,
            data_removed: record.data_removed,
        }
    }
}

/// The folder of predictions.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    index: Mutex<BTreeMap<String, Entry>>,
    /// Held while a file is read, changed and written.
    writing: tokio::sync::Mutex<()>,
    changes: watch::Sender<u64>,
}

impl Store {
    /// Opens the folder and reads what is in it; half-written files are removed.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let mut index = BTreeMap::new();
        for file in std::fs::read_dir(&folder)? {
            let path = file?.path();
            if path.extension().is_some_and(|end| end == "tmp") {
                std::fs::remove_file(&path)?;
            } else if let Some(record) = parse(&std::fs::read(&path)?, &path) {
                index.insert(record.id.clone(), Entry::from(&record));
            }
        }
        let (changes, _) = watch::channel(0);
        Ok(Self {
            folder,
            index: Mutex::new(index),
            writing: tokio::sync::Mutex::default(),
            changes,
        })
    }

    /// Adds a prediction.
    pub(super) async fn insert(&self, record: &Record) -> io::Result<()> {
        let _held = self.writing.lock().await;
        self.write(record).await
    }

    /// The prediction, if it is there.
    pub(super) async fn find(&self, id: &str) -> io::Result<Option<Record>> {
        if !self.index().contains_key(id) {
            return Ok(None);
        }
        let path = self.path(id);
        match tokio::fs::read(&path).await {
            Ok(bytes) => Ok(parse(&bytes, &path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Changes a prediction; `false` from the closure leaves it as it is. Answers what it is then.
    pub(super) async fn update(
        &self,
        id: &str,
        change: impl FnOnce(&mut Record) -> bool,
    ) -> io::Result<Option<Record>> {
        let _held = self.writing.lock().await;
        let Some(mut record) = self.find(id).await? else {
            return Ok(None);
        };
        if change(&mut record) {
            self.write(&record).await?;
        }
        Ok(Some(record))
    }

    /// Forgets a prediction.
    pub(super) async fn remove(&self, id: &str) -> io::Result<()> {
        let _held = self.writing.lock().await;
        tokio::fs::remove_file(self.path(id)).await?;
        self.index().remove(id);
        Ok(())
    }

    /// The ids that a condition holds for, oldest first.
    pub(super) fn select(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<String> {
        let index = self.index();
        index
            .iter()
            .filter(|(_, entry)| wanted(entry))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Up to `most` ids below `before`, newest first.
    pub(super) fn older(
        &self,
        before: Option<&str>,
        most: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Vec<String> {
        let index = self.index();
        let below = index
            .iter()
            .rev()
            .filter(|(id, _)| before.is_none_or(|b| id.as_str() < b));
        below
            .filter(|(_, entry)| wanted(entry))
            .take(most)
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Up to `most` ids above `after`, newest first.
    pub(super) fn newer(
        &self,
        after: &str,
        most: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Vec<String> {
        let index = self.index();
        let above = index
            .iter()
            .filter(|(id, entry)| id.as_str() > after && wanted(entry));
        let mut ids: Vec<String> = above.take(most).map(|(id, _)| id.clone()).collect();
        ids.reverse();
        ids
    }

    /// Where a prediction stands.
    pub(super) fn phase(&self, id: &str) -> Option<Phase> {
        self.index().get(id).map(|entry| entry.phase)
    }

    /// Ticks at every change of any prediction.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// A kill leaves the old or the new file; only a power cut could lose both, and then the caller
    /// asks again.
    async fn write(&self, record: &Record) -> io::Result<()> {
        let path = self.path(&record.id);
        let temporary = path.with_extension("tmp");
        tokio::fs::write(&temporary, serde_json::to_vec(record)?).await?;
        tokio::fs::rename(&temporary, &path).await?;
        self.index().insert(record.id.clone(), Entry::from(record));
        self.changes
            .send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn index(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(bytes: &[u8], path: &Path) -> Option<Record> {
    let record = serde_json::from_slice(bytes);
    record
        .inspect_err(|e| tracing::warn!("{} is no prediction: {e}", path.display()))
        .ok()
}
