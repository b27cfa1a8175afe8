//! Uploaded files: the bytes and a JSON file of facts beside them. The facts are written last: a file
//! without them does not exist.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::io::AsyncWriteExt;

use super::record::{moment, origin};

/// The facts of an uploaded file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) size: u64,
    pub(super) sha256: String,
    pub(super) metadata: Value,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub(super) expires_at: OffsetDateTime,
}

impl Facts {
    /// The file object of the API.
    pub(super) fn view(&self, base: &str) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "content_type": self.content_type,
            "size": self.size,
            "etag": self.sha256,
            "checksums": { "sha256": self.sha256 },
            "metadata": self.metadata,
            "created_at": moment(self.created_at),
            "expires_at": moment(self.expires_at),
            "urls": { "get": format!("{}/v1/files/{}", origin(base), self.id) },
        })
    }
}

/// The folder of files.
#[derive(Debug)]
pub(super) struct FileStore {
    folder: PathBuf,
}

/// A file that is being received.
#[derive(Debug)]
pub(super) struct Receiving {
    file: tokio::fs::File,
    hash: Sha256,
    pub(super) size: u64,
}

impl Receiving {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.size += bytes.len() as u64;
        self.hash.update(bytes);
        self.file.write_all(bytes).await
    }

    /// The checksum, once the last byte is on the disk.
    pub(super) async fn finish(mut self) -> io::Result<String> {
        self.file.flush().await?;
        Ok(hex::encode(self.hash.finalize()))
    }
}

impl FileStore {
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let store = Self { folder };
        // What an interrupted upload has left.
        for file in std::fs::read_dir(&store.folder)? {
            let path = file?.path();
            if !path.with_extension("json").exists() {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(store)
    }

    pub(super) async fn receive(&self, id: &str) -> io::Result<Receiving> {
        let file = tokio::fs::File::create(self.content(id)).await?;
        Ok(Receiving {
            file,
            hash: Sha256::new(),
            size: 0,
        })
    }

    pub(super) async fn insert(&self, facts: &Facts) -> io::Result<()> {
        let path = self.facts(&facts.id);
        let temporary = path.with_extension("tmp");
        tokio::fs::write(&temporary, serde_json::to_vec(facts)?).await?;
        tokio::fs::rename(&temporary, &path).await
    }

    /// The facts, if the file is there.
    pub(super) async fn find(&self, id: &str) -> io::Result<Option<Facts>> {
        match tokio::fs::read(self.facts(id)).await {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The ids of every file, newest first.
    pub(super) async fn ids(&self) -> io::Result<Vec<String>> {
        let mut folder = tokio::fs::read_dir(&self.folder).await?;
        let mut ids = Vec::new();
        while let Some(file) = folder.next_entry().await? {
            let name = file.file_name().into_string().unwrap_or_default();
            ids.extend(name.strip_suffix(".json").map(str::to_owned));
        }
        ids.sort_unstable_by(|a, b| b.cmp(a));
        Ok(ids)
    }

    pub(super) async fn content_of(&self, id: &str) -> io::Result<Vec<u8>> {
        tokio::fs::read(self.content(id)).await
    }

    /// Removes the file; the facts go first, so that no file is ever there without its bytes.
    pub(super) async fn remove(&self, id: &str) -> io::Result<()> {
        tokio::fs::remove_file(self.facts(id)).await?;
        tokio::fs::remove_file(self.content(id)).await
    }

    /// Removes what a refused upload has written.
    pub(super) async fn discard(&self, id: &str) -> io::Result<()> {
        tokio::fs::remove_file(self.content(id)).await
    }

    fn facts(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn content(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.bin"))
    }
}
