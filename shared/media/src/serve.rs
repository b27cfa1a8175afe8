//! A range server on loopback that serves exactly one object under a random path, and takes under it
//! what ffmpeg makes of the object where that is more than a disk should hold.
//!
//! ffmpeg must never be given an address that a user or a provider has a say in; this is the only
//! one it gets, and the sandbox forbids it every other.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use bytes::Bytes;
use futures::StreamExt;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::error::MediaError;
use crate::pulse::Pulse;
use crate::source::Blocks;

/// The largest file that is taken, held in memory until it is handed on.
pub(crate) const LARGEST_PUT: usize = 16 << 20;

/// Files that may be on their way at once.
const ROOM: usize = 3;

/// A file that ffmpeg has written here.
#[derive(Debug)]
pub(crate) struct Put {
    /// What ffmpeg calls it: to be checked.
    pub(crate) name: String,
    /// `None` when it was too large or broke off.
    pub(crate) bytes: Option<Bytes>,
    /// Goes with the file; while there is none left, ffmpeg gets no more of the object.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
pub(crate) struct Loopback {
    pub(crate) port: u16,
    pub(crate) url: String,
    pub(crate) blocks: Arc<Blocks>,
    /// Dropping it stops the server.
    _server: JoinSet<()>,
}

#[derive(Clone)]
struct Object {
    blocks: Arc<Blocks>,
    pulse: Arc<Pulse>,
    room: Arc<Semaphore>,
}

#[derive(Clone)]
struct Intake {
    puts: mpsc::Sender<Put>,
    room: Arc<Semaphore>,
    /// ffmpeg does not wait for answers: a file is taken to its end though nobody is there any more.
    taking: Arc<Mutex<JoinSet<()>>>,
}

impl Loopback {
    /// Without `puts` nothing can be written here.
    pub(crate) async fn start(
        blocks: Arc<Blocks>,
        pulse: Arc<Pulse>,
        puts: Option<mpsc::Sender<Put>>,
    ) -> Result<Self, MediaError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let path = format!("/{:016x}{:016x}", random(), random());
        let url = format!("http://127.0.0.1:{port}{path}");
        let room = Arc::new(Semaphore::new(ROOM));
        let object = Object {
            blocks: Arc::clone(&blocks),
            pulse,
            room: Arc::clone(&room),
        };
        let mut app = Router::new().route(&path, get(serve)).with_state(object);
        if let Some(puts) = puts {
            let taking = Arc::default();
            let intake = put(take).with_state(Intake { puts, room, taking });
            app = app.route(&format!("{path}/{{name}}"), intake);
        }
        let mut server = JoinSet::new();
        server.spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::warn!(%error, "the loopback range server stopped");
            }
        });
        Ok(Self {
            port,
            url,
            blocks,
            _server: server,
        })
    }
}

/// The standard library's hasher is keyed by the system's randomness.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

async fn serve(State(object): State<Object>, headers: HeaderMap) -> Response {
    object.pulse.beat();
    let size = object.blocks.size();
    let asked = headers
        .get(header::RANGE)
        .map(|value| value.to_str().unwrap_or_default());
    let (status, start, end) = match asked.map(|text| parse(text, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((start, end))) => (StatusCode::PARTIAL_CONTENT, start, end),
        Some(None) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, range).into_response();
        }
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_LENGTH, (end - start).into());
    headers.insert(
        header::ACCEPT_RANGES,
        header::HeaderValue::from_static("bytes"),
    );
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(range) = format!("bytes {start}-{}/{size}", end - 1).parse()
    {
        headers.insert(header::CONTENT_RANGE, range);
    }
    // Slow storage is no hang.
    let bytes = object.blocks.stream(start, end).then(move |block| {
        let (pulse, room) = (Arc::clone(&object.pulse), Arc::clone(&object.room));
        async move {
            // What waits to be handed on must not become more: ffmpeg goes no further than its input.
            drop(room.acquire().await);
            pulse.beat();
            block
        }
    });
    (status, headers, Body::from_stream(bytes)).into_response()
}

/// Answered only when the whole file is here.
async fn take(State(intake): State<Intake>, Path(name): Path<String>, body: Body) -> StatusCode {
    let (told, taken) = oneshot::channel();
    let (puts, room) = (intake.puts, intake.room);
    let work = async move {
        let room = room.acquire_owned().await.ok();
        let bytes = to_bytes(body, LARGEST_PUT).await.ok();
        // Whoever does not listen any more has seen enough.
        let _ = puts.send(Put { name, bytes, room }).await;
        let _ = told.send(());
    };
    {
        let taking = intake.taking.lock();
        let mut taking = taking.unwrap_or_else(PoisonError::into_inner);
        while taking.try_join_next().is_some() {}
        taking.spawn(work);
    }
    match taken.await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::GONE,
    }
}

/// `bytes=A-` or `bytes=A-B` as a half-open range within the object.
fn parse(text: &str, size: u64) -> Option<(u64, u64)> {
    let (start, end) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start: u64 = start.trim().parse().ok()?;
    let end = match end.trim() {
        "" => size,
        last => last.parse::<u64>().ok()?.saturating_add(1).min(size),
    };
    (start < end).then_some((start, end))
}

#[cfg(test)]
mod tests;
