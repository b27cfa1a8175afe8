//! What can go wrong with a mail.

use shared_runtime::{Classify, Verdict};
use shared_store::StoreError;

use crate::Fault;

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
    /// The way out.
    #[error(transparent)]
    Post(#[from] Fault),
    /// Two attempts ended without the server's word: a third could be a third copy.
    #[error("the mail was perhaps sent twice; it is not sent a third time")]
    PerhapsSent,
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl Classify for Error {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Letter(_) | Self::Address(_) | Self::Template(_) => Verdict::Reject,
            Self::Post(fault) => fault.verdict(),
            Self::PerhapsSent => Verdict::Reject,
            Self::Store(error) => error.verdict(),
        }
    }
}
