//! URLs that let somebody else read or write one object for a while.

use std::time::Duration;

use aws_sdk_s3::config::http::HttpRequest;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use serde::{Deserialize, Serialize};

use crate::{Objects, ObjectsError};

/// A signed request for a client that holds no key. Never log it: the URL is the permission.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presigned {
    /// `PUT` or `GET`.
    pub method: String,
    /// The URL, signature included.
    pub url: String,
    /// Headers to send exactly so. `Content-Length` is signed too where a size was given, but is
    /// not listed: every HTTP client derives it from the body, and browsers forbid setting it.
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for Presigned {
    /// Without the query, which is the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Presigned")
            .field("method", &self.method)
            .field("url", &place)
            .finish_non_exhaustive()
    }
}

impl From<&PresignedRequest> for Presigned {
    fn from(request: &PresignedRequest) -> Self {
        let headers = request
            .headers()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            method: request.method().to_owned(),
            url: request.uri().to_owned(),
            headers,
        }
    }
}

impl Objects {
    /// A URL to read an object, by range too.
    pub async fn presign_get(&self, key: &str, expires: Duration) -> Result<String, ObjectsError> {
        let time = PresigningConfig::expires_in(expires)?;
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        let request = call
            .customize()
            .mutate_request(without_trace)
            .presigned(time)
            .await
            .map_err(|e| ObjectsError::of("sign", key, e))?;
        Ok(request.uri().to_owned())
    }

    /// A request to write an object of exactly this size and type.
    pub async fn presign_put(
        &self,
        key: &str,
        size: u64,
        content_type: &str,
        expires: Duration,
    ) -> Result<Presigned, ObjectsError> {
        let time = PresigningConfig::expires_in(expires)?;
        let call = self.client.put_object().bucket(&self.bucket).key(key);
        let call = call.content_type(content_type).content_length(length(size));
        let request = call
            .customize()
            .mutate_request(without_trace)
            .presigned(time)
            .await
            .map_err(|e| ObjectsError::of("sign", key, e))?;
        Ok(Presigned::from(&request))
    }

    /// A request to write one part of exactly this size.
    pub async fn presign_part(
        &self,
        (key, upload_id): (&str, &str),
        number: u16,
        size: u64,
        expires: Duration,
    ) -> Result<Presigned, ObjectsError> {
        let time = PresigningConfig::expires_in(expires)?;
        let call = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id);
        let call = call
            .part_number(i32::from(number))
            .content_length(length(size));
        let request = call
            .customize()
            .mutate_request(without_trace)
            .presigned(time)
            .await
            .map_err(|e| ObjectsError::of("sign", key, e))?;
        Ok(Presigned::from(&request))
    }
}

/// On Lambda the SDK adds its own trace to every request, and here it would be signed: whoever uses the
/// URL would have to send that very header.
fn without_trace(request: &mut HttpRequest) {
    request.headers_mut().remove("x-amzn-trace-id");
}

/// No object is larger than 10 TB: a size beyond the wire's range can only be refused later.
fn length(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
