//! Listings cut into pages, in the three dialects of S3.

use s3s::S3Result;
use s3s::dto::{
    CommonPrefix, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass,
    ObjectVersion,
};

use super::files::{Entry, Files};
use super::state::broken;

const PAGE: i32 = 1000;

/// One page: objects and folded prefixes together count against the limit.
struct Cut {
    entries: Vec<Entry>,
    prefixes: Vec<CommonPrefix>,
    limit: i32,
    /// The last name on the page, when more follow.
    next: Option<String>,
}

async fn cut(
    files: &Files,
    prefix: &str,
    delimiter: Option<&str>,
    (after, limit): (&str, Option<i32>),
) -> S3Result<Cut> {
    let limit = limit.unwrap_or(PAGE).clamp(0, PAGE);
    let most = usize::try_from(limit).unwrap_or_default();
    let mut page = Cut {
        entries: Vec::new(),
        prefixes: Vec::new(),
        limit,
        next: None,
    };
    let mut last: Option<String> = None;
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty());
    for entry in files.list(prefix).await.map_err(broken)? {
        let rest = entry.key.get(prefix.len()..).unwrap_or_default();
        let fold = delimiter.and_then(|delimiter| Some((rest.find(delimiter)?, delimiter.len())));
        let name = match fold {
            Some((at, length)) => entry.key[..prefix.len() + at + length].to_owned(),
            None => entry.key.clone(),
        };
        if name.as_str() <= after || last.as_ref() == Some(&name) {
            continue;
        }
        if page.entries.len() + page.prefixes.len() == most {
            page.next = last;
            break;
        }
        last = Some(name.clone());
        if fold.is_some() {
            page.prefixes.push(CommonPrefix { prefix: Some(name) });
        } else {
            page.entries.push(entry);
        }
    }
    Ok(page)
}

/// The entries as objects; clients that mirror a folder go by the tags.
async fn objects_of(files: &Files, entries: Vec<Entry>) -> S3Result<Vec<Object>> {
    let mut objects = Vec::with_capacity(entries.len());
    for entry in entries {
        objects.push(Object {
            e_tag: files.tag(&entry.key).await.map_err(broken)?,
            key: Some(entry.key),
            size: i64::try_from(entry.size).ok(),
            last_modified: Some(entry.modified),
            storage_class: Some(ObjectStorageClass::from_static(
                ObjectStorageClass::STANDARD,
            )),
            ..Object::default()
        });
    }
    Ok(objects)
}

pub(super) async fn objects_v2(
    files: &Files,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let token = input.continuation_token.as_deref();
    let after = token.max(input.start_after.as_deref()).unwrap_or_default();
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let page = cut(
        files,
        prefix,
        input.delimiter.as_deref(),
        (after, input.max_keys),
    )
    .await?;
    let count = page.entries.len() + page.prefixes.len();
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        key_count: i32::try_from(count).ok(),
        max_keys: Some(page.limit),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next,
        contents: Some(objects_of(files, page.entries).await?),
        common_prefixes: Some(page.prefixes),
        prefix: input.prefix,
        delimiter: input.delimiter,
        start_after: input.start_after,
        continuation_token: input.continuation_token,
        ..ListObjectsV2Output::default()
    })
}

pub(super) async fn objects(files: &Files, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let after = input.marker.as_deref().unwrap_or_default();
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let page = cut(
        files,
        prefix,
        input.delimiter.as_deref(),
        (after, input.max_keys),
    )
    .await?;
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        max_keys: Some(page.limit),
        is_truncated: Some(page.next.is_some()),
        next_marker: page.next,
        contents: Some(objects_of(files, page.entries).await?),
        common_prefixes: Some(page.prefixes),
        prefix: input.prefix,
        delimiter: input.delimiter,
        marker: input.marker,
        ..ListObjectsOutput::default()
    })
}

/// Every object has one version, `null`, as in a bucket that never had versions.
pub(super) async fn versions(
    files: &Files,
    input: ListObjectVersionsInput,
) -> S3Result<ListObjectVersionsOutput> {
    let after = input.key_marker.as_deref().unwrap_or_default();
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let page = cut(
        files,
        prefix,
        input.delimiter.as_deref(),
        (after, input.max_keys),
    )
    .await?;
    let versions = objects_of(files, page.entries).await?.into_iter();
    let versions = versions.map(|object| ObjectVersion {
        key: object.key,
        version_id: Some("null".to_owned()),
        is_latest: Some(true),
        size: object.size,
        last_modified: object.last_modified,
        e_tag: object.e_tag,
        ..ObjectVersion::default()
    });
    Ok(ListObjectVersionsOutput {
        name: Some(input.bucket),
        max_keys: Some(page.limit),
        is_truncated: Some(page.next.is_some()),
        next_key_marker: page.next,
        versions: Some(versions.collect()),
        common_prefixes: Some(page.prefixes),
        prefix: input.prefix,
        delimiter: input.delimiter,
        key_marker: input.key_marker,
        ..ListObjectVersionsOutput::default()
    })
}
