//! What the operations share: the folder store, made atomic, and the notifications.

use std::io;
use std::sync::Arc;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, GetObjectInput,
    GetObjectOutput, HeadObjectInput, HeadObjectOutput, MetadataDirective, PutObjectInput,
    PutObjectOutput,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::RwLock;
use tracing::warn;

use super::access::check_key;
use super::conditions::{Wanted, check_conditions};
use super::events::Events;
use super::files::{self, Files};
use super::staging::Staging;
use super::uploads::Uploads;

#[derive(Debug)]
pub(super) struct State {
    pub(super) store: FileSystem,
    pub(super) staging: Staging,
    /// Held for writing while files of objects change places: who reads sees the old object or the
    /// new one.
    pub(super) placing: Arc<RwLock<()>>,
    pub(super) uploads: Uploads,
    pub(super) files: Files,
    pub(super) events: Option<Arc<Events>>,
}

/// An input for the store without what belongs to the wire: the store logs its requests, and a
/// signed URL in a log is a leak.
pub(super) fn bare<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::default(),
        headers: http::HeaderMap::new(),
        extensions: http::Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

/// The disk failed: the client may try again, and the log says why.
pub(super) fn broken(error: io::Error) -> S3Error {
    warn!(%error, "the object folder cannot be used");
    S3Error::internal_error(error)
}

/// Paths have a rule that keys have not: a name is a folder or a file.
fn unplaced(error: io::Error) -> S3Error {
    match error.kind() {
        io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::AlreadyExists => {
            s3_error!(InvalidArgument, "another key stands in the way of this one")
        }
        _ => broken(error),
    }
}

impl State {
    /// Stores an object and tells of it. Whatever goes wrong leaves the object of that key as it was.
    pub(super) async fn write(
        &self,
        mut request: S3Request<PutObjectInput>,
        event_type: &str,
    ) -> S3Result<PutObjectOutput> {
        let key = request.input.key.clone();
        let wanted = Wanted::of(&mut request.input);
        // A body that will not be taken need not be sent.
        self.permit(&key, &wanted).await?;
        let intent = match &self.events {
            Some(events) => events.begin(&key, event_type).await.map_err(broken)?,
            None => None,
        };
        let outcome = self.take_in(request, &key, &wanted).await;
        match (&outcome, intent) {
            (_, None) => {}
            (Err(_), Some(intent)) => intent.cancel().await.map_err(broken)?,
            (Ok(_), Some(intent)) => {
                // What clients upload exists once; everything else can be made again.
                self.files.sync(&key).await.map_err(broken)?;
                intent.commit().await.map_err(broken)?;
            }
        }
        outcome
    }

    async fn take_in(
        &self,
        request: S3Request<PutObjectInput>,
        key: &str,
        wanted: &Wanted,
    ) -> S3Result<PutObjectOutput> {
        let (staged, written) = self.staging.take(request).await?;
        let placing = self.placing.clone().write_owned().await;
        self.permit(key, wanted).await?;
        let (key, files) = (key.to_owned(), self.files.clone());
        let placed = tokio::task::spawn_blocking(move || {
            let _placing = placing;
            staged.place(&key, &files)
        });
        placed
            .await
            .map_err(io::Error::other)
            .flatten()
            .map_err(unplaced)?;
        Ok(written)
    }

    /// Whether an object may be written where another may lie.
    async fn permit(&self, key: &str, wanted: &Wanted) -> S3Result<()> {
        if wanted.is_anything() {
            return Ok(());
        }
        let etag = match self.look(key).await {
            Ok(found) => found.e_tag,
            Err(error) if *error.code() == S3ErrorCode::NoSuchKey => None,
            Err(error) => return Err(error),
        };
        wanted.check(etag.as_ref())
    }

