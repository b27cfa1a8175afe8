//! What callers are told when a door stays shut.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use shared_domain::Lang;
use shared_objects::ObjectsError;
use shared_policy::DictionaryError;
use shared_runtime::{Classify, Problem, Reply, Verdict, causes};
use shared_store::StoreError;
use tracing::error;

/// Why a door stays shut.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("nobody is signed in")]
    SignedOut,
    #[error("the name or the password is wrong")]
    WrongPassword(Lang),
    #[error("too many attempts")]
    TooMany(Lang),
    #[error("the request comes from a foreign page")]
    ForeignPage,
    #[error("there is no such thing")]
    NotFound,
    #[error("the video did not fail")]
    NotFailed(Lang),
    #[error("the words of the project are refused")]
    WrongWords(#[source] DictionaryError, Lang),
    #[error("the password could not be hashed")]
    Hash(#[from] argon2::password_hash::Error),
    #[error("the system gives no randomness")]
    Randomness(#[from] getrandom::Error),
    #[error("a task of ours ended early")]
    Task(#[from] tokio::task::JoinError),
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("storage failed")]
    Objects(#[from] ObjectsError),
}

impl Error {
    fn problem(&self) -> Problem {
        match self {
            Self::SignedOut => Problem::new(
                StatusCode::UNAUTHORIZED,
                "signed_out",
                "Войдите в систему. Sign in first.",
            ),
            Self::WrongPassword(lang) => {
                let text = lang.pick(
                    "Имя или пароль неверны.",
                    "The name or the password is wrong.",
                );
                Problem::new(StatusCode::UNAUTHORIZED, "wrong_password", text)
            }
            Self::TooMany(lang) => {
                let text = lang.pick(
                    "Слишком много попыток: подождите минуту.",
                    "Too many attempts: wait a minute.",
                );
                let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many", text);
                problem.retry_after = Some(60);
                problem
            }
            Self::ForeignPage => Problem::new(
                StatusCode::FORBIDDEN,
                "foreign_page",
                "The request came from a page of another site.",
            ),
            Self::NotFound | Self::Store(StoreError::NotFound { .. }) => Problem::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "Такого объекта нет. There is no such thing.",
            ),
            Self::NotFailed(lang) => {
                let text = lang.pick(
                    "Повторить можно только проверку, которая не удалась.",
                    "Only a check that failed can be repeated.",
                );
                Problem::new(StatusCode::CONFLICT, "not_failed", text)
            }
            Self::WrongWords(error, lang) => {
                let (name, line, reason) = (&error.name, error.line, &error.reason);
                let text = match lang {
                    Lang::Ru => {
                        format!("Список {name}, строка {line}: {reason}. Прежний остаётся.")
                    }
                    Lang::En => {
                        format!("List {name}, line {line}: {reason}. The former one stays.")
                    }
                };
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "wrong_words", text)
            }
            Self::Objects(ObjectsError::NotFound { .. }) => {
                Problem::new(StatusCode::NOT_FOUND, "not_found", "The file is gone.")
            }
            Self::Store(error) => Problem::of_verdict(error.verdict(), Lang::En),
            Self::Hash(_) | Self::Randomness(_) | Self::Task(_) | Self::Objects(_) => {
                Problem::of_verdict(Verdict::RETRY, Lang::En)
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if problem.status >= 500 {
            error!(error = causes(&self), "a door of the console failed");
        }
        let answer = problem.reply();
        let mut response = (answer.status, answer.body).into_response();
        response.headers_mut().extend(answer.headers);
        response
    }
}
