//! The objects as files: where they lie, how they are listed and read.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use s3s::dto::{ETag, StreamingBlob, Timestamp};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};
use tokio_util::io::ReaderStream;

/// Each read of a file is a trip to another thread: few and large ones.
pub(super) const CHUNK: usize = 256 * 1024;

/// The folder of the one bucket.
#[derive(Debug, Clone)]
pub(super) struct Files {
    store: PathBuf,
    name: String,
}

/// One object of a listing.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) modified: Timestamp,
}

impl Files {
    pub(super) fn new(root: &Path, bucket: &str) -> Self {
        Self {
            store: root.join("store"),
            name: bucket.to_owned(),
        }
    }

    /// The same bucket in another folder.
    pub(super) fn aside(&self, store: PathBuf) -> Self {
        Self {
            store,
            name: self.name.clone(),
        }
    }

    /// The folder handed to `s3s-fs`.
    pub(super) fn store(&self) -> &Path {
        &self.store
    }

    pub(super) fn bucket_name(&self) -> &str {
        &self.name
    }

    pub(super) fn bucket(&self) -> PathBuf {
        self.store.join(&self.name)
    }

    /// Where an object lies. The key has passed `check_key`.
    pub(super) fn object(&self, key: &str) -> PathBuf {
        self.bucket().join(key)
    }

    /// The file of an object; a folder is none.
    pub(super) async fn find(&self, key: &str) -> io::Result<Option<std::fs::Metadata>> {
        match fs::metadata(self.object(key)).await {
            Ok(meta) => Ok(Some(meta).filter(std::fs::Metadata::is_file)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What `s3s-fs` keeps about an object beside the bucket; it leaves them behind on deletion.
    pub(super) fn sidecars(&self, key: &str) -> [PathBuf; 2] {
        let (bucket, key) = (url_base64(&self.name), url_base64(key));
        ["metadata", "internal"].map(|kind| {
            self.store
                .join(format!(".bucket-{bucket}.object-{key}.{kind}.json"))
        })
    }

    /// The tag that was noted when the object was written.
    pub(super) async fn tag(&self, key: &str) -> io::Result<Option<ETag>> {
        let [_, internal] = self.sidecars(key);
        let noted = match fs::read(internal).await {
            Err(error) if is_absent(&error) => return Ok(None),
            noted => noted?,
        };
        let noted: serde_json::Value = serde_json::from_slice(&noted)?;
        Ok(noted["e_tag"].as_str().map(|tag| ETag::Strong(tag.into())))
    }

    /// The objects under a prefix, in the order of their keys. Only folders that can hold some
    /// are read.
    pub(super) async fn list(&self, prefix: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let start = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        if start
            .split('/')
            .any(|segment| matches!(segment, "." | ".."))
        {
            return Ok(entries);
        }
        let mut folders = VecDeque::from([start.trim_matches('/').to_owned()]);
        while let Some(folder) = folders.pop_front() {
            let mut files = match fs::read_dir(self.object(&folder)).await {
                Ok(files) => files,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(error),
            };
            while let Some(file) = files.next_entry().await? {
                let Ok(name) = file.file_name().into_string() else {
                    continue;
                };
                let key = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                if file.file_type().await?.is_dir() {
                    if key.starts_with(prefix) || prefix.starts_with(&key) {
                        folders.push_back(key);
                    }
                } else if key.starts_with(prefix) {
                    let Ok(meta) = file.metadata().await else {
                        continue;
                    };
                    let modified = Timestamp::from(meta.modified()?);
                    entries.push(Entry {
                        key,
                        size: meta.len(),
                        modified,
                    });
                }
            }
        }
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(entries)
    }

    /// Makes an object survive a power cut.
    pub(super) async fn sync(&self, key: &str) -> io::Result<()> {
        File::open(self.object(key)).await?.sync_all().await
    }
}

/// A stretch of a file as a body.
pub(super) async fn stream(mut file: File, start: u64, length: u64) -> io::Result<StreamingBlob> {
    file.seek(SeekFrom::Start(start)).await?;
    Ok(StreamingBlob::wrap(ReaderStream::with_capacity(
        file.take(length),
        CHUNK,
    )))
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn url_base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
