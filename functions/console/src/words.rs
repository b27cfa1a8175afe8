//! The words that a project permits or forbids.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use shared_domain::ProjectId;
use shared_policy::ProjectWords;
use shared_store::{StoredWords, User};

use crate::auth::{Caller, lang};
use crate::{Error, Inner};

/// Both lists, one entry a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lists {
    allow: String,
    deny: String,
}

/// `GET /api/projects/{id}/words/`.
pub(crate) async fn show(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
    Path(id): Path<ProjectId>,
) -> Result<Json<Lists>, Error> {
    visible(&inner, &user, id).await?;
    let stored = inner.store.project_words(id).await?;
    Ok(Json(Lists {
        allow: stored.allowed,
        deny: stored.denied,
    }))
}

/// `PUT /api/projects/{id}/words/`: both lists are replaced, or, when one is wrong, neither.
pub(crate) async fn replace(
    State(inner): State<Arc<Inner>>,
    Caller(user): Caller,
    Path(id): Path<ProjectId>,
    headers: HeaderMap,
    Json(lists): Json<Lists>,
) -> Result<Json<Lists>, Error> {
    visible(&inner, &user, id).await?;
    ProjectWords::parse(&lists.allow, &lists.deny)
        .map_err(|error| Error::WrongWords(error, lang(&headers)))?;
    let words = StoredWords {
        allowed: lists.allow.clone(),
        denied: lists.deny.clone(),
    };
    inner.store.set_project_words(id, &words).await?;
    Ok(Json(lists))
}

async fn visible(inner: &Inner, user: &User, id: ProjectId) -> Result<(), Error> {
    let project = inner.store.project_visible_to(user, id).await?;
    project.map(drop).ok_or(Error::NotFound)
}
