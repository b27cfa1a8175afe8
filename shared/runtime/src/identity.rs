//! Who is asking: a session cookie from a browser, or the same token as a bearer from a program.

use http::header;
use sha2::{Digest, Sha256};
use shared_store::{Store, StoreError, User};
use url::Url;

use crate::Event;

/// The session cookie's name.
pub(crate) const COOKIE: &str = "session";

/// The user behind an event, if its token is live.
pub async fn caller(store: &Store, event: &Event) -> Result<Option<User>, StoreError> {
    match token(event) {
        Some(token) => store.user_by_session(&hash_token(token)).await,
        None => Ok(None),
    }
}

/// Only hashes of tokens are stored.
pub fn hash_token(token: &str) -> String {
    hex::encode(Sha256::digest(token))
}

/// Whether a browser sent this from one of our own pages (or no browser sent it).
///
/// A cookie rides along with every request, whoever's page made it: a changing request with a
/// cookie must come from an origin of ours. Bearer tokens need no such check.
pub fn same_origin(event: &Event, allowed: &[String]) -> bool {
    if bearer(event).is_some() {
        return true;
    }
    let Some(origin) = event.header(header::ORIGIN.as_str()) else {
        return event
            .header("sec-fetch-site")
            .is_none_or(|site| site == "same-origin" || site == "none");
    };
    let host = event.header(header::HOST.as_str()).unwrap_or("");
    let same = Url::parse(origin).is_ok_and(|url| url.authority() == host);
    same || allowed.iter().any(|allowed| allowed == origin)
}

fn token(event: &Event) -> Option<&str> {
    bearer(event).or_else(|| cookie(event))
}

fn bearer(event: &Event) -> Option<&str> {
    event
        .header(header::AUTHORIZATION.as_str())?
        .strip_prefix("Bearer ")
}

fn cookie(event: &Event) -> Option<&str> {
    let cookies = event.header(header::COOKIE.as_str())?;
    cookies
        .split(';')
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}
