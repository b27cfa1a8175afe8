//! The video's bytes, read from storage by range in blocks of one MiB.
//!
//! A few recent blocks are remembered, because badly interleaved files make the demuxer jump to
//! and fro; nothing else is, so memory does not grow with the video.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use reqwest::{Client, StatusCode, Url, header};
use tokio::sync::OnceCell;

use crate::error::MediaError;

const BLOCK: u64 = 1 << 20;
const REMEMBERED: usize = 16;
const READ_AHEAD: usize = 3;
const ATTEMPTS: u32 = 6;

/// An object in storage: an address that honours `Range`, and its size.
#[derive(Clone)]
pub struct Source {
    /// A presigned GET address; secret, never logged.
    pub url: String,
    /// Bytes.
    pub size: u64,
    /// The tag that it was accepted with; an object with another one is another video.
    pub etag: Option<String>,
}

impl Source {
    /// A file of this machine, for the command line: no storage is asked.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let url = Url::from_file_path(&path).map_err(|()| io::ErrorKind::InvalidFilename)?;
        Ok(Self {
            url: url.into(),
            size: path.metadata()?.len(),
            etag: None,
        })
    }

    fn file(&self) -> Option<PathBuf> {
        let url = self
            .url
            .strip_prefix("file:")
            .and(Url::parse(&self.url).ok());
        url.and_then(|url| url.to_file_path().ok())
    }
}

impl std::fmt::Debug for Source {
    /// Without the address, which lets anybody read the object.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Why storage did not deliver; the first one is remembered, since ffmpeg only sees a short file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    Unanswered(String),
    Status(u16),
    Changed { expected: u64, found: u64 },
    Replaced,
}

impl From<Fault> for MediaError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unanswered(text) => Self::Storage(text),
            Fault::Status(status @ (401 | 403 | 404 | 410)) => Self::Forbidden(status),
            Fault::Status(status) => Self::Storage(format!("status {status}")),
            Fault::Changed { expected, found } => Self::Changed { expected, found },
            Fault::Replaced => Self::Replaced,
        }
    }
}

type Cell = Arc<OnceCell<Bytes>>;

