//! Uploads in parts: begun, resumed, completed or given up.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::transfer::moment;
use crate::{Objects, ObjectsError};

/// A part that storage holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// From 1 to 10 000.
    pub number: u16,
    /// The tag that storage gave it.
    pub etag: String,
    /// In bytes; 0 where only storage knows it.
    #[serde(default)]
    pub size: u64,
}

/// An upload that was begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key it will have.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// When it was begun.
    pub initiated: Option<OffsetDateTime>,
}

impl Objects {
    /// Begins an upload in parts and answers its id.
    #[tracing::instrument(level = "debug", name = "objects.create_multipart", skip_all, fields(otel.kind = "client"))]
    pub async fn create_multipart(
        &self,
        key: &str,
        content_type: &str,
    ) -> Result<String, ObjectsError> {
        let call = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(key);
        let answer = call
            .content_type(content_type)
            .send()
            .await
            .map_err(|e| ObjectsError::of("begin", key, e))?;
        Ok(answer.upload_id.unwrap_or_default())
    }

    /// The parts that have arrived, in order.
    #[tracing::instrument(level = "debug", name = "objects.list_parts", skip_all, fields(otel.kind = "client"))]
    pub async fn list_parts(&self, key: &str, upload_id: &str) -> Result<Vec<Part>, ObjectsError> {
        let mut parts = Vec::new();
        let mut marker = None;
        loop {
            let call = self.client.list_parts().bucket(&self.bucket).key(key);
            let answer = call
                .upload_id(upload_id)
                .set_part_number_marker(marker)
                .send()
                .await
                .map_err(|e| ObjectsError::of("list the parts of", key, e))?;
            parts.extend(
                answer
                    .parts
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|part| {
                        Some(Part {
                            number: u16::try_from(part.part_number?).ok()?,
                            etag: part.e_tag?,
                            size: u64::try_from(part.size.unwrap_or_default()).ok()?,
                        })
                    }),
            );
            marker = answer
                .next_part_number_marker
                .filter(|_| answer.is_truncated == Some(true));
            if marker.is_none() {
                return Ok(parts);
            }
        }
    }

    /// Makes one object of the parts. Repeating it after a lost answer is safe.
    #[tracing::instrument(level = "debug", name = "objects.complete_multipart", skip_all, fields(otel.kind = "client"))]
    pub async fn complete_multipart(
        &self,
        key: &str,
        upload_id: &str,
        parts: &[Part],
    ) -> Result<(), ObjectsError> {
        let parts = parts
            .iter()
            .map(|part| {
                let number = i32::from(part.number);
                CompletedPart::builder()
                    .part_number(number)
                    .e_tag(&part.etag)
                    .build()
            })
            .collect();
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let call = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key);
        let outcome = call
            .upload_id(upload_id)
            .multipart_upload(parts)
            .send()
            .await;
        match outcome.map_err(|e| ObjectsError::of("complete", key, e)) {
            Ok(_) => Ok(()),
            // The upload is gone and the object is there: an earlier attempt had succeeded.
            Err(gone @ ObjectsError::NotFound { .. }) => {
                self.head(key).await.map(drop).map_err(|_| gone)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives an upload up. An upload that is gone already is no error.
    #[tracing::instrument(level = "debug", name = "objects.abort_multipart", skip_all, fields(otel.kind = "client"))]
    pub async fn abort_multipart(&self, key: &str, upload_id: &str) -> Result<(), ObjectsError> {
        let call = self
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(key);
        let outcome = call.upload_id(upload_id).send().await;
        match outcome.map_err(|e| ObjectsError::of("abort", key, e)) {
            Ok(_) | Err(ObjectsError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The uploads under a prefix that were begun and not ended.
    #[tracing::instrument(level = "debug", name = "objects.list_multipart_uploads", skip_all, fields(otel.kind = "client"))]
    pub async fn list_multipart_uploads(
        &self,
        prefix: &str,
    ) -> Result<Vec<OpenUpload>, ObjectsError> {
        let mut uploads = Vec::new();
        let mut marker = (None, None);
        loop {
            let call = self
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                .prefix(prefix);
            let answer = call
                .set_key_marker(marker.0)
                .set_upload_id_marker(marker.1)
                .send()
                .await
                .map_err(|e| ObjectsError::of("list the uploads under", prefix, e))?;
            uploads.extend(
                answer
                    .uploads
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|upload| {
                        Some(OpenUpload {
                            initiated: upload.initiated.as_ref().and_then(moment),
                            key: upload.key?,
                            upload_id: upload.upload_id?,
                        })
                    }),
            );
            if answer.is_truncated != Some(true) || answer.next_key_marker.is_none() {
                return Ok(uploads);
            }
            marker = (answer.next_key_marker, answer.next_upload_id_marker);
        }
    }
}
