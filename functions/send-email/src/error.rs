//! What can go wrong with a mail.

use shared_runtime::{Classify, Verdict};
use shared_store::StoreError;

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address or a header cannot be written.
    #[error("the mail cannot be written")]
    Letter(#[from] lettre::error::Error),
    /// The address of a user cannot be parsed.
    #[error("the address cannot be parsed")]
    Address(#[from] lettre::address::AddressError),
    /// A template failed.
    #[error("the mail cannot be rendered")]
    Template(#[from] askama::Error),
    /// The server.
    #[error("the mail server refused")]
    Smtp(#[from] lettre::transport::smtp::Error),
    /// The folder for mail files.
    #[error("the mail file cannot be written")]
    File(#[from] std::io::Error),
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Letter(_) | Self::Address(_) | Self::Template(_) => Verdict::Reject,
            Self::Smtp(error) if error.is_permanent() => Verdict::Reject,
            Self::Smtp(_) | Self::File(_) => Verdict::RETRY,
            Self::Store(error) => error.verdict(),
        }
    }
}
