//! What happens to a request before and after the S3 protocol: CORS, and a shut door for what
//! Backblaze does not offer either.

use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use s3s::service::S3Service;
use s3s::{Body, HttpError, HttpResponse, S3Error, s3_error};

/// Headers that a page may read; without the tag it could not complete an upload in parts.
const EXPOSED: &str = "ETag, Content-Length, Content-Range, Accept-Ranges, Content-Type";
const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::PUT];
const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

#[derive(Clone)]
pub(super) struct Front {
    s3: S3Service,
    origins: Arc<[HeaderValue]>,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front")
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

impl Front {
    pub(super) fn new(s3: S3Service, origins: &[String]) -> Self {
        let origins = origins
            .iter()
            .filter_map(|origin| HeaderValue::from_str(origin.trim_end_matches('/')).ok());
        Self {
            s3,
            origins: origins.collect(),
        }
    }

    pub(super) async fn call(&self, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        let origin = request.headers().get(header::ORIGIN).cloned();
        let allowed = origin.filter(|origin| self.origins.contains(origin));
        let has_body = !request.body().is_end_stream();
        let mut response = if request.method() == Method::OPTIONS {
            preflight(request.headers(), allowed.is_some())?
        } else if is_form(&request) {
            // The protocol crate would take a whole form into memory before it asks who sent it.
            refusal(s3_error!(NotImplemented, "upload with PUT"))?
        } else {
            self.s3.call(request.map(Body::from)).await?
        };
        let refused = !response.status().is_success();
        let headers = response.headers_mut();
        if has_body && refused {
            // A body that was not read ends the connection; a client that is not told would send its
            // next request into it (RFC 9110, 10.1.1).
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(header::VARY, HeaderValue::from_static(VARY));
        if let Some(origin) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = HeaderValue::from_static(EXPOSED);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
        Ok(response)
    }
}

fn is_form<B>(request: &Request<B>) -> bool {
    let form = |value: &HeaderValue| {
        value
            .as_bytes()
            .get(..10)
            .is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/"))
    };
    request.method() == Method::POST
        && request
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(form)
}

fn preflight(asked: &HeaderMap, allowed: bool) -> Result<HttpResponse, HttpError> {
    let method = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    let known = method.is_some_and(|m| {
        METHODS
            .iter()
            .any(|k| k.as_str().as_bytes() == m.as_bytes())
    });
    if !allowed || !known {
        return refusal(S3Error::with_message(
            s3s::S3ErrorCode::AccessDenied,
            "CORS: this origin may not do this",
        ));
    }
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    let mut say = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    say(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT");
    say(header::ACCESS_CONTROL_MAX_AGE, "3600");
    if let Some(names) = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    Ok(response)
}

fn refusal(error: S3Error) -> Result<HttpResponse, HttpError> {
    error
        .to_http_response()
        .map_err(|error| HttpError::new(Box::new(error)))
}
