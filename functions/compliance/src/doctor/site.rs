//! What is looked at.

use std::path::PathBuf;
use std::sync::Arc;

use shared_domain::{Clock, Reader, Settings};
use tokio::sync::OnceCell;
use url::Url;

use super::finding::Finding;
use super::native::Known;

/// An installation: its settings, the clock and the folder that the program was started in.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) folder: PathBuf,
    /// The bucket through the native API, asked for once by all checks of it.
    pub(super) known: OnceCell<Result<Known, Finding>>,
}

impl Site {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>, folder: PathBuf) -> Self {
        Self {
            settings,
            clock,
            folder,
            known: OnceCell::new(),
        }
    }

    /// Reads settings of one part; what is wrong with them is the finding.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Reader<'_>) -> T) -> Result<T, Finding> {
        let reader = self.settings.reader();
        let value = read(&reader);
        reader.finish().map_err(|error| Finding::settings(&error))?;
        Ok(value)
    }

    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.settings.find(name)
    }

    /// `PUBLIC_URL` without a slash at its end, where it is one that browsers and providers can use.
    pub(super) fn public_url(&self) -> Option<String> {
        let url = Url::parse(self.find("PUBLIC_URL")?).ok()?;
        let whole = url.scheme() == "https" && url.has_host() && url.path() == "/";
        whole.then(|| url.origin().ascii_serialization())
    }
}
