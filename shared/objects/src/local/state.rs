//! What the operations share: the folder store, made atomic, and the notifications.

use std::io;
use std::sync::Arc;

use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, ETagCondition,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, MetadataDirective,
    PutObjectInput, PutObjectOutput,
};
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Result, s3_error};
use s3s_fs::FileSystem;
use tracing::warn;

use super::access::check_key;
use super::events::{Events, Intent};
use super::files::{self, Files};
use super::uploads::Uploads;

#[derive(Debug)]
pub(super) struct State {
    pub(super) store: FileSystem,
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

impl State {
    /// Stores an object and tells of it.
    pub(super) async fn write(
        &self,
        request: S3Request<PutObjectInput>,
        event_type: &str,
    ) -> S3Result<PutObjectOutput> {
        let key = request.input.key.clone();
        let intent = match &self.events {
            Some(events) => events.begin(&key, event_type).await.map_err(broken)?,
            None => None,
        };
        let outcome = self.store.put_object(request).await;
        if outcome.is_err() {
            self.undo(&key, intent, outcome.as_ref().err()).await?;
        } else if let Some(intent) = intent {
            // What clients upload exists once; everything else can be made again.
            self.files.sync(&key).await.map_err(broken)?;
            intent.commit().await.map_err(broken)?;
        }
        Ok(outcome?.output)
    }

    async fn undo(
        &self,
        key: &str,
        intent: Option<Intent>,
        error: Option<&S3Error>,
    ) -> S3Result<()> {
        // The store compares digests after the object is in place: take it away again.
        let spoilt = error.is_some_and(|error| {
            matches!(
                error.code(),
                S3ErrorCode::BadDigest | S3ErrorCode::InvalidArgument
            )
        });
        if spoilt {
            self.erase(key).await?;
        }
        match intent {
            Some(intent) => Ok(intent.cancel().await.map_err(broken)?),
            None => Ok(()),
        }
    }

    /// Removes an object and what the store kept beside it.
    pub(super) async fn erase(&self, key: &str) -> S3Result<()> {
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

    /// An object, or a stretch of it.
    pub(super) async fn read(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        let head = self.head(&input.key).await?;
        check_conditions(&input, head.e_tag.as_ref())?;
        let file = tokio::fs::File::open(self.files.object(&input.key)).await;
        let file = file.map_err(|error| s3_error!(error, NoSuchKey))?;
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
        let head = self.head(key).await?;
        let file = tokio::fs::File::open(self.files.object(key))
            .await
            .map_err(broken)?;
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

fn check_conditions(input: &GetObjectInput, etag: Option<&ETag>) -> S3Result<()> {
    let matches = |condition: &ETagCondition| {
        condition.is_any()
            || condition
                .as_etag()
                .zip(etag)
                .is_some_and(|(wanted, found)| wanted.weak_cmp(found))
    };
    if input
        .if_match
        .as_ref()
        .is_some_and(|condition| !matches(condition))
    {
        return Err(s3_error!(PreconditionFailed));
    }
    if input.if_none_match.as_ref().is_some_and(matches) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}
