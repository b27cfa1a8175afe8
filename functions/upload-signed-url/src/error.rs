//! What can go wrong at this door, and what the caller is told.

use http::StatusCode;
use shared_domain::{Lang, Refusal};
use shared_objects::ObjectsError;
use shared_runtime::{Classify, Problem, Verdict};
use shared_store::StoreError;

/// Why there is no signed URL.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// A page of another site sent this.
    #[error("the request comes from a foreign page")]
    ForeignPage,
    /// No such project or video for this caller.
    #[error("no such {0} for this caller")]
    Unknown(&'static str),
    /// The caller has no minutes left.
    #[error("the balance is used up")]
    NoBalance,
    /// The file would be refused.
    #[error("the upload is refused: {}", .0.code())]
    Refused(Refusal),
    /// A field cannot be right.
    #[error("field {field} must be {}", .must[1])]
    Field {
        /// Which.
        field: &'static str,
        /// What it has to be, in Russian and in English.
        must: [&'static str; 2],
    },
    /// The video is no longer waiting for its bytes.
    #[error("the video is no longer waiting for its upload")]
    NotWaiting,
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Storage.
    #[error("storage failed")]
    Objects(#[from] ObjectsError),
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::SignedOut
            | Self::ForeignPage
            | Self::Unknown(_)
            | Self::NoBalance
            | Self::Refused(_)
            | Self::Field { .. }
            | Self::NotWaiting => Verdict::Reject,
            Self::Store(error) => error.verdict(),
            Self::Objects(error) if error.is_transient() => Verdict::RETRY,
            Self::Objects(_) => Verdict::Reject,
        }
    }

    fn problem(&self, lang: Lang) -> Problem {
        match self {
            Self::SignedOut => {
                let text = lang.pick("Войдите в систему.", "Sign in first.");
                Problem::new(StatusCode::UNAUTHORIZED, "signed_out", text)
            }
            Self::ForeignPage => {
                let text = lang.pick(
                    "Запрос пришёл со страницы другого сайта и отклонён.",
                    "The request came from a page of another site and was refused.",
                );
                Problem::new(StatusCode::FORBIDDEN, "foreign_page", text)
            }
            Self::Unknown(_) => {
                let text = lang.pick("Такого объекта нет.", "There is no such thing.");
                Problem::new(StatusCode::NOT_FOUND, "not_found", text)
            }
            Self::NoBalance => {
                let text = lang.pick(
                    "На балансе не осталось минут: пополните его у администратора.",
                    "No minutes are left on the balance: ask an administrator to add some.",
                );
                Problem::new(StatusCode::PAYMENT_REQUIRED, "no_balance", text)
            }
            Self::Refused(refusal) => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                &refusal.code(),
                refusal.text(lang),
            ),
            Self::Field {
                field,
                must: [ru, en],
            } => {
                let detail = format!("{field}: {}", lang.pick(ru, en));
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "field", detail)
            }
            Self::NotWaiting => {
                let text = lang.pick(
                    "Это видео уже загружено или его загрузка отменена.",
                    "This video is uploaded already, or its upload was given up.",
                );
                Problem::new(StatusCode::CONFLICT, "not_waiting", text)
            }
            Self::Store(_) | Self::Objects(_) => Problem::of_verdict(self.verdict(), lang),
        }
    }
}
