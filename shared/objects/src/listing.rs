//! What lies in the bucket, and getting rid of it for good.

use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder as Listing;
use time::OffsetDateTime;

use crate::transfer::moment;
use crate::{Objects, ObjectsError};

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The key.
    pub key: String,
    /// In bytes.
    pub size: u64,
    /// When it was written.
    pub modified: Option<OffsetDateTime>,
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of their keys.
    pub objects: Vec<ListedObject>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

impl Objects {
    /// One page of the objects under a prefix; `after` is the `next` of the page before.
    #[tracing::instrument(level = "debug", name = "objects.list_page", skip_all, fields(otel.kind = "client"))]
    pub async fn list_page(
        &self,
        prefix: &str,
        after: Option<String>,
    ) -> Result<Page, ObjectsError> {
        let call = self.client.list_objects_v2().bucket(&self.bucket);
        self.page(prefix, call.set_continuation_token(after)).await
    }

    async fn page(&self, prefix: &str, call: Listing) -> Result<Page, ObjectsError> {
        let answer = call
            .prefix(prefix)
            .send()
            .await
            .map_err(|e| ObjectsError::of("list", prefix, e))?;
        let objects = answer
            .contents
            .unwrap_or_default()
            .into_iter()
            .filter_map(|object| {
                Some(ListedObject {
                    modified: object.last_modified.as_ref().and_then(moment),
                    size: u64::try_from(object.size.unwrap_or_default()).ok()?,
                    key: object.key?,
                })
            });
        Ok(Page {
            objects: objects.collect(),
            next: answer.next_continuation_token,
        })
    }

    /// One page of the objects under a prefix, in the order of their keys, that follow a key: what a
    /// token of storage's own would be too short-lived for. Hidden objects are not listed.
    pub async fn list_after(&self, prefix: &str, key: Option<&str>) -> Result<Page, ObjectsError> {
        let call = self.client.list_objects_v2().bucket(&self.bucket);
        self.page(prefix, call.set_start_after(key.map(str::to_owned)))
            .await
    }

    /// All objects under a prefix, page by page. For prefixes of one video, not for the bucket.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ListedObject>, ObjectsError> {
        let mut objects = Vec::new();
        let mut after = None;
        loop {
            let page = self.list_page(prefix, after).await?;
            objects.extend(page.objects);
            after = page.next;
            if after.is_none() {
                return Ok(objects);
            }
        }
    }

    /// Erases every version of an object. An object that is gone already is no error.
    ///
    /// A plain DELETE only hides an object on Backblaze: its bytes stay, and are billed.
    #[tracing::instrument(level = "debug", name = "objects.delete", skip_all, fields(otel.kind = "client"))]
    pub async fn delete(&self, key: &str) -> Result<(), ObjectsError> {
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let call = self
                .client
                .list_object_versions()
                .bucket(&self.bucket)
                .prefix(key);
            let call = call
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker);
            let outcome = call.send().await;
            let answer = match outcome.map_err(|e| ObjectsError::of("list", key, e)) {
                // A server without versions.
                Err(ObjectsError::Refused { status: 501, .. }) => {
                    return self.delete_version(key, None).await;
                }
                answer => answer?,
            };
            for version in versions_of(&answer, key) {
                self.delete_version(key, Some(version)).await?;
            }
            // Keys come in order: past this key there is nothing of ours.
            key_marker = answer.next_key_marker.filter(|next| next == key);
            version_marker = answer.next_version_id_marker;
            if answer.is_truncated != Some(true) || key_marker.is_none() {
                return Ok(());
            }
        }
    }

    async fn delete_version(&self, key: &str, version: Option<String>) -> Result<(), ObjectsError> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key);
        let outcome = call.set_version_id(version).send().await;
        match outcome.map_err(|e| ObjectsError::of("delete", key, e)) {
            Ok(_) | Err(ObjectsError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Versions and hide markers of exactly this key: the listing goes by prefix.
fn versions_of(answer: &ListObjectVersionsOutput, key: &str) -> Vec<String> {
    let versions = answer.versions().iter().map(|v| (v.key(), v.version_id()));
    let markers = answer
        .delete_markers()
        .iter()
        .map(|m| (m.key(), m.version_id()));
    versions
        .chain(markers)
        .filter(|(found, _)| *found == Some(key))
        .filter_map(|(_, version)| version.map(str::to_owned))
        .collect()
}