#[derive(Debug)]
pub(crate) struct Blocks {
    client: Client,
    source: Source,
    recent: Mutex<VecDeque<(u64, Cell)>>,
    fault: Mutex<Option<Fault>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Blocks {
    pub(crate) fn new(client: Client, source: Source) -> Self {
        Self {
            client,
            source,
            recent: Mutex::default(),
            fault: Mutex::default(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.source.size
    }

    /// The first failure of storage, if any: it explains whatever ffmpeg complained of.
    pub(crate) fn check(&self) -> Result<(), MediaError> {
        lock(&self.fault)
            .clone()
            .map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Up to `length` bytes from `offset`; fewer only at the end of the object.
    pub(crate) async fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, MediaError> {
        let end = offset.saturating_add(length).min(self.size());
        let mut bytes = Vec::new();
        let mut at = offset;
        while at < end {
            let part = self.part(at / BLOCK, at, end).await?;
            at += part.len() as u64;
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }

    /// The bytes from `start` to `end` (exclusive), read ahead by a few blocks.
    pub(crate) fn stream(
        self: Arc<Self>,
        start: u64,
        end: u64,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let last = end.saturating_sub(1) / BLOCK;
        stream::iter(start / BLOCK..=last)
            .map(move |index| {
                let blocks = Arc::clone(&self);
                async move {
                    blocks
                        .part(index, start, end)
                        .await
                        .map_err(io::Error::other)
                }
            })
            .buffered(READ_AHEAD)
    }

    async fn part(&self, index: u64, start: u64, end: u64) -> Result<Bytes, MediaError> {
        let block = self.block(index).await.inspect_err(|fault| {
            lock(&self.fault).get_or_insert_with(|| fault.clone());
        })?;
        let within = |offset: u64| {
            usize::try_from(offset.saturating_sub(index * BLOCK)).unwrap_or(usize::MAX)
        };
        Ok(block.slice(within(start).min(block.len())..within(end).min(block.len())))
    }

    async fn block(&self, index: u64) -> Result<Bytes, Fault> {
        let cell = self.cell(index);
        cell.get_or_try_init(|| self.fetch(index)).await.cloned()
    }

    fn cell(&self, index: u64) -> Cell {
        let mut recent = lock(&self.recent);
        if let Some(place) = recent.iter().position(|(known, _)| *known == index)
            && let Some(found) = recent.remove(place)
        {
            recent.push_back(found);
        } else {
            recent.push_back((index, Cell::default()));
        }
        while recent.len() > REMEMBERED {
            recent.pop_front();
        }
        recent
            .back()
            .map(|(_, cell)| Arc::clone(cell))
            .unwrap_or_default()
    }

    /// Fetches one block; storage that is busy or breaks off is asked again, since ffmpeg cannot.
    async fn fetch(&self, index: u64) -> Result<Bytes, Fault> {
        let mut attempt = 1;
        loop {
            match self.fetch_once(index).await {
                Err(Fault::Unanswered(_) | Fault::Status(408 | 425 | 429 | 500..))
                    if attempt < ATTEMPTS =>
                {
                    tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn fetch_once(&self, index: u64) -> Result<Bytes, Fault> {
        let start = index * BLOCK;
        let end = (start + BLOCK).min(self.size());
        if let Some(file) = self.source.file() {
            return read_file(file, start, end).await;
        }
        let range = format!("bytes={start}-{}", end.saturating_sub(1));
        let request = self
            .client
            .get(&self.source.url)
            .header(header::RANGE, range);
        // The address is a secret: it must not reach a log inside an error.
        let unanswered = |error: reqwest::Error| Fault::Unanswered(error.without_url().to_string());
        let response = request.send().await.map_err(unanswered)?;

        let whole = start == 0 && end == self.size();
        match response.status() {
            StatusCode::PARTIAL_CONTENT => self.check_total(&response)?,
            StatusCode::OK if whole => {}
            StatusCode::OK => return Err(Fault::Unanswered("ranges are not honoured".into())),
            status => return Err(Fault::Status(status.as_u16())),
        }
        self.check_tag(&response)?;
        let bytes = response.bytes().await.map_err(unanswered)?;
        if bytes.len() as u64 == end - start {
            Ok(bytes)
        } else {
            Err(Fault::Unanswered(format!(
                "{} of {} bytes",
                bytes.len(),
                end - start
            )))
        }
    }

    fn check_tag(&self, response: &reqwest::Response) -> Result<(), Fault> {
        let bare = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
        let found = response.headers().get(header::ETAG);
        let found = found.and_then(|tag| tag.to_str().ok()).map(bare);
        match (self.source.etag.as_deref().map(bare), found) {
            (Some(expected), Some(found)) if expected != found => Err(Fault::Replaced),
            _ => Ok(()),
        }
    }

    fn check_total(&self, response: &reqwest::Response) -> Result<(), Fault> {
        let total = response
            .headers()
            .get(header::CONTENT_RANGE)
            .and_then(|value| value.to_str().ok()?.rsplit('/').next()?.parse::<u64>().ok());
        match total {
            Some(found) if found != self.size() => Err(Fault::Changed {
                expected: self.size(),
                found,
            }),
            _ => Ok(()),
        }
    }
}

async fn read_file(path: PathBuf, start: u64, end: u64) -> Result<Bytes, Fault> {
    let read = move || {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or_default()];
        File::open(path)?.read_exact_at(&mut bytes, start)?;
        io::Result::Ok(Bytes::from(bytes))
    };
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
    read.map_err(|error| Fault::Unanswered(error.to_string()))
}

/// The client for storage: no redirects, because a presigned address answers by itself.
pub(crate) fn client() -> Result<Client, MediaError> {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(4)
        .build()
        .map_err(|error| MediaError::Io(io::Error::other(error)))
}
