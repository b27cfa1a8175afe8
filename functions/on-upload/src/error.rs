//! What can go wrong when an object arrives.

use http::StatusCode;
use shared_domain::Lang;
use shared_objects::ObjectsError;
use shared_objects::notification::NotANotification;
use shared_runtime::{Classify, Problem, Verdict};
use shared_store::StoreError;

/// Why an arrival was not dealt with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The signature is missing or wrong.
    #[error("the notification is not signed by our storage")]
    Forged,
    /// The notification is signed but cannot be read.
    #[error("the notification cannot be read")]
    Notification(#[from] NotANotification),
    /// No such video for this caller.
    #[error("no such video for this caller")]
    Unknown,
    /// The object cannot be read yet.
    #[error("the object is not there yet")]
    NotThere,
    /// Storage tells of an object that it does not show yet.
    #[error("storage tells of an object that it does not show yet")]
    TooEarly,
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
            Self::Forged | Self::Notification(_) | Self::Unknown => Verdict::Reject,
            Self::NotThere | Self::TooEarly => Verdict::RETRY,
            Self::Store(error) => error.verdict(),
            Self::Objects(error) if error.is_transient() => Verdict::RETRY,
            Self::Objects(_) => Verdict::Reject,
        }
    }

    fn problem(&self, lang: Lang) -> Problem {
        match self {
            Self::Forged => {
                let text = lang.pick("Подпись неверна.", "The signature is wrong.");
                Problem::new(StatusCode::UNAUTHORIZED, "forged", text)
            }
            Self::Unknown => {
                let text = lang.pick("Такого видео нет.", "There is no such video.");
                Problem::new(StatusCode::NOT_FOUND, "not_found", text)
            }
            Self::NotThere => {
                let text = lang.pick(
                    "Файл ещё не дошёл до хранилища: завершите загрузку.",
                    "The file has not reached storage yet: finish the upload.",
                );
                Problem::new(StatusCode::CONFLICT, "not_there", text)
            }
            Self::Notification(_) | Self::TooEarly | Self::Store(_) | Self::Objects(_) => {
                Problem::of_verdict(self.verdict(), lang)
            }
        }
    }
}
