//! The S3 operations, each handed to the part of the server that does it.

use std::io;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tracing::warn;

use super::access::check_key;
use super::events::{Events, Intent};
use super::files::{self, Files};
use super::uploads::Uploads;
use super::{multipart, pages};

/// The state behind every request.
#[derive(Debug, Clone)]
pub(super) struct Service(Arc<State>);

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
            matches!(error.code(), S3ErrorCode::BadDigest | S3ErrorCode::InvalidArgument)
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
        head.content_type.get_or_insert_with(|| "application/octet-stream".to_owned());
        Ok(head)
    }

    async fn read(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        let head = self.head(&input.key).await?;
        check_conditions(&input, head.e_tag.as_ref())?;
        let file = tokio::fs::File::open(self.files.object(&input.key)).await;
        let file = file.map_err(|error| s3_error!(error, NoSuchKey))?;
        let size = file.metadata().await.map_err(broken)?.len();
        let range = match input.range {
            Some(range) => range.check(size).map_err(|error| s3_error!(error, InvalidRange))?,
            None => 0..size,
        };
        let length = range.end - range.start;
        let content_range = input
            .range
            .map(|_| format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
        Ok(GetObjectOutput {
            body: Some(files::stream(file, range.start, length).await.map_err(broken)?),
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

    async fn copy(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        if **bucket != *self.files.bucket_name() {
            return Err(s3_error!(NoSuchBucket));
        }
        check_key(bucket, key)?;
        let head = self.head(key).await?;
        let file = tokio::fs::File::open(self.files.object(key)).await.map_err(broken)?;
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
        Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
    }
}

fn check_conditions(input: &GetObjectInput, etag: Option<&ETag>) -> S3Result<()> {
    let matches = |condition: &ETagCondition| {
        condition.is_any()
            || condition.as_etag().zip(etag).is_some_and(|(wanted, found)| wanted.weak_cmp(found))
    };
    if input.if_match.as_ref().is_some_and(|condition| !matches(condition)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if input.if_none_match.as_ref().is_some_and(matches) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

impl Service {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(state))
    }
}

type Answer<T> = S3Result<S3Response<T>>;

fn answer<T>(output: T) -> Answer<T> {
    Ok(S3Response::new(output))
}

#[async_trait::async_trait]
impl S3 for Service {
    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        self.0.store.list_buckets(bare(req.input)).await
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.0.store.head_bucket(bare(req.input)).await
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> Answer<GetBucketLocationOutput> {
        self.0.store.get_bucket_location(bare(req.input)).await
    }

    async fn create_bucket(&self, _: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        // The access check lets only the one bucket through, and that one exists.
        Err(s3_error!(BucketAlreadyOwnedByYou))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let trailing_headers = req.trailing_headers;
        let put = S3Request { trailing_headers, ..bare(req.input) };
        answer(self.0.write(put, "b2:ObjectCreated:Upload").await?)
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        answer(self.0.read(req.input).await?)
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        answer(self.0.head(&req.input.key).await?)
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        answer(self.0.copy(req.input).await?)
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.0.erase(&req.input.key).await?;
        answer(DeleteObjectOutput::default())
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let mut deleted = Vec::new();
        for object in req.input.delete.objects {
            check_key(self.0.files.bucket_name(), &object.key)?;
            self.0.erase(&object.key).await?;
            deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() });
        }
        answer(DeleteObjectsOutput { deleted: Some(deleted), ..DeleteObjectsOutput::default() })
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        answer(pages::objects(&self.0.files, req.input).await?)
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        answer(pages::objects_v2(&self.0.files, req.input).await?)
    }

    async fn list_object_versions(
        &self,
        req: S3Request<ListObjectVersionsInput>,
    ) -> Answer<ListObjectVersionsOutput> {
        answer(pages::versions(&self.0.files, req.input).await?)
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        answer(multipart::create(&self.0, req.input).await?)
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        answer(multipart::put_part(&self.0, req.input).await?)
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        answer(multipart::list_parts(&self.0, req.input).await?)
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        answer(multipart::list_uploads(&self.0, req.input).await?)
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        answer(multipart::complete(&self.0, req.input).await?)
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        answer(multipart::abort(&self.0, req.input).await?)
    }
}
