//! Signing in and out.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use shared_domain::Lang;
use shared_runtime::{Event, Source, caller, hash_token, same_origin};
use shared_store::{Store, User};

use crate::{Error, Inner, password};

/// A sign-in lasts this long.
const SESSION: Duration = Duration::from_hours(7 * 24);

/// Somebody who is signed in. Changing requests also have to come from a page of ours.
pub(crate) struct Caller(pub(crate) User);

impl FromRequestParts<Arc<Inner>> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, inner: &Arc<Inner>) -> Result<Self, Error> {
        let event = event(&parts.method, &parts.headers);
        if parts.method != Method::GET && !same_origin(&event, &inner.config.origins) {
            return Err(Error::ForeignPage);
        }
        caller(&inner.store, &event)
            .await?
            .map(Self)
            .ok_or(Error::SignedOut)
    }
}

/// The language that the request asks for.
pub(crate) fn lang(headers: &HeaderMap) -> Lang {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    asked.unwrap_or("").parse().unwrap_or_default()
}

fn event(method: &Method, headers: &HeaderMap) -> Event {
    Event {
        id: String::new(),
        attempt: 1,
        lease: None,
        trace: None,
        source: Source::Request {
            method: method.clone(),
            path: String::new(),
            query: String::new(),
        },
        headers: headers.clone(),
        body: Bytes::new(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    email: String,
    password: String,
}

/// `POST /api/auth/login/`: same answer and time for known and unknown names.
pub(crate) async fn login(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    Json(login): Json<Login>,
) -> Result<Response, Error> {
    let lang = lang(&headers);
    if !same_origin(&event(&Method::POST, &headers), &inner.config.origins) {
        return Err(Error::ForeignPage);
    }
    let email = login.email.trim().to_lowercase();
    if !inner.logins.admit(&email, inner.store.now()) {
        return Err(Error::TooMany(lang));
    }
    let user = inner
        .store
        .user_by_email(&email)
        .await?
        .filter(|user| user.is_active);
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right =
        tokio::task::spawn_blocking(move || password::matches(&login.password, hash.as_deref()));
    match (user, right.await?) {
        (Some(user), true) => {
            let cookie = open(&inner.store, &user, inner.config.secure).await?;
            Ok((
                StatusCode::OK,
                [(header::SET_COOKIE, cookie)],
                Json(about(&user)),
            )
                .into_response())
        }
        _ => Err(Error::WrongPassword(lang)),
    }
}

async fn open(store: &Store, user: &User, secure: bool) -> Result<String, Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    let token = hex::encode(random);
    store
        .open_session(user.user_id, &hash_token(&token), store.now() + SESSION)
        .await?;
    let secure = if secure { "; Secure" } else { "" };
    let age = SESSION.as_secs();
    Ok(format!(
        "session={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"
    ))
}

/// `POST /api/auth/logout/`.
pub(crate) async fn logout(
    State(inner): State<Arc<Inner>>,
    _: Caller,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let cookies = headers
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    for token in cookies
        .split(';')
        .filter_map(|pair| pair.trim().strip_prefix("session="))
    {
        inner.store.revoke_session(&hash_token(token)).await?;
    }
    let gone = "session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// `GET /api/users/me/`.
pub(crate) async fn me(Caller(user): Caller) -> Json<Value> {
    Json(about(&user))
}

fn about(user: &User) -> Value {
    json!({
        "id": user.user_id,
        "email": user.email,
        "role": user.role,
        "language": user.language,
        "balance_minutes": user.balance_minutes,
    })
}
