//! Real ffmpeg on clips that it generates, served by a small range server.

use std::path::{Path, PathBuf};
use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use shared_domain::{Refusal, Settings};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::{Extraction, Media, MediaConfig, MediaError, Piece, Probe, Source};

mod containers;
mod damage;
mod hostile;
mod recipes;
mod running;
mod times;

/// A folder with clips, and the server for them.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    servers: JoinSet<()>,
    pub(crate) media: Media,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        // What ffmpeg said is shown beside a failure; a second test in one process is refused.
        let _ = tracing_subscriber::fmt().with_test_writer().try_init();
        let folder = tempfile::tempdir().unwrap();
        let mut all = Settings::default();
        all.set("TEMP_DIR", folder.path().join("jobs").to_str().unwrap());
        for (name, value) in settings {
            all.set(name, *value);
        }
        let reader = all.reader();
        let config = MediaConfig::read(&reader);
        reader.finish().unwrap();
        Self {
            folder,
            servers: JoinSet::new(),
            media: Media::connect(config).unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a clip; `args` as on a command line, words separated by blanks.
    pub(crate) fn make(&self, name: &str, args: &str) -> PathBuf {
        let words: Vec<&str> = args.split_whitespace().collect();
        self.make_with(name, &words)
    }

    pub(crate) fn make_with(&self, name: &str, args: &[&str]) -> PathBuf {
        let path = self.path(name);
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-y"])
            .args(args)
            .arg(&path)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        path
    }

    /// Eight by eight gray values of the first picture of a file, as ffmpeg turns it.
    pub(crate) fn autorotated(path: &Path) -> Vec<u8> {
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-i"])
            .arg(path)
            .args([
                "-frames:v",
                "1",
                "-vf",
                "scale=8:8,format=gray",
                "-f",
                "rawvideo",
                "-",
            ])
            .output()
            .unwrap();
        assert_eq!(
            output.stdout.len(),
            64,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    pub(crate) fn gray(&self, jpeg: &[u8]) -> Vec<u8> {
        let path = self.path("picture.jpg");
        std::fs::write(&path, jpeg).unwrap();
        Self::autorotated(&path)
    }

    pub(crate) async fn source(&mut self, path: &Path) -> Source {
        let bytes = Bytes::from(std::fs::read(path).unwrap());
        let size = bytes.len() as u64;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/object", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/object", get(object))
            .with_state(bytes);
        self.servers
            .spawn(async move { axum::serve(listener, app).await.unwrap() });
        Source {
            url,
            size,
            etag: None,
        }
    }

    pub(crate) async fn probe(&mut self, path: &Path) -> Result<Probe, MediaError> {
        let source = self.source(path).await;
        self.media.probe(&source).await
    }

    pub(crate) async fn refusal(&mut self, path: &Path) -> Refusal {
        match self.probe(path).await {
            Err(MediaError::Refused(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) async fn run(&mut self, path: &Path) -> Result<Outcome, MediaError> {
        let source = self.source(path).await;
        let probe = self.media.probe(&source).await?;
        let (sender, mut receiver) = mpsc::channel(4);
        let plan = self.media.plan();
        let extract = self.media.extract(&source, &probe, &plan, sender);
        let collect = async {
            let mut pieces = Vec::new();
            while let Some(piece) = receiver.recv().await {
                pieces.push(piece);
            }
            pieces
        };
        let (extraction, pieces) = tokio::join!(extract, collect);
        Ok(Outcome {
            probe,
            extraction: extraction?,
            pieces,
        })
    }
}

pub(crate) struct Outcome {
    pub(crate) probe: Probe,
    pub(crate) extraction: Extraction,
    pub(crate) pieces: Vec<Piece>,
}

impl Outcome {
    /// Every span in the order of time; they must cover the video.
    pub(crate) fn assert_tiled(&self) {
        let mut spans: Vec<_> = self
            .extraction
            .frames
            .iter()
            .flat_map(|frame| frame.spans.clone())
            .collect();
        spans.sort();
        let mut at = 0;
        for span in &spans {
            assert_eq!(span.start_ms, at, "{spans:?}");
            at = span.end_ms;
        }
        assert_eq!(at, self.extraction.duration_ms);
    }

    /// When each kept stretch begins.
    pub(crate) fn starts(&self) -> Vec<i64> {
        let mut starts: Vec<_> = self
            .extraction
            .frames
            .iter()
            .flat_map(|frame| frame.spans.iter().map(|span| span.start_ms))
            .collect();
        starts.sort_unstable();
        starts
    }

    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.extraction
            .frames
            .iter()
            .flat_map(|frame| {
                frame.spans.iter().map(|span| Kept {
                    start_ms: span.start_ms,
                    end_ms: span.end_ms,
                })
            })
            .collect()
    }

    pub(crate) fn jpeg(&self, sha256: &str) -> Bytes {
        self.pieces
            .iter()
            .find_map(|piece| match piece {
                Piece::Frame {
                    jpeg, sha256: hash, ..
                } if hash == sha256 => Some(jpeg.clone()),
                _ => None,
            })
            .unwrap()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
}

async fn object(State(bytes): State<Bytes>, headers: HeaderMap) -> Response {
    let size = bytes.len();
    let Some(range) = headers.get(header::RANGE) else {
        return Body::from(bytes).into_response();
    };
    let (start, end) = range
        .to_str()
        .unwrap()
        .strip_prefix("bytes=")
        .unwrap()
        .split_once('-')
        .unwrap();
    let start: usize = start.parse().unwrap();
    let end = end.parse::<usize>().map_or(size, |last| last + 1).min(size);
    if start >= end {
        return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
    }
    let range = [
        (
            header::CONTENT_RANGE,
            format!("bytes {start}-{}/{size}", end - 1),
        ),
        (header::ETAG, "\"first\"".to_owned()),
    ];
    (
        StatusCode::PARTIAL_CONTENT,
        range,
        Body::from(bytes.slice(start..end)),
    )
        .into_response()
}
