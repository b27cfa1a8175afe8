//! Who may do what: the holder of the one key, in the one bucket, under keys that are safe names.

use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Result, s3_error};

/// The store derives two file names from a key, of which the longer ends so.
const SIDECAR: &str = ".bucket-.object-.metadata.json";
/// The longest name of one file.
const NAME_MAX: usize = 255;

#[derive(Debug)]
pub(super) struct Access {
    pub(super) bucket: String,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        if cx.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "a signature is required"));
        }
        let signed_the_old_way = cx
            .uri()
            .query()
            .is_some_and(|q| q.contains("AWSAccessKeyId="))
            || cx
                .headers()
                .get("authorization")
                .is_some_and(|h| h.as_bytes().starts_with(b"AWS "));
        if signed_the_old_way {
            return Err(s3_error!(AccessDenied, "sign with AWS4-HMAC-SHA256"));
        }
        match cx.s3_path() {
            S3Path::Root => Ok(()),
            S3Path::Bucket { bucket } => self.check_bucket(bucket),
            S3Path::Object { bucket, key } => {
                self.check_bucket(bucket)?;
                check_key(bucket, key)
            }
        }
    }
}

impl Access {
    fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        if bucket == self.bucket {
            Ok(())
        } else {
            Err(s3_error!(NoSuchBucket))
        }
    }
}

/// Keys become paths, and paths have rules that keys have not.
pub(super) fn check_key(bucket: &str, key: &str) -> S3Result<()> {
    let encoded = |text: &str| text.len().div_ceil(3) * 4;
    if SIDECAR.len() + encoded(bucket) + encoded(key) > NAME_MAX {
        return Err(s3_error!(KeyTooLongError));
    }
    let safe = |segment: &str| !matches!(segment, "" | "." | "..");
    if key.chars().any(char::is_control) || !key.split('/').all(safe) {
        return Err(s3_error!(InvalidArgument, "this key cannot be a path"));
    }
    Ok(())
}