    /// Removes an object and what the store kept beside it.
    pub(super) async fn erase(&self, key: &str) -> S3Result<()> {
        let _placing = self.placing.write().await;
        let mut paths = vec![self.files.object(key)];
        paths.extend(self.files.sidecars(key));
        for path in paths {
            match tokio::fs::remove_file(path).await {
                Err(error) if !files::is_absent(&error) => return Err(broken(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// What is known of an object.
    pub(super) async fn head(&self, key: &str) -> S3Result<HeadObjectOutput> {
        let _placing = self.placing.read().await;
        self.look(key).await
    }

    /// As `head`, for those who hold `placing`.
    async fn look(&self, key: &str) -> S3Result<HeadObjectOutput> {
        if self.files.find(key).await.map_err(broken)?.is_none() {
            return Err(s3_error!(NoSuchKey));
        }
        let input = HeadObjectInput {
            bucket: self.files.bucket_name().to_owned(),
            key: key.to_owned(),
            ..HeadObjectInput::default()
        };
        let mut head = self.store.head_object(bare(input)).await?.output;
        head.accept_ranges = Some("bytes".to_owned());
        head.content_type
            .get_or_insert_with(|| "application/octet-stream".to_owned());
        Ok(head)
    }

    /// The bytes of an object and what is said of these bytes.
    async fn open(&self, key: &str) -> S3Result<(HeadObjectOutput, tokio::fs::File)> {
        let _placing = self.placing.read().await;
        let head = self.look(key).await?;
        let file = tokio::fs::File::open(self.files.object(key)).await;
        Ok((head, file.map_err(|error| s3_error!(error, NoSuchKey))?))
    }

    /// An object, or a stretch of it.
    pub(super) async fn read(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        let (head, file) = self.open(&input.key).await?;
        check_conditions(&input, head.e_tag.as_ref())?;
        let size = file.metadata().await.map_err(broken)?.len();
        let range = match input.range {
            Some(range) => range
                .check(size)
                .map_err(|error| s3_error!(error, InvalidRange))?,
            None => 0..size,
        };
        let length = range.end - range.start;
        let content_range = input.range.map(|_| {
            format!(
                "bytes {}-{}/{size}",
                range.start,
                range.end.saturating_sub(1)
            )
        });
        Ok(GetObjectOutput {
            body: Some(
                files::stream(file, range.start, length)
                    .await
                    .map_err(broken)?,
            ),
            content_length: i64::try_from(length).ok(),
            content_range,
            accept_ranges: head.accept_ranges,
            cache_control: head.cache_control,
            content_disposition: head.content_disposition,
            content_encoding: head.content_encoding,
            content_language: head.content_language,
            content_type: head.content_type,
            e_tag: head.e_tag,
            expires: head.expires,
            last_modified: head.last_modified,
            metadata: head.metadata,
            ..GetObjectOutput::default()
        })
    }

    /// Another object of the same bytes.
    pub(super) async fn copy(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        if **bucket != *self.files.bucket_name() {
            return Err(s3_error!(NoSuchBucket));
        }
        check_key(bucket, key)?;
        let (head, file) = self.open(key).await?;
        let size = file.metadata().await.map_err(broken)?.len();
        let replace = input
            .metadata_directive
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
        let mut copy = PutObjectInput {
            bucket: input.bucket,
            key: input.key.clone(),
            body: Some(files::stream(file, 0, size).await.map_err(broken)?),
            content_length: i64::try_from(size).ok(),
            ..PutObjectInput::default()
        };
        if replace {
            copy.content_type = input.content_type;
            copy.content_disposition = input.content_disposition;
            copy.content_encoding = input.content_encoding;
            copy.cache_control = input.cache_control;
            copy.metadata = input.metadata;
        } else {
            copy.content_type = head.content_type;
            copy.content_disposition = head.content_disposition;
            copy.content_encoding = head.content_encoding;
            copy.cache_control = head.cache_control;
            copy.metadata = head.metadata;
        }
        let written = self.write(bare(copy), "b2:ObjectCreated:Copy").await?;
        let result = CopyObjectResult {
            e_tag: written.e_tag,
            last_modified: self.head(&input.key).await?.last_modified,
            ..CopyObjectResult::default()
        };
        Ok(CopyObjectOutput {
            copy_object_result: Some(result),
            ..CopyObjectOutput::default()
        })
    }
}
