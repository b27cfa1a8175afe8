//! The embedded object storage: an S3 server in the process, over a folder.
//!
//! Protocol and signatures are `s3s`; plain objects lie with `s3s-fs`. What that folder store lacks
//! is here: uploads in parts that survive a kill, listings of them, CORS, and event notifications
//! that are written down before the object can be seen, so that none is ever lost.
//!
//! Folder: `store/<bucket>/<key>` are the objects, `staging/` those on their way in, `uploads/<id>/`
//! the parts of open uploads, `events/` the notifications not yet delivered.

mod access;
mod conditions;
mod deliver;
mod events;
mod files;
mod front;
mod multipart;
mod pages;
mod serve;
mod service;
mod staging;
mod state;
mod uploads;

use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use s3s::auth::{SecretKey, SimpleAuth};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use url::Url;

use access::Access;
use deliver::Deliver;
use events::Events;
use files::Files;
use front::Front;
use service::Service;
use staging::Staging;
use state::State;
use uploads::Uploads;

/// A list of 10 000 parts with their tags needs about one megabyte.
const LARGEST_XML: usize = 4 << 20;

/// How the embedded server is set up.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// The folder that holds everything.
    pub root: PathBuf,
    /// Where to listen; port 0 takes any.
    pub addr: SocketAddr,
    /// The one access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: SecretString,
    /// The one bucket.
    pub bucket: String,
    /// The origins whose pages may read and write by signed URL, exactly as browsers send them.
    pub allowed_origins: Vec<String>,
    /// Whom to tell of new objects.
    pub notify: Option<Notify>,
}

/// Whom to tell of new objects, and of which.
#[derive(Debug, Clone)]
pub struct Notify {
    /// The door that takes the notification.
    pub url: Url,
    /// What it is signed with.
    pub secret: SecretString,
    /// Objects elsewhere are nobody's business.
    pub prefix: String,
}

/// The embedded server could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The folder cannot be used.
    #[error("the object folder {} cannot be used", root.display())]
    Folder {
        /// Which folder.
        root: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process serves the folder.
    #[error("the object folder {} is in use by another process", root.display())]
    Busy {
        /// Which folder.
        root: PathBuf,
    },
    /// The store refused the folder.
    #[error("the object store could not be opened: {0}")]
    Store(String),
    /// The address is taken, or not ours.
    #[error("cannot listen on {addr}")]
    Listen {
        /// Which address.
        addr: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The client that posts notifications could not be built.
    #[error("the notification client could not be built")]
    Client(#[from] reqwest::Error),
    /// The name could not stand in a URL.
    #[error("{0:?} is no name for a bucket")]
    Bucket(String),
}

/// The embedded server, listening but not yet serving.
#[derive(Debug)]
pub struct LocalServer {
    listener: TcpListener,
    addr: SocketAddr,
    front: Front,
    deliver: Option<Deliver>,
    /// Held for as long as the server lives: two processes on one folder would tear it apart.
    _lock: File,
}

impl LocalServer {
    /// Opens the folder and starts to listen.
    pub async fn bind(config: LocalConfig) -> Result<Self, LocalError> {
        if !s3s::path::check_bucket_name(&config.bucket) {
            return Err(LocalError::Bucket(config.bucket));
        }
        let files = Files::new(&config.root, &config.bucket);
        let lock = open(&config, &files).await?;
        let (uploads, staging) = leftovers(&config, &files).await?;
        let store = FileSystem::new(files.store())
            .map_err(|error| LocalError::Store(format!("{error:?}")))?;
        let events = config.notify.as_ref().map(|notify| {
            Arc::new(Events::new(
                &config.root,
                files.clone(),
                notify.prefix.clone(),
            ))
        });
        let deliver = match (&config.notify, &events) {
            (Some(notify), Some(events)) => Some(Deliver::new(notify.clone(), events.clone())?),
            _ => None,
        };
        let access = Access {
            bucket: config.bucket.clone(),
        };
        let service = Service::new(State {
            store,
            staging,
            placing: Arc::default(),
            uploads,
            files,
            events,
        });
        let front = Front::new(
            s3_service(service, access, &config),
            &config.allowed_origins,
        );
        let addr = config.addr;
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|source| LocalError::Listen { addr, source })?;
        let addr = listener
            .local_addr()
            .map_err(|source| LocalError::Listen { addr, source })?;
        Ok(Self {
            listener,
            addr,
            front,
            deliver,
            _lock: lock,
        })
    }

    /// Where the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

fn s3_service(service: Service, access: Access, config: &LocalConfig) -> s3s::service::S3Service {
    let secret = SecretKey::from(config.secret_key.expose_secret());
    let mut limits = S3Config::default();
    limits.xml_max_body_size = LARGEST_XML;
    let mut builder = S3ServiceBuilder::new(service);
    builder.set_auth(SimpleAuth::from_single(&config.access_key, secret));
    builder.set_access(access);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(limits))));
    builder.build()
}

/// Opens the folders of what comes in, cleared of what an earlier process left half done.
async fn leftovers(config: &LocalConfig, files: &Files) -> Result<(Uploads, Staging), LocalError> {
    let (root, files) = (config.root.clone(), files.clone());
    tokio::task::spawn_blocking(move || Ok((Uploads::open(&root)?, Staging::open(&root, &files)?)))
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|source| LocalError::Folder {
            root: config.root.clone(),
            source,
        })
}

/// Makes the folders and takes the lock.
async fn open(config: &LocalConfig, files: &Files) -> Result<File, LocalError> {
    let root = config.root.clone();
    let folders = [
        files.bucket(),
        root.join("uploads"),
        root.join("events/pending"),
        root.join("events/due"),
    ];
    let made = tokio::task::spawn_blocking(move || {
        for folder in folders {
            std::fs::create_dir_all(folder)?;
        }
        File::create(root.join(".lock"))
    })
    .await
    .map_err(io::Error::other)
    .flatten();
    let root = config.root.clone();
    let lock = made.map_err(|source| LocalError::Folder {
        root: root.clone(),
        source,
    })?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(LocalError::Busy { root }),
        Err(TryLockError::Error(source)) => Err(LocalError::Folder { root, source }),
    }
}
