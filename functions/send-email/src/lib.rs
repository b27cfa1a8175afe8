#![doc = include_str!("../README.md")]

mod admin;
mod error;
mod handler;
mod letter;
mod notice;
mod once;
mod post;
mod trial;

use lettre::Address;
use shared_domain::Reader;
use shared_runtime::{Connected, Shared};
use shared_store::Store;

pub use error::Error;
pub use handler::Input;
pub use post::{Backend, Fault, Post, PostConfig, Security};
pub use trial::Sent;

/// Function `send-email`.
#[derive(Debug)]
pub struct SendEmail {
    pub(crate) store: Store,
    pub(crate) post: Post,
    /// `DASHBOARD_URL`: where links in mails lead.
    pub(crate) dashboard: String,
    /// `ADMIN_EMAIL`: who hears of faults of ours.
    pub(crate) admin: Option<Address>,
}

fn admin_address(reader: &Reader<'_>) -> Option<Address> {
    let text = reader.find("ADMIN_EMAIL")?;
    let address = text.parse();
    if address.is_err() {
        reader.problem("ADMIN_EMAIL", "is not a mail address");
    }
    address.ok()
}

fn dashboard(reader: &Reader<'_>) -> String {
    let public = reader.text_or("PUBLIC_URL", "http://127.0.0.1:8000");
    reader
        .text_or("DASHBOARD_URL", &public)
        .trim_end_matches('/')
        .to_owned()
}

impl SendEmail {
    /// Connects to the store and opens the way out for mail.
    pub async fn connect(shared: Shared) -> Connected<Self> {
        let (config, dashboard, admin) = shared.read(|reader| {
            let (config, dashboard) = (PostConfig::read(reader), dashboard(reader));
            (config, dashboard, admin_address(reader))
        })?;
        Ok(Self {
            store: shared.store,
            post: Post::connect(config)?,
            dashboard,
            admin,
        })
    }
}

#[cfg(test)]
mod tests;
