//! Uploads in parts, each a folder: `upload.json` and one file per part, its tag in its name.
//!
//! Nothing of an upload is removed before its object lies in the store, so a kill during
//! completion costs a repetition, never the upload.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt, TryStreamExt, stream};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{StreamingBlob, Timestamp};
use serde::{Deserialize, Serialize};
use shared_domain::{Clock, Ids, SystemClock, SystemIds};
use tokio::fs::{self, File};
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::files::{CHUNK, is_absent};

/// An upload that got no part for so long is left: its URLs have run out, and whoever comes back
/// begins anew (`upload-signed-url` lets a video wait for a day).
const LEFT: std::time::Duration = std::time::Duration::from_hours(24);

#[derive(Debug)]
pub(super) struct Uploads {
    root: PathBuf,
    writes: AtomicU64,
}

/// What was said when an upload began; it becomes the object's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) content_type: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) metadata: Option<s3s::dto::Metadata>,
}

/// A part on disk.
#[derive(Debug, Clone)]
pub(super) struct StoredPart {
    pub(super) number: u16,
    pub(super) etag: String,
    pub(super) size: u64,
    pub(super) modified: Timestamp,
    path: PathBuf,
}

impl Uploads {
    /// Opens the folder, without the uploads that a kill cut off at their beginning or end, and
    /// without those that were left.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = root.join("uploads");
        let left_before = std::time::SystemTime::from(SystemClock.now()) - LEFT;
        for entry in std::fs::read_dir(&root)? {
            let folder = entry?.path();
            // Each part that comes changes its folder.
            let changed = std::fs::metadata(&folder)?.modified()?;
            if !folder.join("upload.json").try_exists()? || changed < left_before {
                std::fs::remove_dir_all(&folder)?;
            }
        }
        Ok(Self {
            root,
            writes: AtomicU64::new(0),
        })
    }

    pub(super) async fn create(&self, upload: &Upload) -> io::Result<String> {
        let id = SystemIds.next().to_string();
        let folder = self.root.join(&id);
        fs::create_dir(&folder).await?;
        let half = folder.join("upload.tmp");
        fs::write(&half, serde_json::to_vec(upload)?).await?;
        fs::rename(half, folder.join("upload.json")).await?;
        Ok(id)
    }

    /// The upload, unless it was never begun, is over, or is that of another key.
    pub(super) async fn find(&self, id: &str, key: &str) -> io::Result<Option<Upload>> {
        let Some(folder) = self.folder(id) else {
            return Ok(None);
        };
        Ok(read(&folder)
            .await?
            .map(|(upload, _)| upload)
            .filter(|upload| upload.key == key))
    }

    /// Stores a part and answers its tag, or `None` when the body is not what its digest said.
    /// A part of the same number is replaced.
    pub(super) async fn put_part(
        &self,
        id: &str,
        number: u16,
        mut body: StreamingBlob,
        expected_md5: Option<&[u8]>,
    ) -> io::Result<Option<String>> {
        let Some(folder) = self.folder(id) else {
            return Ok(None);
        };
        let turn = self.writes.fetch_add(1, Ordering::Relaxed);
        let half = Half(folder.join(format!("{turn}.tmp")));
        let mut out = BufWriter::with_capacity(CHUNK, File::create(&half.0).await?);
        let mut md5 = Md5::new();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(io::Error::other)?;
            md5.update(&piece);
            out.write_all(&piece).await?;
        }
        out.flush().await?;
        let digest = md5.finalize();
        if expected_md5.is_some_and(|expected| expected != digest) {
            return Ok(None);
        }
        let etag = hex::encode(digest);
        let path = folder.join(format!("{number:05}-{etag}.part"));
        fs::rename(&half.0, &path).await?;
        for (_, old) in part_files(&folder)
            .await?
            .into_iter()
            .filter(|(n, _)| *n == number)
        {
            if old != path {
                remove_file(&old).await?;
            }
        }
        Ok(Some(etag))
    }

    /// The parts that are there, by number.
    pub(super) async fn parts(&self, id: &str) -> io::Result<BTreeMap<u16, StoredPart>> {
        let mut parts: BTreeMap<u16, StoredPart> = BTreeMap::new();
        let Some(folder) = self.folder(id) else {
            return Ok(parts);
        };
        for (number, path) in part_files(&folder).await? {
            let meta = match fs::metadata(&path).await {
                Err(error) if is_absent(&error) => continue,
                meta => meta?,
            };
            let stem = path
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            let part = StoredPart {
                number,
                etag: stem.split_once('-').map_or("", |(_, etag)| etag).to_owned(),
                size: meta.len(),
                modified: Timestamp::from(meta.modified()?),
                path,
            };
            // Two of one number are left by a kill between rename and removal: the newer counts.
            if parts
                .get(&number)
                .is_none_or(|other| other.modified < part.modified)
            {
                parts.insert(number, part);
            }
        }
        Ok(parts)
    }

    /// Ends an upload, whichever way.
    pub(super) async fn remove(&self, id: &str) -> io::Result<()> {
        let Some(folder) = self.folder(id) else {
            return Ok(());
        };
        // Without its description it is over, even if a kill leaves the rest of the folder.
        remove_file(&folder.join("upload.json")).await?;
        match fs::remove_dir_all(folder).await {
            Err(error) if !is_absent(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The open uploads under a prefix, by key and id.
    pub(super) async fn list(&self, prefix: &str) -> io::Result<Vec<(Upload, String, Timestamp)>> {
        let mut uploads = Vec::new();
        let mut folders = fs::read_dir(&self.root).await?;
        while let Some(entry) = folders.next_entry().await? {
            let Ok(id) = entry.file_name().into_string() else {
                continue;
            };
            if let Some((upload, begun)) = read(&entry.path()).await?
                && upload.key.starts_with(prefix)
            {
                uploads.push((upload, id, begun));
            }
        }
        uploads.sort_by(|a, b| (&a.0.key, &a.1).cmp(&(&b.0.key, &b.1)));
        Ok(uploads)
    }

    /// The folder of an upload; an id that we did not make has none.
    fn folder(&self, id: &str) -> Option<PathBuf> {
        let uuid = Uuid::parse_str(id).ok()?;
        Some(self.root.join(uuid.to_string()))
    }
}

/// One body of many parts, read as it is wanted.
pub(super) fn join(parts: Vec<StoredPart>) -> StreamingBlob {
    let pieces = stream::iter(parts)
        .then(|part| File::open(part.path))
        .map_ok(|file| ReaderStream::with_capacity(file, CHUNK))
        .try_flatten();
    StreamingBlob::wrap(pieces)
}

/// A file that is removed unless it was renamed: a broken upload leaves nothing.
struct Half(PathBuf);

impl Drop for Half {
    fn drop(&mut self) {
        // Absent is the usual case: it was renamed.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn read(folder: &Path) -> io::Result<Option<(Upload, Timestamp)>> {
    let path = folder.join("upload.json");
    match fs::read(&path).await {
        Ok(bytes) => {
            let begun = fs::metadata(&path).await?.modified()?;
            Ok(Some((
                serde_json::from_slice(&bytes)?,
                Timestamp::from(begun),
            )))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn part_files(folder: &Path) -> io::Result<Vec<(u16, PathBuf)>> {
    let mut parts = Vec::new();
    let mut files = match fs::read_dir(folder).await {
        Err(error) if is_absent(&error) => return Ok(parts),
        files => files?,
    };
    while let Some(entry) = files.next_entry().await? {
        let path = entry.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let number = name
            .strip_suffix(".part")
            .and_then(|name| name.split_once('-'));
        if let Some(number) = number.and_then(|(number, _)| number.parse().ok()) {
            parts.push((number, path));
        }
    }
    Ok(parts)
}

async fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path).await {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}
