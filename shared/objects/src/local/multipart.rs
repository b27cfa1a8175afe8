//! The operations on uploads in parts.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedPart, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part, PutObjectInput, UploadPartInput,
    UploadPartOutput,
};
use s3s::{S3Result, s3_error};

use super::state::{State, bare, broken};
use super::uploads::{StoredPart, Upload, join};

const MOST_PARTS: i32 = 10_000;
/// Backblaze's limit for every part but the last.
const SMALLEST_PART: u64 = 5_000_000;
const PAGE: i32 = 1000;

pub(super) async fn create(
    state: &State,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let upload = Upload {
        key: input.key,
        content_type: input.content_type,
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding,
        cache_control: input.cache_control,
        metadata: input.metadata,
    };
    let id = state.uploads.create(&upload).await.map_err(broken)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(upload.key),
        upload_id: Some(id),
        ..CreateMultipartUploadOutput::default()
    })
}

pub(super) async fn put_part(state: &State, input: UploadPartInput) -> S3Result<UploadPartOutput> {
    let number = u16::try_from(input.part_number).ok();
    let number = number.filter(|_| (1..=MOST_PARTS).contains(&input.part_number));
    let number = number.ok_or_else(|| s3_error!(InvalidArgument, "parts go from 1 to 10000"))?;
    let body = input.body.ok_or_else(|| s3_error!(IncompleteBody))?;
    let md5 = input
        .content_md5
        .map(|text| STANDARD.decode(text))
        .transpose();
    let md5 = md5.map_err(|error| s3_error!(error, InvalidDigest))?;
    open(state, &input.upload_id, &input.key).await?;
    let stored = state
        .uploads
        .put_part(&input.upload_id, number, body, md5.as_deref())
        .await
        .map_err(broken)?;
    let etag = stored.ok_or_else(|| s3_error!(BadDigest))?;
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(etag)),
        ..UploadPartOutput::default()
    })
}

pub(super) async fn list_parts(state: &State, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    open(state, &input.upload_id, &input.key).await?;
    let stored = state
        .uploads
        .parts(&input.upload_id)
        .await
        .map_err(broken)?;
    let after = input.part_number_marker.unwrap_or_default();
    let limit = input.max_parts.unwrap_or(PAGE).clamp(1, PAGE);
    let mut rest = stored
        .into_values()
        .filter(|part| i32::from(part.number) > after);
    let parts: Vec<Part> = rest
        .by_ref()
        .take(usize::try_from(limit).unwrap_or_default())
        .map(listed)
        .collect();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(limit),
        part_number_marker: Some(after),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        is_truncated: Some(rest.next().is_some()),
        parts: Some(parts),
        ..ListPartsOutput::default()
    })
}

pub(super) async fn list_uploads(
    state: &State,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let limit = input.max_uploads.unwrap_or(PAGE).clamp(1, PAGE);
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    let id_marker = input.upload_id_marker.as_deref();
    let past = |key: &str, id: &str| match id_marker {
        Some(marker) => (key, id) > (key_marker, marker),
        None => key > key_marker,
    };
    let open = state.uploads.list(prefix).await.map_err(broken)?;
    let mut rest = open
        .into_iter()
        .filter(|(upload, id, _)| past(&upload.key, id));
    let uploads: Vec<MultipartUpload> = rest
        .by_ref()
        .take(usize::try_from(limit).unwrap_or_default())
        .map(|(upload, id, begun)| MultipartUpload {
            key: Some(upload.key),
            upload_id: Some(id),
            initiated: Some(begun),
            ..MultipartUpload::default()
        })
        .collect();
    let truncated = rest.next().is_some();
    let last = uploads.last().filter(|_| truncated);
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        next_key_marker: last.and_then(|upload| upload.key.clone()),
        next_upload_id_marker: last.and_then(|upload| upload.upload_id.clone()),
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        max_uploads: Some(limit),
        prefix: input.prefix,
        is_truncated: Some(truncated),
        uploads: Some(uploads),
        ..ListMultipartUploadsOutput::default()
    })
}

/// Everything that can be wrong is answered at once; joining the parts may take longer than a
/// client waits, so it happens behind an answer that is kept alive.
pub(super) async fn complete(
    state: &Arc<State>,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let upload = open(state, &input.upload_id, &input.key).await?;
    let named = input
        .multipart_upload
        .and_then(|list| list.parts)
        .unwrap_or_default();
    let parts = chosen(state, &input.upload_id, named).await?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    let object = PutObjectInput {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        body: Some(join(parts)),
        content_length: i64::try_from(size).ok(),
        content_type: upload.content_type,
        content_disposition: upload.content_disposition,
        content_encoding: upload.content_encoding,
        cache_control: upload.cache_control,
        metadata: upload.metadata,
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        ..PutObjectInput::default()
    };
    let (state, id) = (state.clone(), input.upload_id);
    let (bucket, key) = (input.bucket, input.key);
    let joined = async move {
        let written = state
            .write(bare(object), "b2:ObjectCreated:MultipartUpload")
            .await?;
        state.uploads.remove(&id).await.map_err(broken)?;
        Ok(CompleteMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            e_tag: written.e_tag,
            ..CompleteMultipartUploadOutput::default()
        })
    };
    Ok(CompleteMultipartUploadOutput {
        future: Some(Box::pin(joined)),
        ..CompleteMultipartUploadOutput::default()
    })
}

pub(super) async fn abort(
    state: &State,
    input: AbortMultipartUploadInput,
) -> S3Result<AbortMultipartUploadOutput> {
    open(state, &input.upload_id, &input.key).await?;
    state
        .uploads
        .remove(&input.upload_id)
        .await
        .map_err(broken)?;
    Ok(AbortMultipartUploadOutput::default())
}

async fn open(state: &State, id: &str, key: &str) -> S3Result<Upload> {
    state
        .uploads
        .find(id, key)
        .await
        .map_err(broken)?
        .ok_or_else(|| s3_error!(NoSuchUpload))
}

/// The stored parts that a client names, in its order, which must rise.
async fn chosen(state: &State, id: &str, named: Vec<CompletedPart>) -> S3Result<Vec<StoredPart>> {
    let mut stored = state.uploads.parts(id).await.map_err(broken)?;
    let mut parts: Vec<StoredPart> = Vec::with_capacity(named.len());
    for part in named {
        let number = part
            .part_number
            .and_then(|number| u16::try_from(number).ok());
        let found = number.and_then(|number| stored.remove(&number));
        let (Some(found), Some(etag)) = (found, part.e_tag) else {
            return Err(s3_error!(InvalidPart, "a part is missing, or named twice"));
        };
        if found.etag != etag.value() {
            return Err(s3_error!(
                InvalidPart,
                "part {} has another tag",
                found.number
            ));
        }
        if let Some(before) = parts.last() {
            if before.number >= found.number {
                return Err(s3_error!(InvalidPartOrder));
            }
            if before.size < SMALLEST_PART {
                return Err(s3_error!(EntityTooSmall));
            }
        }
        parts.push(found);
    }
    if parts.is_empty() {
        return Err(s3_error!(InvalidPart, "no parts are named"));
    }
    Ok(parts)
}

fn listed(part: StoredPart) -> Part {
    Part {
        part_number: Some(i32::from(part.number)),
        e_tag: Some(ETag::Strong(part.etag)),
        size: i64::try_from(part.size).ok(),
        last_modified: Some(part.modified),
        ..Part::default()
    }
}
